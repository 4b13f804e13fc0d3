"""Read documentation as `warmer index` does, and look at the passages."""

import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from warmer.errors import IngestError
from warmer.ingest import Skipped, find_files, split_sections
from warmer.ingest.bounded import read_files
from warmer.ingest.kinds import kind_of
from warmer.passage import Passage

_TESTS = ("tests/", "test/")  # hold documents that are wrong on purpose
_FENCE = re.compile(r"[ \t>]*(?:(?:[-*+]|\d+[.)])[ \t]+)*(`{3,}|~{3,})(.*)")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a folder yields.

    Attributes:
        passages: Its passages.
        left_out: What was left out: a count, a reason and examples.
    """

    passages: list[Passage]
    left_out: list[str]

    def by_kind(self) -> tuple[Counter[str], Counter[str]]:
        """Count files with passages, and passages, by kind."""
        kinds = {passage.source: kind_of(Path(passage.source)) or "text" for passage in self.passages}
        return Counter(kinds.values()), Counter(kinds[passage.source] for passage in self.passages)


def read(folder: Path) -> Reading:
    """Read a folder, each file in a child with limits; passages are not cut to a model's window."""
    skipped, passages = Skipped(), list[Passage]()
    for file, sections in read_files(list(find_files(folder, "docs", skipped, exclude=_TESTS))):
        if isinstance(sections, IngestError):
            skipped.add_unread(sections.reason, str(sections), file.source)
            continue
        found = list(split_sections(sections, file))
        if not found:
            skipped.add("without text", file.source)
        passages += found
    return Reading(passages, list(skipped.lines()))


def is_balanced(text: str) -> bool:
    """Tell whether each fence that opens in a text is closed in it; a rule below a title is no fence."""
    opening = ""
    for above, row in pairwise(["", *text.split("\n")]):
        mark = _FENCE.fullmatch(row)
        if not mark or (not opening and not mark[2].strip() and _is_underline(above, row)):
            continue
        if not opening:
            opening = "" if mark[1][0] == "`" and "`" in mark[2] else mark[1]
        elif mark[1].startswith(opening) and not mark[2].strip():
            opening = ""
    return not opening


def _is_underline(above: str, row: str) -> bool:
    is_as_long = len(above.rstrip()) == len(row.rstrip()) > len("```")
    return is_as_long and any(map(str.isalnum, above)) and not above[: len(row) - len(row.lstrip())].strip()
