"""How much of a collection is code, and which values a filter can name, told from some of its passages."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

SAMPLE = 200  # passages that are looked at
_MOST = 10  # values of a field that are told
_LONGEST = 60  # characters of a value
_OWN = {"text", "title", "line", "page"}  # of Warmer's own passages
_WORD = re.compile(r"\w+")
_MARK = re.compile(r"[_=(){}\[\]<>;]|[a-z][A-Z]|->|::")


def code_marks(texts: Iterable[str]) -> float:
    """Count the marks of code a word in the median of some passages: prose has 0 to 0.1, code 0.4 to 1.2."""
    counts = [len(_MARK.findall(text)) / max(len(_WORD.findall(text)), 1) for text in texts]
    return float(np.median(counts)) if counts else 0.0


def few_values(payloads: Sequence[Mapping[str, Any]]) -> dict[str, list[str | int | bool]]:
    """List the values of those fields that have at most ten different ones, none of them long.

    A field with a value of its own for each of several passages tells nothing, and is left out; so are the fields that
    hold the passage itself.
    """
    values: dict[str, set[str | int | bool]] = {}
    for payload in payloads:
        for name, value in payload.items():
            several = value if isinstance(value, list) else [value]
            plain = (one for one in several if isinstance(one, str | int | bool) and one != "")
            if name not in _OWN:
                values.setdefault(name, set()).update(plain)
    return {
        name: sorted(found, key=str)
        for name, found in sorted(values.items())
        if found
        and len(found) <= _MOST
        and len(found) < max(2, len(payloads))
        and max(len(str(one)) for one in found) <= _LONGEST
    }
