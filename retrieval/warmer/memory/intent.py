"""Whether two questions ask for the same, as far as their words tell."""

from warmer.index.bm25 import query_words

_PREFIXES = ("un", "dis", "de", "non", "in", "im", "ir", "re")
_OPPOSED = 4  # letters of a word at least, for a prefix to turn its sense


def are_twins(one: str, other: str) -> bool:
    """Tell whether two questions are alike but for what they ask: their vectors are close, and their answers differ.

    Those are questions of which each has one word that the other lacks, as in "Qdrant on AWS" and "Qdrant on Azure",
    and those in which a prefix turns a word, as in "install" and "uninstall".
    """
    words, others = set(query_words(one).indices), set(query_words(other).indices)
    if words & others and len(words - others) == len(others - words) == 1:
        return True
    return _turned(one, other) or _turned(other, one)


def same_words(one: str, other: str) -> bool:
    """Tell whether two questions have the same words, in whatever order and inflection."""
    words = set(query_words(one).indices)
    return bool(words) and words == set(query_words(other).indices)


def _turned(one: str, other: str) -> bool:
    words, others = set(one.lower().split()), set(other.lower().split())
    own = {word.strip(".,;:?!") for word in words - others}
    return any(prefix + word in own for word in others - words if len(word) >= _OPPOSED for prefix in _PREFIXES)
