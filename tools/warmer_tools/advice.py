"""One sentence on what pays now."""

from collections.abc import Mapping, Sequence
from statistics import mean
from typing import Any

from warmer.index.filters import text_matches

_GOOD, _USEFUL = 5, 3
_HOPELESS = 10  # so many scores below _USEFUL: the words are wrong, not the ranking
_LAST = 20  # scores that are looked at

FIRST = "Score what you skimmed (give_feedback), with rewordings if it is mixed; read=[..] shows hits whole."
NOTHING = "Nothing was found: loosen the filter, or use other words."
NOTHING_LEFT = "Nothing new is left: answer from `ranking`, or search in other words."
PICTURES = "These are pictures: pictures=true shows them, here and in give_feedback; with read, larger. "
READ = "Answer, or score these hits (give_feedback)."
NOTHING_ASKED = "Kept: answer from `ranking`, or go on."


def after_scores(scores: Sequence[float], unscored: Sequence[int]) -> str:
    """Advise after a list that scores steered.

    Where the last twenty scores are below 3 on average, the next fifteen hits hold no relevant passage seven times in
    ten, and one at most nine times in ten: measured on recorded agents, whose later scores were drawn.

    Args:
        scores: 0..10, in the order in which the hits were shown.
        unscored: Numbers of the hits that were just shown and have no score yet.
    """
    if not unscored:
        return NOTHING_LEFT
    if len(scores) >= _LAST and mean(scores[-_LAST:]) < _USEFUL:
        return "The last scores are low, so more is unlikely: answer from `ranking`, or reword."
    if len(scores) >= _HOPELESS and max(scores) < _USEFUL:
        return f"Nothing useful in {len(scores)} hits: reword, or search for another side of the question."
    if scores and max(scores) < _GOOD:
        return "Nothing good yet: add rewordings to the scores of the new hits."
    return "Score the new hits, with rewordings for what is missing; or answer from `ranking` and what is new."


def unsteered(outcome: str, *, scored: bool = True) -> str:
    """Advise after a list that nothing new steered."""
    if outcome == "off":
        return (
            "Such scores made results worse on held-out queries, so they do not steer: these are the next hits. "
            "Reword, or answer from `ranking`."
        )
    if not scored:
        return "That was said before and adds nothing: score the hits, or use other words."
    return "All scores are neutral, which tells nothing: spread them, or add rewordings."


def text_filter(where: Mapping[str, Any], worded: Mapping[str, bool] | None) -> str:
    """Say that a filter looks for texts in a field in another way than one thinks; empty where it does not.

    Args:
        where: The filter.
        worded: As in `CollectionInfo`.
    """
    if worded is None:
        return ""
    matches = set(text_matches(where))
    plain = sorted({key for key, kind in matches if key not in worded and kind in {"text", "text_any", "phrase"}})
    if plain:
        fields = ", ".join(plain)
        return f"{fields} has no text index: the filter looks there for the string exactly as written, case included. "
    if phrases := sorted({key for key, kind in matches if kind == "phrase" and not worded[key]}):
        return f"The text index of {', '.join(phrases)} does not support phrases, so nothing matches: match by text. "
    return ""


def gone(hits: Sequence[int]) -> str:
    """Name scored hits that were deleted meanwhile."""
    if not hits:
        return ""
    numbers = ", ".join(map(str, sorted(hits)))
    return f"Deleted from the collection meanwhile: hits {numbers}; their scores still count. "
