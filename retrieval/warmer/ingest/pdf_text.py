"""Mend what typesetting does to text: ligatures, hyphens at line ends, running heads, sentences over page breaks."""

import re
from collections import Counter
from collections.abc import Sequence

_LIGATURES = {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st", "\xad\n": "", "\xad": ""}
_LIGATURE = re.compile("|".join(_LIGATURES))
_HYPHEN = re.compile(r"(\w*[a-zß-öø-ÿ])[-\u2010\u00ad]\n[ \t]*([a-zß-öø-ÿ]\w*)([^\w\s]*)[ \t]*")
_UNFINISHED = re.compile(r"[\w,;(-]$")
_SENTENCE_END = re.compile(r"[.!?:](?=\s|\Z)")
_MIN_PAGES = 3
_EDGE = 2  # rows at the top and at the bottom of a page that may be running heads
_MAX_MOVED = 1000


def clean_pages(pages: Sequence[str]) -> list[str]:
    """Mend the text of the pages of a document; a sentence over a page break stands where it begins."""
    texts = [_LIGATURE.sub(lambda found: _LIGATURES[found[0]], page) for page in pages]
    texts = _without_running_heads(texts)
    compounds = {word.lower() for text in texts for word in re.findall(r"\w+-\w+", text)}
    for number in range(len(texts) - 1):
        texts[number], texts[number + 1] = _join_sentence(texts[number], texts[number + 1])
    return [_HYPHEN.sub(lambda found: _rejoined(found, compounds), text) for text in texts]


def _rejoined(found: re.Match[str], compounds: set[str]) -> str:
    """Write a word that was divided in one piece at the end of the first line; a compound keeps its hyphen."""
    before, after, marks = found.groups()
    hyphen = "-" if f"{before}-{after}".lower() in compounds else ""
    return f"{before}{hyphen}{after}{marks}\n"


def _without_running_heads(pages: list[str]) -> list[str]:
    """Drop first and last rows that most pages have, but for the numbers in them."""
    if len(pages) < _MIN_PAGES:
        return pages
    filled = [[row for row in page.split("\n") if row.strip()] for page in pages]
    edges = Counter(key for rows in filled for key in {_key(row) for row in (*rows[:_EDGE], *rows[-_EDGE:])})
    repeated = {key for key, count in edges.items() if count * 2 > len(pages)}
    return [_trimmed(page, repeated) for page in pages]


def _trimmed(page: str, repeated: set[str]) -> str:
    rows = page.split("\n")
    filled = [row for row, text in enumerate(rows) if text.strip()]
    heads = {row for row in (*filled[:_EDGE], *filled[-_EDGE:]) if _key(rows[row]) in repeated}
    return "\n".join("" if row in heads else text for row, text in enumerate(rows))


def _key(row: str) -> str:
    return re.sub(r"\d+", "0", row.strip())


def _join_sentence(page: str, following: str) -> tuple[str, str]:
    """Move the end of a sentence from the next page to the page where it begins; rows keep their places there."""
    start = len(following) - len(following.lstrip())
    if not _UNFINISHED.search(page.rstrip()) or not following[start : start + 1].islower():
        return page, following
    end = _SENTENCE_END.search(following, start, start + _MAX_MOVED)
    if not end:
        return page, following
    moved = following[start : end.end()]
    left = following[:start] + "\n" * moved.count("\n") + following[end.end() :].lstrip(" ")
    return f"{page.rstrip()}\n{moved}", left
