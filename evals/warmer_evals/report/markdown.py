"""Render a report as Markdown: the verdict, tables of figures, and what they mean."""

import re

from warmer_evals.report.verdicts import Headline
from warmer_evals.report.view import Table, View


def render_markdown(view: View) -> str:
    """Render a view as Markdown; text from datasets and models cannot become markup."""
    parts = [
        f"# {_escaped(view.title)}",
        f"**{_escaped(view.verdict)}** {_escaped(view.lead)}",
        *[_bullets(view.cautions)] * bool(view.cautions),
        "\n".join(map(_headline, view.headlines)),
        *map(_table, view.tables),
        "## Setting",
        _bullets([f"{name}: {value}" for name, value in view.facts]),
        *["## Notes", _bullets(view.notes)] * bool(view.notes),
        "## What the figures mean",
        "\n".join(f"- **{_escaped(term)}**: {_escaped(text)}" for term, text in view.meanings),
    ]
    return "\n\n".join(parts) + "\n"


def _headline(headline: Headline) -> str:
    detail = f" ({_escaped(headline.detail)})" if headline.detail else ""
    verdict = f", {headline.verdict}" if headline.verdict else ""
    return f"- **{_escaped(headline.title)}**: {headline.value}{detail}{verdict}; {_escaped(headline.meaning)}"


def _table(table: Table) -> str:
    align = [":--", *[":--" if table.prose else "--:"] * (len(table.columns) - 1)]
    cells = [[_escaped(cell) for cell in row] for row in [table.columns, *table.rows]]
    lines = ["| " + " | ".join(row) + " |" for row in [cells[0], align, *cells[1:]]]
    note = ["", _escaped(table.note)] if table.note else []
    return "\n".join([f"## {_escaped(table.title)}", "", *lines, *note])


def _bullets(texts: list[str]) -> str:
    return "\n".join(f"- {_escaped(text)}" for text in texts)


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*\[\]|#]|<(?=\S))", r"\\\1", " ".join(text.split()))
