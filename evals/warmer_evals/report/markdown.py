"""A report as Markdown: the verdict, the figures in tables, and what they mean."""

import re

from warmer_evals.report.verdicts import Headline
from warmer_evals.report.view import Table, View


def render_markdown(view: View) -> str:
    """Render a view as Markdown; text from datasets and models cannot become markup."""
    parts = [
        f"# {_plain(view.title)}",
        f"**{_plain(view.verdict)}** {_plain(view.lead)}",
        *[_items(view.cautions)] * bool(view.cautions),
        "\n".join(map(_headline, view.headlines)),
        *map(_table, view.tables),
        "## Setting",
        _items([f"{name}: {value}" for name, value in view.facts]),
        *["## Notes", _items(view.notes)] * bool(view.notes),
        "## What the figures mean",
        "\n".join(f"- **{_plain(term)}**: {_plain(text)}" for term, text in view.meanings),
    ]
    return "\n\n".join(parts) + "\n"


def _headline(headline: Headline) -> str:
    detail = f" ({_plain(headline.detail)})" if headline.detail else ""
    verdict = f", {headline.verdict}" if headline.verdict else ""
    return f"- **{_plain(headline.title)}**: {headline.value}{detail}{verdict}; {_plain(headline.meaning)}"


def _table(table: Table) -> str:
    align = [":--", *[":--" if table.prose else "--:"] * (len(table.columns) - 1)]
    cells = [[_plain(cell) for cell in row] for row in [table.columns, *table.rows]]
    lines = ["| " + " | ".join(row) + " |" for row in [cells[0], align, *cells[1:]]]
    note = ["", _plain(table.note)] if table.note else []
    return "\n".join([f"## {_plain(table.title)}", "", *lines, *note])


def _items(texts: list[str]) -> str:
    return "\n".join(f"- {_plain(text)}" for text in texts)


def _plain(text: str) -> str:
    return re.sub(r"([\\`*\[\]|#]|<(?=\S))", r"\\\1", " ".join(text.split()))
