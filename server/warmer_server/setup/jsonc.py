"""Set a value in JSON with comments, and leave all else as it stands."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_TEXT = r'"(?:[^"\\]|\\.)*"'
_BLANK = re.compile(r"(?:\s|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_STRING = re.compile(_TEXT, re.DOTALL)
_COMMENT = re.compile(rf"({_TEXT})|//[^\n]*|/\*.*?\*/", re.DOTALL)
_TRAILING = re.compile(rf"({_TEXT})|,(?=\s*[\]}}])", re.DOTALL)
_PLAIN = re.compile(r"[^\s,\]}/]+")
_DEFAULT_INDENT = "  "


@dataclass(frozen=True, slots=True)
class _Member:
    key: str
    start: int  # of its value
    end: int


def read(text: str) -> Any:  # noqa: ANN401  any JSON
    """Parse JSON with comments and trailing commas; nothing at all is an empty object.

    Raises:
        ValueError: It is something else.
    """
    bare = _COMMENT.sub(lambda found: found[1] or " ", text.removeprefix("\ufeff"))
    plain = _TRAILING.sub(lambda found: found[1] or "", bare)
    return json.loads(plain) if plain.strip() else {}


def set_value(text: str, path: Sequence[str], value: Any) -> str:  # noqa: ANN401  any JSON
    """Set the value at a path of keys.

    Raises:
        ValueError: The text is not JSON, or what is on the path is no object.
    """
    known = read(text)
    if not isinstance(known, dict):
        raise ValueError("it is not an object")  # noqa: TRY004  the callers know one kind of error
    if _skip(text, text.startswith("\ufeff")) == len(text):
        return f"{text}{json.dumps(_nested(path, value), indent=2, ensure_ascii=False)}\n"
    changed = _set(text, path, value)
    if read(changed) != _with(known, path, value):
        raise ValueError("it is laid out in a way that cannot be edited")
    return changed


def _set(text: str, path: Sequence[str], value: Any) -> str:  # noqa: ANN401
    at = _skip(text, text.startswith("\ufeff"))
    indent = _indent(text)
    for depth, key in enumerate(path):
        members, close = _members(text, at)
        found = next((one for one in reversed(members) if one.key == key), None)
        pad = indent * (depth + 1)
        if found is None:
            return _insert(text, members, close, pad, key, _nested(path[depth + 1 :], value), at, indent)
        if depth == len(path) - 1:
            return text[: found.start] + _dump(value, pad, indent) + text[found.end :]
        at = found.start
        if text[at] != "{":
            raise ValueError(f"{key!r} is not an object")
    return text


def _insert(
    text: str,
    members: Sequence[_Member],
    close: int,
    pad: str,
    key: str,
    value: Any,  # noqa: ANN401
    at: int,
    indent: str,
) -> str:
    """Put a member after the last one, or into an empty object."""
    member = f"{json.dumps(key, ensure_ascii=False)}: {_dump(value, pad, indent)}"
    if not members:
        return f"{text[: at + 1]}\n{pad}{member}{text[at + 1 : close].rstrip()}\n{pad[len(indent) :]}{text[close:]}"
    last = members[-1].end
    return f"{text[:last]},\n{pad}{member}{text[last:]}"


def _dump(value: Any, pad: str, indent: str) -> str:  # noqa: ANN401
    return json.dumps(value, indent=indent, ensure_ascii=False).replace("\n", "\n" + pad)


def _members(text: str, at: int) -> tuple[list[_Member], int]:
    """List the members of the object that begins at a place, and where it ends."""
    members: list[_Member] = []
    here = _skip(text, at + 1)
    while text[here] != "}":
        if text[here] == ",":
            here = _skip(text, here + 1)
            continue
        key_end = _end(text, here)
        start = _skip(text, _skip(text, key_end) + 1)
        end = _end(text, start)
        members.append(_Member(json.loads(text[here:key_end]), start, end))
        here = _skip(text, end)
    return members, here


def _end(text: str, start: int) -> int:
    """Find where the value that begins at a place ends."""
    if text[start] == '"':
        return _match(_STRING, text, start)
    if text[start] not in "{[":
        return _match(_PLAIN, text, start)
    depth, here = 0, start
    while True:
        here = _skip(text, here)
        if text[here] == '"':
            here = _match(_STRING, text, here)
            continue
        depth += (text[here] in "{[") - (text[here] in "}]")
        here += 1
        if depth == 0:
            return here


def _match(pattern: re.Pattern[str], text: str, start: int) -> int:
    found = pattern.match(text, start)
    if not found:
        raise ValueError(f"character {start} cannot be read")
    return found.end()


def _skip(text: str, start: int) -> int:
    return _match(_BLANK, text, start)


def _indent(text: str) -> str:
    found = re.search(r"^([ \t]+)\S", text, re.MULTILINE)
    return found[1] if found else _DEFAULT_INDENT


def _nested(path: Sequence[str], value: Any) -> Any:  # noqa: ANN401
    for key in reversed(path):
        value = {key: value}
    return value


def _with(known: Mapping[str, Any], path: Sequence[str], value: Any) -> Any:  # noqa: ANN401
    if not path:
        return value
    inner = known.get(path[0], {})
    return {**known, path[0]: _with(inner, path[1:], value)}
