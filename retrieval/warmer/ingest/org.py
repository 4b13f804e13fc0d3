"""Split Org files into sections."""

import re
from collections.abc import Iterator

from warmer.ingest.rows import Rows
from warmer.ingest.section import Section

_HEADING = re.compile(
    r"(?P<stars>\*+)[ \t]+(?:(?:TODO|DONE|NEXT|WAITING|HOLD|CANCELLED)[ \t]+)?(?:\[#\w\][ \t]+)?"
    r"(?P<title>.*?)(?P<tags>[ \t]+:[\w@#%:]+:)?[ \t]*"
)
_KEYWORD = re.compile(r"[ \t]*#\+(?P<key>[\w-]+)(?:\[.*?\])?:[ \t]*(?P<value>.*)", re.IGNORECASE)
_BEGIN = re.compile(r"[ \t]*#\+begin_(?P<kind>\w+)[ \t]*(?P<language>[\w+#-]*).*", re.IGNORECASE)
_END = re.compile(r"[ \t]*#\+end_(?P<kind>\w+).*", re.IGNORECASE)
_DRAWER = re.compile(r"[ \t]*:[\w-]+:[ \t]*")
_SILENT = re.compile(r"[ \t]*#(?:[ \t].*)?|[ \t]*(?:SCHEDULED|DEADLINE|CLOSED):.*")
_LINK = re.compile(r"\[\[(?P<to>[^\]]*)\](?:\[(?P<text>[^\]]*)\])?\]")
_CODE = {"src", "example", "export"}


def org_sections(text: str, name: str = "") -> Iterator[Section]:
    """Split an Org file at its headlines; source blocks become fenced code, drawers and keywords are dropped."""
    rows = Rows()
    title, tags, level, closing = "", tuple[str, ...](), 1, ""
    in_drawer = False
    for number, row in enumerate(text.split("\n"), start=1):
        if closing:
            is_end = (found := _END.fullmatch(row)) and found["kind"].lower() == closing
            rows.add("```" if is_end else re.sub(r"^,(?=[*#,])", "", row), number)
            closing = "" if is_end else closing
        elif in_drawer or (_DRAWER.fullmatch(row) and row.strip().lower() != ":end:"):
            in_drawer = row.strip().lower() != ":end:"
            rows.add("", number)
        elif (found := _BEGIN.fullmatch(row)) and found["kind"].lower() in _CODE:
            closing = found["kind"].lower()
            rows.add(f"```{found['language'] if closing == 'src' else ''}", number)
        elif found := _HEADING.fullmatch(row):
            rows.add_heading(level + len(found["stars"]) - 1, _plain(found["title"]), number)
        elif found := _KEYWORD.fullmatch(row):
            key = found["key"].lower()
            title = found["value"].strip() if key == "title" else title
            tags = tuple(filter(None, re.split(r"[:\s]+", found["value"]))) if key == "filetags" else tags
            rows.add(f"{_plain(found['value'])}:" if key == "caption" else "", number)
        else:
            silent = _SILENT.fullmatch(row) or _BEGIN.fullmatch(row) or _END.fullmatch(row)
            rows.add("" if silent else _table_rule(_plain(row)), number)
    if title:  # then even the outermost headlines are below it
        rows.headings = [
            type(heading)(heading.level + 1, heading.title, heading.start, heading.end) for heading in rows.headings
        ]
    return rows.sections(title or name, tags)


def _plain(row: str) -> str:
    return _LINK.sub(lambda found: found["text"] or found["to"], row) if "[[" in row else row


def _table_rule(row: str) -> str:
    return row.replace("+", "|") if re.fullmatch(r"[ \t]*\|[-+]+\|?[ \t]*", row) else row
