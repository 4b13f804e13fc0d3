"""Collect nested blocks of text as lines with their line numbers in the document."""

import re

_TIGHT = ({"li"}, {"tr"}, {"dt", "dd"})  # blocks that follow each other without an empty line
_MARKERS = {"li": "- "}
_WHITE_SPACE = re.compile(r"[ \t\r\n\f]+")


class LineCollector:
    """Collects lines from the text of nested blocks."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._numbers: list[int] = []
        self._blocks: list[str] = []
        self._text: list[str] = []
        self._number = 1
        self._marker = ""
        self._last_block = ""

    def open_block(self, block: str, number: int) -> None:
        """Open a block, such as `p`, at a line of the document."""
        self._flush()
        self._blocks.append(block)
        self._number = number
        self._marker = _MARKERS.get(block, self._marker)

    def close_block(self) -> None:
        """Close the innermost block."""
        self._flush()
        if self._blocks:
            self._blocks.pop()

    def add_text(self, text: str, *, verbatim: bool = False) -> None:
        """Add text; white space is collapsed unless it is verbatim or in a `pre`."""
        text = text.replace("\xa0", " ")
        self._text.append(text if verbatim or "pre" in self._blocks else _WHITE_SPACE.sub(" ", text))

    def add_cell(self) -> None:
        """Start the next cell of a table row."""
        if any(text.strip() for text in self._text):
            self._text.append(" | ")

    def take(self, number: int) -> tuple[str, list[int]]:
        """Return the text so far with the line number of each line, and start over at line `number`."""
        self._flush()
        text, numbers = "\n".join(self._lines), self._numbers or [self._number]
        self._lines, self._numbers, self._last_block, self._number = [], [], "", number
        return text, numbers

    def _flush(self) -> None:
        raw, self._text = "".join(self._text), []
        if not raw.strip():
            return
        block = "li" if self._marker else self._blocks[-1] if self._blocks else ""
        verbatim = "pre" in self._blocks
        skipped = len(raw) - len(raw.lstrip("\n"))
        rows = raw.rstrip().lstrip("\n").split("\n") if verbatim else [row.strip() for row in raw.strip().split("\n")]
        if self._lines and not any({block, self._last_block} <= tight for tight in _TIGHT):
            self._append("", self._number)
        for row, text in enumerate(rows):
            self._append((self._marker if row == 0 else "") + text, self._number + verbatim * (skipped + row))
        self._marker, self._last_block = "", block

    def _append(self, line: str, number: int) -> None:
        self._lines.append(line)
        self._numbers.append(number)
