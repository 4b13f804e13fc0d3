"""Collect nested blocks of text as lines with their line numbers in the document."""

import re

_TIGHT = ({"li"}, {"tr"}, {"dt", "dd"})  # blocks that follow each other without an empty line
_MARKERS = {"li": "- "}
_WHITE_SPACE = re.compile(r"[ \t\r\n\f]+")
_TICKS = re.compile(r"^[ \t]*(`{3,})", re.MULTILINE)


class LineCollector:
    """Collects lines from the text of nested blocks."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._numbers: list[int] = []
        self._blocks: list[str] = []
        self._text: list[str] = []
        self._number = 1
        self._line = 1
        self._marker = ""
        self._last_block = ""
        self._is_header = False

    def go_to(self, line: int) -> None:
        """Say at which line of the document the next text begins."""
        self._line = line

    def open_block(self, block: str, number: int) -> None:
        """Open a block, such as `p`, at a line of the document; in a row of a table it is a space."""
        self._line = number
        if "tr" in self._blocks:
            self._text.append(" ")
        else:
            self._flush()
            self._number = number
            self._marker = _MARKERS.get(block, self._marker)
            self._is_header = self._is_header or block == "table"
        self._blocks.append(block)

    def close_block(self) -> None:
        """Close the innermost block."""
        if self._blocks.count("tr") > (self._blocks[-1:] == ["tr"]):
            self._text.append(" ")
        else:
            self._flush()
        if self._blocks:
            self._blocks.pop()

    def add_text(self, text: str, *, verbatim: bool = False) -> None:
        """Add text; white space is collapsed unless it is verbatim."""
        text = text.replace("\xa0", " ")
        if not verbatim:
            blank = text[: len(text) - len(text.lstrip())].count("\n")
            if text.strip() and "tr" not in self._blocks and not any(map(str.strip, self._text)):
                self._number = self._line + blank
            self._line += text.count("\n")
        self._text.append(text if verbatim and "tr" not in self._blocks else _WHITE_SPACE.sub(" ", text))

    def add_code(self, code: str, language: str, number: int) -> None:
        """Add code that begins at a line of the document, between fences."""
        if "tr" in self._blocks:
            self._text.append(f" {_WHITE_SPACE.sub(' ', code)} ")
            return
        self._flush()
        self._number = number
        rows = code.rstrip().split("\n")
        skipped = next((row for row, text in enumerate(rows) if text.strip()), len(rows))
        if skipped == len(rows):
            return
        self._separate("pre")
        fence = max(["```", *(ticks + "`" for ticks in _TICKS.findall(code))], key=len)
        self._append(fence + language, number + skipped)
        for row in range(skipped, len(rows)):
            self._append(rows[row], number + row)
        self._append(fence, number + len(rows) - 1)

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
        self._separate(block)
        for row, text in enumerate(row.strip() for row in raw.strip().split("\n")):
            self._append((self._marker if row == 0 else "") + _WHITE_SPACE.sub(" ", text), self._number)
        self._marker = ""
        if block == "tr" and self._is_header:
            self._is_header = False
            if columns := raw.count(" | "):
                self._append(" | ".join(["---"] * (columns + 1)), self._number)

    def _separate(self, block: str) -> None:
        if self._lines and not any({block, self._last_block} <= tight for tight in _TIGHT):
            self._append("", self._number)
        self._last_block = block

    def _append(self, line: str, number: int) -> None:
        self._lines.append(line)
        self._numbers.append(number)
