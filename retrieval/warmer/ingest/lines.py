"""Blocks of text as lines that know where they are from."""

import re

_CLOSE = ({"li"}, {"tr"}, {"dt", "dd"})  # these follow each other without an empty line
_MARK = {"li": "- "}
_SPACE = re.compile(r"[ \t\r\n\f]+")


class Lines:
    """Takes nested blocks with text between their begin and end."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._numbers: list[int] = []
        self._blocks: list[str] = []
        self._text: list[str] = []
        self._number = 1
        self._mark = ""
        self._last = ""

    def begin(self, block: str, number: int) -> None:
        """Begin a block, such as `p`, at a line of the document."""
        self._flush()
        self._blocks.append(block)
        self._number = number
        self._mark = _MARK.get(block, self._mark)

    def end(self) -> None:
        """End the innermost block."""
        self._flush()
        if self._blocks:
            self._blocks.pop()

    def add(self, text: str, *, verbatim: bool = False) -> None:
        """Add text; its white space counts in a block `pre` only."""
        text = text.replace("\xa0", " ")
        self._text.append(text if verbatim or "pre" in self._blocks else _SPACE.sub(" ", text))

    def add_cell(self) -> None:
        """Begin the next cell of a table's row."""
        if any(text.strip() for text in self._text):
            self._text.append(" | ")

    def take(self, number: int) -> tuple[str, list[int]]:
        """Give the text so far and the document's line of each of its lines, and begin anew at a line."""
        self._flush()
        text, numbers = "\n".join(self._lines), self._numbers or [self._number]
        self._lines, self._numbers, self._last, self._number = [], [], "", number
        return text, numbers

    def _flush(self) -> None:
        raw, self._text = "".join(self._text), []
        if not raw.strip():
            return
        block = "li" if self._mark else self._blocks[-1] if self._blocks else ""
        verbatim = "pre" in self._blocks
        skipped = len(raw) - len(raw.lstrip("\n"))
        rows = raw.rstrip().lstrip("\n").split("\n") if verbatim else [row.strip() for row in raw.strip().split("\n")]
        if self._lines and not any({block, self._last} <= close for close in _CLOSE):
            self._put("", self._number)
        for row, text in enumerate(rows):
            self._put((self._mark if row == 0 else "") + text, self._number + verbatim * (skipped + row))
        self._mark, self._last = "", block

    def _put(self, line: str, number: int) -> None:
        self._lines.append(line)
        self._numbers.append(number)
