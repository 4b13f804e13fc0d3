"""Neutralise untrusted text: nothing in it controls a terminal, is invisible, or reorders the text around it.

All line ends become line feeds. Control characters become U+FFFD, to show that they were there. Invisible characters
(zero width, direction marks, tags, plane 14) are removed, so that a model reads what a person sees.
"""

import re
from typing import Any

_LINE_ENDS = "\r\v\f\x1c-\x1e\x85\u2028\u2029"
_CONTROLS = "\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufff9-\ufffb"
_INVISIBLE = "\xad\u034f\u061c\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e0fff"
# Persian, Indic scripts and emoji need single joiners between letters; elsewhere joiners do nothing.
_JOINERS, _JOINABLE = "\u200c\u200d", "[^\x00-\u02ff\u2000-\u206f\ufffd]"

_SUSPECT = re.compile(f"[{_LINE_ENDS}{_CONTROLS}{_INVISIBLE}{_JOINERS}]")  # one character class; alternatives are slow
_REPLACEMENTS = [
    (re.compile(f"\r\n|[{_LINE_ENDS}]"), "\n"),
    (re.compile(f"[{_CONTROLS}]"), "\ufffd"),
    (re.compile(f"[{_INVISIBLE}]"), ""),
    (re.compile(f"(?<!{_JOINABLE})[{_JOINERS}]|[{_JOINERS}](?!{_JOINABLE})"), ""),
]
_MAX_ERROR_LENGTH = 2000


def sanitize(text: str) -> str:
    """Neutralise a text; keep its lines and tabs."""
    if _SUSPECT.search(text):
        for pattern, replacement in _REPLACEMENTS:
            text = pattern.sub(replacement, text)
    return text


def sanitize_json(value: Any) -> Any:  # noqa: ANN401  any JSON
    """Neutralise every string in a JSON value, including keys."""
    if isinstance(value, str):
        return sanitize(value)
    if isinstance(value, dict):
        return {sanitize(key): sanitize_json(item) for key, item in value.items()}
    return [sanitize_json(item) for item in value] if isinstance(value, list) else value


def one_line(text: str) -> str:
    """Neutralise a text and join its lines, for a terminal or a log."""
    return sanitize(text).replace("\n", " ").replace("\t", " ")


def error_text(text: str) -> str:
    """Neutralise the text of an error and cut it after 2,000 characters."""
    text = sanitize(text)
    return text if len(text) <= _MAX_ERROR_LENGTH else text[:_MAX_ERROR_LENGTH].rstrip() + " …"
