"""Split AsciiDoc into sections."""

import re
from collections.abc import Iterator

from warmer.ingest.rows import Rows
from warmer.ingest.section import Section

_HEADING = re.compile(r"(?P<marks>={1,6}|#{1,6})[ \t]+(?P<title>\S.*?)(?:[ \t]+(?P=marks))?[ \t]*")
_UNDERLINES = {"=": 1, "-": 2, "~": 3, "^": 4, "+": 5}
_AUTHOR_OR_REVISION = re.compile(r"[^\W\d][^<>\n]*<[^\s<>]+>;?.*|v?\d[\w.-]*,.*|v\d[\w.]*|:!?[\w-]+!?:.*")
_VERBATIM = re.compile(r"(?P<mark>-{4,}|\.{4,}|`{3,})(?P<language>\w*)[ \t]*")
_COMMENT = re.compile(r"/{4,}[ \t]*")
_TABLE = re.compile(r"[|,:!]={3,}[ \t]*")
_DELIMITER = re.compile(r"(?:={4,}|\*{4,}|_{4,}|\+{4,}|--)[ \t]*")
_ATTRIBUTES = re.compile(r"\[(?:\[.*\]|[^\[\]]*)\][ \t]*")
_LANGUAGE = re.compile(r"\[(?:source)?[%\w]*,[ \t]*(?:language=)?\"?(?P<language>[\w+#-]+)")
_ADMONITION = re.compile(r"\[(?P<name>NOTE|TIP|IMPORTANT|CAUTION|WARNING)[\],]")
_SILENT = re.compile(r"//(?!/).*|:!?[\w-]+!?:(?:[ \t].*)?|(?:include|ifdef|ifndef|ifeval|endif|toc|video|audio)::.*")
_MACRO = re.compile(
    r"image::?[^\s\[]*\[\"?(?P<alt>[^\],\"]*)[^\]]*\]|(?:link|xref|mailto|kbd|btn|menu|pass|footnote)::?(?P<to>[^\s\[]*)"
    r"\[(?P<text>[^\]]*)\]|(?P<url>https?://[^\s\[]+)\[(?P<label>[^\]]+)\]"
    r"|<<(?P<id>[^,>]*)(?:,[ \t]*(?P<name>[^>]*))?>>|\[\[[^\]]*\]\]"
)


def asciidoc_sections(text: str, name: str = "") -> Iterator[Section]:
    """Split AsciiDoc at its section titles; listings become fenced code, attributes and comments are dropped."""
    return _Reader(text).read().sections(name)


class _Reader:
    def __init__(self, text: str) -> None:
        self._source = text.split("\n")
        self._rows = Rows()
        self._language = ""

    def read(self) -> Rows:
        at = 0
        while at < len(self._source):
            at = self._read_at(at)
        return self._rows

    def _read_at(self, at: int) -> int:
        """Read what begins at a row; returns the row after it."""
        row = self._source[at]
        below = self._source[at + 1] if at + 1 < len(self._source) else ""
        if verbatim := _VERBATIM.fullmatch(row):
            return self._verbatim(at, verbatim["mark"], verbatim["language"] or self._language)
        if _COMMENT.fullmatch(row):
            return self._end(at, row)
        if _TABLE.fullmatch(row):
            return self._table(at)
        if heading := _HEADING.fullmatch(row):
            self._rows.add_heading(len(heading["marks"]), _plain(heading["title"]), at + 1)
            if len(heading["marks"]) == 1:
                return self._header(at + 1)
        elif level := _underlined(row, below):
            self._rows.add_heading(level, _plain(row), at + 1)
            return at + 2
        else:
            self._text(row, at + 1)
        return at + 1

    def _header(self, at: int) -> int:
        """Skip the author and the revision below a document's title."""
        while at < len(self._source) and _AUTHOR_OR_REVISION.fullmatch(self._source[at]):
            self._rows.add("", at + 1)
            at += 1
        return at

    def _text(self, row: str, number: int) -> None:
        if language := _LANGUAGE.match(row):
            self._language = language["language"]
        elif admonition := _ADMONITION.match(row):
            self._rows.add(f"{admonition['name'].capitalize()}:", number)
        elif _SILENT.fullmatch(row) or _DELIMITER.fullmatch(row) or _ATTRIBUTES.fullmatch(row) or row.strip() == "+":
            self._rows.add("", number)
        elif re.match(r"\.[^\s.]", row):
            self._rows.add(f"{_plain(row[1:])}:", number)
        else:
            self._rows.add(_plain(row), number)

    def _verbatim(self, at: int, mark: str, language: str) -> int:
        end = self._end(at, mark)
        rows = self._source[at + 1 : end - 1]
        fence = "````" if any("```" in row for row in rows) else "```"
        for row, text in enumerate([fence + language, *rows, fence]):
            self._rows.add(
                re.sub(r"[ \t]*(?://|#|;;)?[ \t]*<\.>|[ \t]*(?://|#|;;)?[ \t]*<\d+>[ \t]*$", "", text), at + row + 1
            )
        self._language = ""
        return end

    def _table(self, at: int) -> int:
        end = self._end(at, self._source[at].rstrip())
        cells: list[str] = []
        width = 0
        for row in range(at + 1, end):
            text = self._source[row].strip() if row < end - 1 else ""
            found = re.split(r"(?:^|\s)(?:\d*[.+*]*[<^>]*[aehlmsdv]?)\|", _plain(text)) if "|" in text else []
            if len(found) > 2 and cells and not width:  # noqa: PLR2004
                width = self._row(cells, width, row)
                cells = []
            if found:
                cells += [cell.strip() for cell in found[1:]]
            elif text and cells:
                cells[-1] += f" {_plain(text)}"
            complete = len(cells) >= width if width else (not text or len(found) > 2)  # noqa: PLR2004
            if cells and (complete or row == end - 1):
                width = self._row(cells, width, row + 1)
                cells = []
        self._rows.add("", end)
        return end

    def _row(self, cells: list[str], width: int, number: int) -> int:
        if not width:
            self._rows.add("", number)
        self._rows.add(" | ".join(cells), number)
        if not width and len(cells) > 1:
            self._rows.add(" | ".join(["---"] * len(cells)), number)
        return width or len(cells)

    def _end(self, at: int, mark: str) -> int:
        """Return the row after the one that closes a block, or the end."""
        rows = range(at + 1, len(self._source))
        return next((row + 1 for row in rows if self._source[row].rstrip() == mark.rstrip()), len(self._source) + 1)


def _underlined(row: str, below: str) -> int:
    mark = below[:1]
    is_line = len(below.rstrip()) >= 2 and below.rstrip() == mark * len(below.rstrip())  # noqa: PLR2004
    fits = abs(len(row.rstrip()) - len(below.rstrip())) <= 2  # noqa: PLR2004
    return _UNDERLINES.get(mark, 0) if is_line and fits and row[:1].isalnum() else 0


def _plain(row: str) -> str:
    if "[" not in row and "<<" not in row:
        return row
    return _MACRO.sub(
        lambda found: next(
            (part for part in (found["text"], found["alt"], found["label"], found["name"]) if part),
            found["to"] or found["id"] or "",
        ),
        row,
    )
