"""Scores in every form that clients and models send them in."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from warmer.errors import ScoreError
from warmer.journal import Search
from warmer.judges import ANCHORS
from warmer.steering.scores import parse_scores

FORM = '[{"hit": 1, "score": 9}, {"hit": 2, "score": 0}]'
_PROPERTIES = {"hit": {"type": "integer"}, "score": {"type": "number"}}
Scores = Annotated[
    Any,
    WithJsonSchema(
        {
            "type": "array",
            "items": {"type": "object", "properties": _PROPERTIES, "required": [*_PROPERTIES]},
        }
    ),
    Field(description=f"Score 0-10 of each hit: {ANCHORS}"),
]

_NOTHING = {"", "null", "none"}
_HIT = re.compile(r"(?:hit|no|nr|number|#)?[\s_.:#-]*([1-9][0-9]{0,8})[.:]?", re.ASCII | re.IGNORECASE)
_HIT_KEYS, _SCORE_KEYS = ("hit", "number", "hit_number"), ("score", "value", "rating")


def read_scores(scores: Any, thread: Search) -> dict[int, float]:  # noqa: ANN401  whatever came
    """Read an agent's scores: hit number -> 0..10; hits without one, or with null, are left out.

    Args:
        scores: An object by hit number, a list of objects or pairs of hit and score, or a list of scores alone in the
            order in which the hits were shown; each may be JSON in a string.
        thread: The search whose hits they are.

    Raises:
        ScoreError: They are in no such form, or do not fit the hits.
    """
    given: dict[str, Any] = {}
    for hit, score in _pairs(_parsed(scores), thread):
        if _is_nothing(score):
            continue
        name = _number(hit)
        if name in given:
            raise ScoreError(f"hit {name[:40]} is scored twice: send one score for it")
        given[name] = score
    return parse_scores(given, thread.shown) if given else {}


def _parsed(scores: Any) -> Any:  # noqa: ANN401
    if not isinstance(scores, str):
        return scores
    if _is_nothing(scores):
        return {}
    try:
        parsed = json.loads(scores)
    except (ValueError, RecursionError):
        raise _unread(scores) from None
    return _parsed(parsed) if isinstance(parsed, str) and parsed != scores else parsed


def _pairs(scores: Any, thread: Search) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401
    """Give hits and scores, both as they came."""
    if isinstance(scores, Mapping):
        yield from _of_object(scores, thread)
    elif isinstance(scores, list) and all(map(_is_nothing, scores)):
        return
    elif isinstance(scores, list) and all(map(_is_bare, scores)):
        yield from zip(_in_order(thread, len(scores)), scores, strict=True)
    elif isinstance(scores, list):
        for one in scores:
            if isinstance(one, list) and len(one) == 2:  # noqa: PLR2004  hit and score
                yield one[0], one[1]
            elif isinstance(one, Mapping):
                yield from _of_object(one, thread)
            elif one is not None:
                raise _unread(one)
    elif scores is not None:
        raise _unread(scores)


def _of_object(scores: Mapping[Any, Any], thread: Search) -> Iterator[tuple[Any, Any]]:
    hit = next((scores[key] for key in _HIT_KEYS if key in scores), None)
    if hit is not None:
        yield hit, next((scores[key] for key in _SCORE_KEYS if key in scores), None)
    elif scores.keys() == {"scores"}:
        yield from _pairs(_parsed(scores["scores"]), thread)
    else:
        for key, score in scores.items():
            named = score.get("score") if isinstance(score, Mapping) and "score" in score else score
            yield key, named


def _in_order(thread: Search, count: int) -> list[int]:
    """Find the hits that a list of scores is for, where that is certain.

    Raises:
        ScoreError: It may be for these or for those.
    """
    shown, unscored = sorted(thread.shown), sorted(one.hit for one in thread.unscored)
    if count == len(shown) or len(shown) == len(unscored) >= count:
        return shown[:count]
    if count == len(unscored):
        return unscored
    raise ScoreError(
        f"there are {count} scores and {len(shown)} hits, {len(unscored)} of them not scored: say which hit each is "
        f"for, as {FORM}"
    )


def _number(hit: Any) -> str:  # noqa: ANN401
    text = str(int(hit)) if isinstance(hit, float) and hit.is_integer() else str(hit).strip()
    found = _HIT.fullmatch(text)
    return found[1] if found else text


def _is_bare(score: object) -> bool:
    return score is None or isinstance(score, int | float | str)


def _is_nothing(score: object) -> bool:
    return score is None or (isinstance(score, str) and score.strip().lower() in _NOTHING)


def _unread(scores: object) -> ScoreError:
    shown = json.dumps(scores, ensure_ascii=False, default=str)
    return ScoreError(f"scores has {shown[:60]}, which cannot be read: send {FORM}")
