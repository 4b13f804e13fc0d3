"""Patterns of a `.gitignore`, matched as git does: byte by byte, by the rules of its wildmatch."""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass

_CLASSES = {
    "alnum": b"0-9A-Za-z",
    "alpha": b"A-Za-z",
    "blank": rb" \t",
    "cntrl": rb"\x00-\x1f\x7f",
    "digit": b"0-9",
    "graph": rb"!-~",
    "lower": b"a-z",
    "print": rb"\x20-~",
    "punct": rb"!-/:-@\[-`{-~",
    "space": rb"\t-\r\x20",
    "upper": b"A-Z",
    "xdigit": b"0-9A-Fa-f",
}
_STAR = b"*"
_SPECIAL = re.compile(rb"[*?\[\\]")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern.

    Attributes:
        regex: Matches the names that it means, relative to its folder; None if it means none.
        negated: Whether it takes back what patterns before it match.
        folders_only: Whether it means only folders.
        by_path: Whether it is about the path below its folder rather than about a name anywhere.
    """

    regex: re.Pattern[bytes] | None
    negated: bool
    folders_only: bool
    by_path: bool


class PatternList:
    """Patterns in the order of a file; the last that matches decides."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self.patterns = [pattern for line in lines if (pattern := parse_pattern(line))]

    def verdict(self, name: str, *, is_folder: bool) -> bool | None:
        """Tell whether a path, relative to the patterns' folder, is matched (True), taken back (False), or neither."""
        path = os.fsencode(name)
        base = path.rpartition(b"/")[2]
        for pattern in reversed(self.patterns):
            is_meant = pattern.regex and (is_folder or not pattern.folders_only)
            if is_meant and pattern.regex.match(path if pattern.by_path else base):  # type: ignore[union-attr]
                return not pattern.negated
        return None


def read_patterns(data: bytes) -> PatternList:
    """Read the patterns of a file."""
    lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    return PatternList(line.removesuffix(b"\r") for line in lines)


def parse_pattern(line: bytes) -> Pattern | None:
    """Parse a line; None for blank lines and comments."""
    if line.startswith(b"#"):
        return None
    pattern = _without_trailing_spaces(line)
    negated = pattern.startswith(b"!")
    pattern = pattern[negated:]
    folders_only = pattern.endswith(b"/")
    pattern = pattern[:-1] if folders_only else pattern
    if not pattern:
        return Pattern(None, negated, folders_only, by_path=False) if negated or folders_only else None
    by_path = b"/" in pattern
    regex = _translate(pattern.removeprefix(b"/") if by_path else pattern, by_path=by_path)
    return Pattern(regex, negated, folders_only, by_path)


def _without_trailing_spaces(line: bytes) -> bytes:
    """Drop the spaces at the end that no backslash stands before; a backslash at the very end keeps them all."""
    end = at = 0
    while at < len(line):
        if line[at : at + 1] == b"\\":
            at += 1
            if at == len(line):
                return line
            end = at + 1
        elif line[at : at + 1] != b" ":
            end = at + 1
        at += 1
    return line[:end]


def _translate(pattern: bytes, *, by_path: bool) -> re.Pattern[bytes] | None:
    """Translate a pattern into a regular expression; None if it matches nothing, as with a class that is not closed.

    What follows a star is matched where it comes first: if it is not right there, it is right nowhere. This keeps a
    pattern with many stars from trying them in all combinations.
    """
    parts: list[bytes] = []
    open_star = b""
    fixed: list[bytes] = []
    at = 0
    while at < len(pattern):
        character = pattern[at : at + 1]
        if character == _STAR:
            star, at = _star(pattern, at, by_path=by_path)
            parts.append(_segment(open_star, fixed, last=False))
            open_star, fixed = star, []
            continue
        element, at = _element(pattern, at)
        if not element:
            return None
        fixed.append(element)
    parts.append(_segment(open_star, fixed, last=True))
    try:
        return re.compile(b"".join(parts) + rb"\Z", re.DOTALL)
    except re.error:
        return None


def _segment(star: bytes, fixed: list[bytes], *, last: bool) -> bytes:
    text = b"".join(fixed)
    if star != b"[^/]*" or last or not text:
        return star + text
    return b"(?>[^/]*?" + text + b")"


def _star(pattern: bytes, at: int, *, by_path: bool) -> tuple[bytes, int]:
    end = at
    while pattern[end : end + 1] == _STAR:
        end += 1
    # Git compares what stands before the first special character by itself, and the stars then come first.
    before = pattern[at - 1 : at] == b"/" or not _SPECIAL.search(pattern, 0, at)
    after = pattern[end : end + 1]
    if by_path and end - at > 1 and before and (not after or after == b"/" or pattern[end : end + 2] == b"\\/"):
        if after == b"/":
            return b"(?:.*/)?", end + 1
        return b".*", end
    return b"[^/]*", end


def _element(pattern: bytes, at: int) -> tuple[bytes, int]:
    """Translate one element, and return where the next begins; empty if the pattern is malformed."""
    character = pattern[at : at + 1]
    if character == b"?":
        return b"[^/]", at + 1
    if character == b"[":
        return _class(pattern, at + 1)
    if character == b"\\":
        return re.escape(pattern[at + 1 : at + 2]), at + 2
    return re.escape(character), at + 1


def _class(pattern: bytes, at: int) -> tuple[bytes, int]:
    """Translate a class such as `[!a-z[:digit:]]`, whose `[` lies before `at`."""
    negated = pattern[at : at + 1] in {b"!", b"^"}
    at += negated
    members: list[bytes] = []
    previous = b""
    first = True
    while first or pattern[at : at + 1] != b"]":
        first = False
        character = pattern[at : at + 1]
        if character == b"[" and pattern[at + 1 : at + 2] == b":" and (close := pattern.find(b"]", at + 2)) >= 0:
            if pattern[close - 1 : close] == b":" and close - 1 >= at + 2:
                name = pattern[at + 2 : close - 1].decode("latin-1")
                if name not in _CLASSES:
                    return b"", at
                members.append(_CLASSES[name])
                previous, at = b"", close + 1
                continue
        elif character == b"[" and pattern[at + 1 : at + 2] == b":":
            return b"", at
        is_range = character == b"-" and previous and pattern[at + 1 : at + 2] not in {b"", b"]"}
        at += bool(is_range)
        character = pattern[at : at + 1]
        at += character == b"\\"
        character = pattern[at : at + 1]
        if not character:
            return b"", at
        if is_range:
            members.append(re.escape(previous) + b"-" + re.escape(character) if previous <= character else b"")
        else:
            members.append(re.escape(character))
        previous = b"" if is_range else character
        at += 1
    inner = b"".join(members)
    if negated:
        return (b"(?!/)[^" + inner + b"]" if inner else b"[^/]"), at + 1
    return (b"(?!/)[" + inner + b"]" if inner else b""), at + 1
