"""The content of a report of either kind, rendered as Markdown and as a page."""

from dataclasses import dataclass, field
from typing import Any

from warmer_evals.report.charts import Differences, IntervalChart, LineChart, OutcomeChart
from warmer_evals.report.verdicts import Headline


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells; the first cell names the row. `prose` aligns the other cells as text."""

    title: str
    columns: list[str]
    rows: list[list[str]]
    note: str = ""
    prose: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A report ready to render; all strings are plain text that the renderer must escape."""

    title: str
    eyebrow: str
    verdict: str
    lead: str
    cautions: list[str]
    headlines: list[Headline]
    differences: Differences | None
    hits: dict[str, Any]
    hits_title: str
    hits_note: str
    tables: list[Table]
    facts: list[tuple[str, str]]
    meanings: list[tuple[str, str]]
    notes: list[str]
    intervals: list[IntervalChart] = field(default_factory=list)
    outcomes: OutcomeChart | None = None
    lines: list[LineChart] = field(default_factory=list)
