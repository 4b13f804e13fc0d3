"""Text that others wrote, made plain: nothing in it acts on a terminal, hides, or turns what stands beside it around.

Line ends of all kinds become line feeds. Control characters become U+FFFD, so that it shows that something was there.
Invisible ones (zero width, direction, tags, plane 14) go, so that what a model reads is what a person sees.
"""

import re
from typing import Any

_BREAKS = "\r\v\f\x1c-\x1e\x85\u2028\u2029"
_ACTING = "\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufff9-\ufffb"
_HIDDEN = "\xad\u034f\u061c\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e0fff"
# Persian, Indic scripts and emoji are written with single joiners; elsewhere they have nothing to join.
_JOINERS, _JOINED = "\u200c\u200d", "[^\x00-\u02ff\u2000-\u206f\ufffd]"

_SUSPECT = re.compile(f"[{_BREAKS}{_ACTING}{_HIDDEN}{_JOINERS}]")  # one class; a choice of several is slow
_STEPS = [
    (re.compile(f"\r\n|[{_BREAKS}]"), "\n"),
    (re.compile(f"[{_ACTING}]"), "\ufffd"),
    (re.compile(f"[{_HIDDEN}]"), ""),
    (re.compile(f"(?<!{_JOINED})[{_JOINERS}]|[{_JOINERS}](?!{_JOINED})"), ""),
]
_MESSAGE = 2000


def sanitize(text: str) -> str:
    """Make a text plain; line ends and tabs stay."""
    if _SUSPECT.search(text):
        for pattern, by in _STEPS:
            text = pattern.sub(by, text)
    return text


def sanitize_json(value: Any) -> Any:  # noqa: ANN401  any JSON
    """Make every text in a JSON value plain, names of fields too."""
    if isinstance(value, str):
        return sanitize(value)
    if isinstance(value, dict):
        return {sanitize(name): sanitize_json(one) for name, one in value.items()}
    return [sanitize_json(one) for one in value] if isinstance(value, list) else value


def one_line(text: str) -> str:
    """Make a text plain and put it on one line, for a terminal or a log."""
    return sanitize(text).replace("\n", " ").replace("\t", " ")


def error_text(text: str) -> str:
    """Make the text of an error plain and short enough: 2,000 characters at most."""
    text = sanitize(text)
    return text if len(text) <= _MESSAGE else text[:_MESSAGE].rstrip() + " …"
