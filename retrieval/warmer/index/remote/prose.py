"""What reads like a text, and what is an id, a hash, a date, a path, an address or a MIME type."""

import re
from collections.abc import Sequence

_SPOKEN = 2  # words of a text at least
_MOST = 400  # words that are counted
_UNSPACED = r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"
_WORD = re.compile(rf"{_UNSPACED}{{2}}|[^\W\d_{_UNSPACED[1:-1]}]{{2,}}|\b[^\W\d_]\b")
_LABEL = re.compile(
    r"""
    [\W\d_]*                                                              # numbers, dates in digits
    | \{?[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\}?                 # UUIDs
    | (?:sha\d+|md5)[:-]\S+ | (?=\S*\d)[0-9a-f]{12,}                      # hashes
    | \d{4}-\d\d?-\d\d?[T ]?\S*(?:\s?[A-Z+-]\S*)?                         # dates
    | (?:(?:mon|tue|wed|thu|fri|sat|sun)\w*,?\ )?(?:\d+\ )?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*
      \.?(?:[\ ,]+\d[\d:.,]*)*(?:\ \S{1,6})?(?:\ \d{4})?
    | [a-z][\w+.-]*://\S+ | (?:urn|doi|mailto|data):\S+ | www\.\S+        # addresses
    | (?:[^<>@]{0,60}<)?[\w.+-]+@[\w-]+\.[\w.-]+>?
    | (?:application|audio|font|image|message|model|multipart|text|video)/[\w.+-]+(?:;.*)?      # MIME types
    | (?:[a-z]:\\|\\\\|~?/|\.{1,2}/)[^\n?!]*                              # paths
    | [^\s/]+(?:/[^\s/]+)+/?
    | (?:[\w .()@+-]+[/\\])*[\w .()@+-]*\w\.[a-z]\w{0,5}                  # files
    | [A-Za-z0-9+/_=-]{40,}                                               # Base64, keys
    """,
    re.VERBOSE | re.IGNORECASE,
)
_FILE_WORDS = 8  # of a file's name at most
_LONGEST_LABEL = 300
_ADDRESS = re.compile(r"[a-z][\w+.-]*://\S+|\S*[/\\]\S*|.*\w\.\w{1,6}", re.IGNORECASE)


def is_label(text: str) -> bool:
    """Tell whether a string is an id, a hash, a date, a path, an address, a MIME type or a number."""
    if len(text) > _LONGEST_LABEL:
        return " " not in text[:_LONGEST_LABEL] and not count_words(text) >= _FILE_WORDS
    return bool(_LABEL.fullmatch(text.strip())) and len(text.split()) <= _FILE_WORDS


def is_address(text: str) -> bool:
    """Tell whether a string can be where a document is: a path, a file's name or a URL."""
    return len(text) <= _LONGEST_LABEL and bool(_ADDRESS.fullmatch(text.strip()))


def count_words(text: str) -> int:
    """Count the words of a text, two characters for one where none are between spaces; 400 at most."""
    return min(len(_WORD.findall(text[: _MOST * 12])), _MOST)


def mostly_labels(texts: Sequence[str]) -> bool:
    """Tell whether most of some strings are no texts."""
    return 2 * sum(map(is_label, texts)) > len(texts)


def prose(texts: Sequence[str]) -> float:
    """Say how much the values of a field read like texts: words of the mean one, 0 where they are none.

    What is the same from point to point counts a tenth.
    """
    if not texts or mostly_labels(texts):
        return 0.0
    words = sum(map(count_words, texts)) / len(texts)
    differing = len(set(texts)) > max(1, len(texts) // 3) or len(texts) == 1
    return 0.0 if words < _SPOKEN else words if differing else words / 10
