"""Whether two questions ask for the same, as far as their words tell."""

import re

from warmer.index.bm25 import query_words

_PREFIXES = ("un", "dis", "de", "non", "in", "im", "ir", "re")
_OPPOSED = 4  # letters of a word at least, for a prefix to turn its sense
_ASKING = frozenset(  # at the beginning
    (
        "how",
        "to",
        "do",
        "does",
        "did",
        "can",
        "could",
        "should",
        "would",
        "i",
        "we",
        "you",
        "what",
        "which",
        "is",
        "are",
    )
)
_ARTICLES = frozenset(("the", "a", "an"))
_PUNCTUATION = frozenset(".,;:?!'\"()[]{}`/")


def are_twins(one: str, other: str) -> bool:
    """Tell whether two questions are alike but for what they ask: their vectors are close, and their answers differ.

    Those are questions of which each has one word that the other lacks, as in "Qdrant on AWS" and "Qdrant on Azure",
    those in which a prefix turns a word, as in "install" and "uninstall", and those with the same words that differ in
    their order, in small words or in signs, as in "JSON to YAML" and "YAML to JSON", "on" and "off", "C" and "C++".
    """
    words, others = _content(one), _content(other)
    if words & others and len(words - others) == len(others - words) == 1:
        return True
    if words == others and _sequence(one) != _sequence(other):
        return True
    return _turned(one, other) or _turned(other, one)


def same_words(one: str, other: str) -> bool:
    """Tell whether two questions have the same words in the same order, in whatever inflection."""
    words = _sequence(one)
    return bool(words) and words == _sequence(other)


def _content(text: str) -> set[int]:
    return set(query_words(text).indices)


def _sequence(text: str) -> list[int | str]:
    """List the words, by their stems, and the signs; without articles, and without how a question begins."""
    tokens = [token for token in re.findall(r"\w+|[^\w\s]+", text.lower()) if not set(token) <= _PUNCTUATION]
    begins = next((n for n, token in enumerate(tokens) if token not in _ASKING), len(tokens))
    words = [token for token in tokens[begins:] if token not in _ARTICLES]
    return [next(iter(query_words(word).indices), word) for word in words]


def _turned(one: str, other: str) -> bool:
    words, others = (set(re.findall(r"\w+", text.lower())) for text in (one, other))
    own = words - others
    return any(prefix + word in own for word in others - words if len(word) >= _OPPOSED for prefix in _PREFIXES)
