"""Split manual pages into sections: roff with the macros of man(7) or mdoc(7)."""

import re
import shlex
from collections.abc import Iterator

from warmer.errors import IngestError
from warmer.ingest.rows import Rows
from warmer.ingest.section import Section

_IS_MANUAL = re.compile(r"^[.'][ \t]*(?:TH|Dd|Dt|SH|Sh|so)\b", re.MULTILINE)
_REQUEST = re.compile(r"[.'][ \t]*(?P<name>\\\"|[\w\\]+)?[ \t]*(?P<rest>.*)")
_ESCAPE = re.compile(
    r"\\(?:\"[^\n]*|f(?:\[[^\]]*\]|\(..|.)|s[-+]?\d{1,2}|m\[[^\]]*\]|\*(?:\[[^\]]*\]|\(..|.)|\((?P<short>..)|\[(?P<long>[^\]]+)\]"
    r"|[hvwlLDNZ]'[^']*'|(?P<one>.))"
)
_CHARACTERS = {
    "aq": "'",
    "dq": '"',
    "lq": "“",
    "rq": "”",
    "oq": "‘",
    "cq": "’",
    "em": "—",
    "en": "–",
    "bu": "•",
    "co": "©",
    "rs": "\\",
    "ha": "^",
    "ti": "~",
    "ga": "`",
    "hy": "-",
    "mi": "-",
    "->": "→",
    "<=": "≤",
    ">=": "≥",
    "la": "<",
    "ra": ">",
    "lB": "[",
    "rB": "]",
}
_ONE = {"-": "-", "e": "\\", " ": " ", "~": " ", "0": " ", "\\": "\\", "'": "'", "`": "`", ".": "."}
_VERBATIM = {"nf": "fi", "EX": "EE", "Bd": "Ed"}
_PARAGRAPHS = {"PP", "P", "LP", "Pp", "sp", "HP", "RS", "RE", "Bl", "El", "TQ", "br"}
_BULLETS = {"•", "·", "*", "o", "-", "+", ""}
_FONTS = {"B", "I", "SM", "SB", "Nm"}
_ALTERNATING = {"BR", "RB", "BI", "IB", "IR", "RI", "OP"}
_SILENT = {
    "TH",
    "Dt",
    "Dd",
    "Os",
    "so",
    "de",
    "ds",
    "nr",
    "ie",
    "el",
    "if",
    "ad",
    "hy",
    "nh",
    "na",
    "ta",
    "ti",
    "in",
    "ft",
    "ig",
    "Bk",
    "Ek",
    "UE",
    "ME",
    "YS",
    "PD",
    "DT",
    "tr",
    "ne",
    "ll",
    "mso",
    "UC",
    "AT",
    "TS",
    "TE",
    "Sm",
    "Rs",
    "Re",
    "fam",
    "als",
}
_QUOTES = {
    "Op": "[]",
    "Oq": "[]",
    "Dq": "“”",
    "Sq": "‘’",
    "Ql": "‘’",
    "Qq": '""',
    "Pq": "()",
    "Aq": "<>",
    "Bq": "[]",
    "Brq": "{}",
}


def man_sections(text: str, name: str = "") -> Iterator[Section]:
    """Split a manual page at its headings; its title is outermost, as "ls(1)".

    Raises:
        IngestError: It is no manual page, as a file `libx.so.1` or `log.1`.
    """
    if not text.strip():
        return iter(())
    if not _IS_MANUAL.search(text):
        raise IngestError("not a manual page", "not a manual page")
    return _Reader().read(text).sections(name)


class _Reader:
    def __init__(self) -> None:
        self._rows = Rows()
        self._until = ""
        self._title = ""
        self._tag = ""

    def read(self, text: str) -> Rows:
        for number, row in enumerate(text.split("\n"), start=1):
            found = _REQUEST.fullmatch(row)
            if self._until and (not found or found["name"] != self._until):
                bare = self._request(found["name"] or "", found["rest"]) if found else _plain(row)
                if bare.strip() or self._rows.rows[-1] != "```":
                    self._rows.add(bare, number)
            elif found:
                self._control(found["name"] or "", found["rest"], number)
            else:
                self._text(_plain(row), number)
        if self._until:
            self._rows.add("```", len(self._rows.rows))
        return self._rows

    def _control(self, name: str, rest: str, number: int) -> None:
        if name == self._until:
            while self._rows.rows and not self._rows.rows[-1].strip():
                self._rows.rows.pop()
                self._rows.numbers.pop()
            self._rows.add("```", number)
            self._until = ""
        elif name in _VERBATIM and ("-" not in rest or "literal" in rest or "unfilled" in rest):
            self._rows.add("```", number)
            self._until = _VERBATIM[name]
        elif name in {"TH", "Dt"} and len(words := _words(rest)) > 1:
            self._rows.add_heading(1, f"{_plain(words[0]).lower()}({_plain(words[1])})", number)
        elif name in {"SH", "Sh", "SS", "Ss"}:
            self._rows.add_heading(
                2 if name in {"SH", "Sh"} else 3, _plain(" ".join(_words(rest))).capitalize(), number
            )
        elif name in {"TP", "IP", "It"}:
            self._rows.add("", number)
            self._tag = name
            if name == "IP" and rest:
                self._item(_plain(_words(rest)[0]), number)
            elif name == "It" and rest:
                self._text(_mdoc(_words(rest)), number)
        elif name in _PARAGRAPHS:
            self._rows.add("", number)
        else:
            self._text(self._request(name, rest), number)

    def _request(self, name: str, rest: str) -> str:
        rest = re.sub(r"(^|\s)Ar(?=\s*$)", r"\1Ar file ...", rest)
        if not name or name in _SILENT or name.startswith("\\"):
            return ""
        words = _words(rest)
        if name == "Nm":
            words = words or [self._title]
            self._title = self._title or words[0]
        if name in _FONTS or name in _ALTERNATING:
            return _plain(("" if name in _ALTERNATING and name != "OP" else " ").join(words))
        if name in {"UR", "MT", "Nd"}:
            return ("— " if name == "Nd" else "") + _plain(rest)
        return _mdoc([name, *words])

    def _item(self, tag: str, number: int) -> None:
        """Begin an item; a tag that is only a bullet is the item's mark."""
        if tag.strip() not in _BULLETS:
            self._text(tag, number)

    def _text(self, text: str, number: int) -> None:
        if text.strip():
            self._rows.add(f"- {text}" if self._tag else text, number)
            self._tag = ""


def _words(rest: str) -> list[str]:
    lexer = shlex.shlex(rest.replace('""', ""), posix=True, punctuation_chars=False)
    lexer.whitespace_split, lexer.commenters, lexer.quotes, lexer.escape = True, "", '"', ""
    try:
        return list(lexer)
    except ValueError:
        return rest.replace('"', "").split()


def _mdoc(words: list[str]) -> str:
    """Write a line of mdoc macros as text: flags with their hyphen, what is optional in brackets."""
    parts: list[str] = []
    closing: list[str] = []
    flag = reference = False
    for word in words:
        if word in _QUOTES:
            parts.append("\0" + _QUOTES[word][0])
            closing.append(_QUOTES[word][1])
        elif re.fullmatch(r"[A-Z][a-z]{1,2}", word) and word not in {"The", "A"}:
            flag, reference = word == "Fl", word == "Xr"
        else:
            parts.append(
                f"-{_plain(word)}"
                if flag
                else f"({_plain(word)})\1"
                if reference and parts and word.isdigit()
                else _plain(word)
            )
            flag = False
    text = " ".join(parts) + "".join(reversed(closing))
    return re.sub(r"\0(.) ", r"\1", re.sub(r" \((\w+)\)\1?\x01", r"(\1)", text)).replace("\0", "").replace("\x01", "")


def _plain(text: str) -> str:
    return _ESCAPE.sub(_character, text) if "\\" in text else text


def _character(found: re.Match[str]) -> str:
    if name := found["short"] or found["long"]:
        return _CHARACTERS.get(name, "")
    return _ONE.get(found["one"] or "", "")
