"""Scores as agents send them."""

import math
import re
from collections.abc import Collection, Mapping
from typing import Any

from warmer.errors import ScoreError

SCALE = 10.0
_HIT = re.compile(r"[1-9][0-9]{0,8}")
_NUMBER = re.compile(r"[0-9]{1,2}(\.[0-9]*)?(e-[0-9]+)?", re.ASCII)


def parse_scores(scores: Mapping[str, Any], shown: Collection[int]) -> dict[int, float]:
    """Read an agent's scores: hit number -> 0..10.

    Numbers in strings are fine, since models send them.

    Raises:
        ScoreError: No scores; a key that is not the number of a shown hit, or one twice; a value that is
            not a number from 0 to 10.
    """
    if not scores:
        raise ScoreError('scores is empty: send a score of 0 to 10 for each hit that you read, as {"1": 9, "2": 0}')
    parsed: dict[int, float] = {}
    for key, value in scores.items():
        hit = _parse_hit(key, shown)
        if hit in parsed:
            raise ScoreError(f"hit {hit} is scored twice: send one score for it")
        parsed[hit] = _parse_score(hit, value)
    return parsed


def _parse_hit(key: str, shown: Collection[int]) -> int:
    text = str(key).strip()
    if not _HIT.fullmatch(text) or int(text) not in shown:
        numbers = ", ".join(map(str, sorted(shown)))
        raise ScoreError(f"{text[:40]!r} is not a hit of this search: its hits are {numbers}")
    return int(text)


def _parse_score(hit: int, value: Any) -> float:  # noqa: ANN401
    text = str(value).strip()
    score = float(text) if _NUMBER.fullmatch(text) and not isinstance(value, bool) else math.nan
    if not 0 <= score <= SCALE:
        raise ScoreError(f"the score of hit {hit} is {str(value)[:40]!r}: send a number from 0 to 10")
    return score
