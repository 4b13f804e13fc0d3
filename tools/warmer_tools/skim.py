"""Hits to skim: what of a passage answers best, in a few characters."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from sentencex import segment

from warmer.index.bm25 import READ, document_words

LIMIT = 200

_CUT = "…"
_MARK = 2  # it takes, with a space
_SMALL = 40  # below that, fragments are crumbs
_KNOWN = 0.4  # what a word is worth that the title has: a sentence that only says the topic again tells nothing
_OPENING, _SENTENCE, _CLAUSE, _WORD = 1.6, 1.15, 1.05, 1.0  # what a window is worth by where it begins
_FINE = 1_000_000
_SHORTEST, _WHOLE = 0.5, 0.7  # of its room, and of its words' weight, that a window keeps to end with a sentence

# Scripts that put no spaces between words: there each pair of neighbouring characters is one.
_DENSE = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_WORDS = re.compile(rf"[^\W_{_DENSE}]{{1,60}}|(?=([{_DENSE}]{{2}}))[{_DENSE}]")
_CLAUSES = re.compile(r"(?<=[,;:|)–—]) |(?<=[、，；：])")  # noqa: RUF001  Chinese punctuation is meant
_RULE = re.compile(r"[-=_~*+]{3,}[-=_~*+|: ]*")  # of a table, under a heading
_CELLS = re.compile(r"(?<=\|)(?: \|)+")  # empty ones
_IS_DENSE = re.compile(f"[{_DENSE}]").match
_JOINER = "\u200d"


def weigh(thread: Iterable[tuple[str, float]]) -> dict[int, float]:
    """Weigh the words that a thread looks for: those of each text share its weight.

    How rare they are is left out. Over the collection it changes one skim in five, and judges none the better; over
    the list, whose words are those of the topic, it is misleading.

    Args:
        thread: The query, rewordings and the hypothetical passage, each with its weight.
    """
    weights: dict[int, float] = {}
    for text, weight in thread:
        keys = _keys(text)
        for key in keys:
            weights[key] = weights.get(key, 0.0) + weight / len(keys)
    return weights


def skim(text: str, terms: Mapping[int, float], limit: int = LIMIT, title: str = "") -> str:
    """Give a passage itself where it is short, otherwise the window that holds most of what is looked for.

    A cut passage is put on one line, without ruled lines, and "…" stands for what is left out. One window is judged
    better than two halves of it; what a passage is about it says at its opening, so a window there has an advantage.

    Args:
        text: The passage; of a book, the first 12,000 characters are looked at.
        terms: The words that are looked for, as `weigh` gives them.
        limit: The characters that the skim has, at most.
        title: What the reader sees beside the skim.
    """
    text = text.strip()
    if len(text) <= limit:
        return text
    passage = _parse(text[:READ], terms, _keys(title))
    whole = len(text) <= READ
    if len(passage.text) + (0 if whole else _MARK) <= limit:
        return passage.text if whole else f"{passage.text} {_CUT}"
    if limit < _SMALL:
        return ended(passage.text, limit)
    begin, end = _window(passage, limit - 2 * _MARK)
    before = f"{_CUT} " if begin else ""
    after = "" if whole and end == len(passage.text) else f" {_CUT}"
    return f"{before}{passage.text[begin:end].strip()}{after}"


class _Found(NamedTuple):
    """A word that is looked for; weights are whole numbers, so that equal sums are equal."""

    start: int
    end: int
    key: int
    weight: int


@dataclass(frozen=True, slots=True)
class _Passage:
    """A passage on one line.

    Attributes:
        text: The text.
        ends: Where its sentences end.
        begins: Where a window may begin, in order, and what it is worth for that.
        found: The words that are looked for, in order.
    """

    text: str
    ends: list[int]
    begins: list[tuple[int, float]]
    found: list[_Found]


def _parse(text: str, terms: Mapping[int, float], known: set[int]) -> _Passage:
    text, ends = _one_line(segment("en", text))
    found = [
        _Found(start, end, key, round(terms[key] * (_KNOWN if key in known else 1.0) * _FINE))
        for start, end, key in _words(text)
        if key in terms
    ]
    begins = {word.start: _WORD for word in found if not _joins(text, word.start)}
    begins |= {clause.end(): _CLAUSE for clause in _CLAUSES.finditer(text)}
    begins |= {end + (text[end] == " "): _SENTENCE for end in ends[:-1]} | {0: _OPENING}
    return _Passage(text, ends, sorted(begins.items()), found)


def _one_line(sentences: Iterable[str]) -> tuple[str, list[int]]:
    """Join sentences, white space made single spaces; tells where each ends."""
    text, ends, apart = "", [], ""
    for sentence in sentences:
        plain = _CELLS.sub("", " ".join(_RULE.sub(" ", sentence).split()))
        if plain:
            text += (apart or " " * sentence[0].isspace()) * bool(text) + plain
            ends.append(len(text))
            apart = ""
        apart = " " if sentence[-1:].isspace() else apart
    return text, ends


def _window(passage: _Passage, room: int) -> tuple[int, int]:
    """Find the window of so many characters whose words weigh most, each once.

    Of equals the last, which begins with what is looked for. One that the passage's end cuts short begins earlier.
    """
    best, at = 0.0, 0
    for begin, factor, held in _slide(passage, room):
        if held and factor * held >= best:
            best, at = factor * held, begin
    earliest = len(passage.text) - room
    at = next((begin for begin, factor in passage.begins if earliest <= begin < at and factor > _WORD), at)
    return _fit(passage, at, room)


def _slide(passage: _Passage, room: int) -> Iterator[tuple[int, float, int]]:
    """Slide a window over a passage: where it begins, what that is worth, and the weight of the words that it holds."""
    found, times = passage.found, Counter[int]()
    first = last = held = 0
    for begin, factor in passage.begins:
        while last < len(found) and found[last].end <= begin + room:
            held += 0 if times[found[last].key] else found[last].weight
            times[found[last].key] += 1
            last += 1
        while first < last and found[first].start < begin:
            times[found[first].key] -= 1
            held -= 0 if times[found[first].key] else found[first].weight
            first += 1
        yield begin, factor, held


def _fit(passage: _Passage, begin: int, room: int) -> tuple[int, int]:
    """End a window with a sentence, or with a word where that would cost too much of what it holds."""
    if begin + room >= len(passage.text):
        return begin, len(passage.text)
    shortest = begin + int(room * _SHORTEST)
    end = _word_end(passage.text, shortest, begin + room)
    sentence = max((there for there in passage.ends if shortest <= there <= end), default=end)
    whole = _weight(passage, begin, sentence) >= _WHOLE * _weight(passage, begin, end)
    return begin, sentence if whole else end


def _weight(passage: _Passage, begin: int, end: int) -> int:
    return sum({word.key: word.weight for word in passage.found if begin <= word.start and word.end <= end}.values())


def _word_end(text: str, least: int, most: int) -> int:
    """Find the last place to cut that is not within a word; within one where there is none."""
    for at in range(most, least, -1):
        if text[at] == " " or (_IS_DENSE(text[at]) and not _joins(text, at)):
            return at
    return _back(text, most)


def _words(text: str) -> Iterator[tuple[int, int, int]]:
    for word in _WORDS.finditer(text):
        key = _key((word[1] or word[0]).lower())
        if key is not None:
            yield word.start(), word.end(), key


def _keys(text: str) -> set[int]:
    return {key for _, _, key in _words(text)}


@lru_cache(1 << 16)
def _key(word: str) -> int | None:
    """Number a word as the lexical leg does, which stems it; None for a stop word."""
    return next(iter(document_words(word).indices), None)


def _back(text: str, at: int) -> int:
    """Step back from within a character that is made of several."""
    while at > 0 and at < len(text) and _joins(text, at):
        at -= 1
    return at


def _joins(text: str, at: int) -> bool:
    """Tell whether a code point belongs to the one before it."""
    here = text[at]
    if here.isascii():
        return False
    return (
        _JOINER in (here, text[at - 1 : at])
        or unicodedata.category(here).startswith("M")
        or "\U0001f3fb" <= here <= "\U0001f3ff"  # skin tones
    )


def ended(text: str, limit: int) -> str:
    """Cut a text after a word, and mark the cut."""
    return text if len(text) <= limit else text[: _word_end(text, limit // 2, limit - 1)].rstrip() + _CUT
