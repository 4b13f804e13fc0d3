"""Hits of a thread, read whole."""

from collections.abc import Mapping, Sequence

from warmer.errors import SearchError
from warmer.index import Hit, Index
from warmer.journal import Search
from warmer_tools.lists import AROUND, FULL, SKIM
from warmer_tools.reply import REPLY_CHARACTERS, Form, HitReply, cut, hit_replies

_REACH = 2  # passages on each side
_MOST_AROUND = 5


async def read_hits(
    index: Index, thread: Search, numbers: Sequence[int], detail: str, *, ids: bool
) -> tuple[list[Hit], list[HitReply]]:
    """Show hits that were shown before, to their end; with `around` between those that stand beside them.

    Returns the points, and what is shown of each.

    Raises:
        SearchError: One was never shown, or there is no such detail.
    """
    if detail not in {"", SKIM, FULL, AROUND}:
        raise SearchError(f'detail is {detail[:40]!r}: send "{AROUND}" for the passages around a hit, or leave it out')
    wanted = list(dict.fromkeys(numbers))
    if detail == AROUND and len(wanted) > _MOST_AROUND:
        raise SearchError(f"the passages around {len(wanted)} hits are too much to read: name {_MOST_AROUND} at most")
    if unknown := [number for number in wanted if number not in thread.shown]:
        shown = f"its hits are 1 to {len(thread.shown)}" if thread.shown else "it has none"
        raise SearchError(f"{unknown[0]} is not a hit of this search: {shown}")
    points = {thread.shown[number].id: number for number in wanted}
    hits = await index.completed(await index.retrieve(list(points)))
    room = REPLY_CHARACTERS // max(len(hits), 1)
    around = {hit.id: await _around(index, hit, room // 3) for hit in hits} if detail == AROUND else {}
    form = Form(room // 3 if around else room, whole=True, ids=ids, around=around)
    return hits, hit_replies([points[hit.id] for hit in hits], hits, form)


async def _around(index: Index, hit: Hit, room: int) -> tuple[str, str]:
    """Join the texts before a hit, and those after it."""
    there = await index.around(hit.id, _REACH)
    ids = [one.id for one in there]
    if hit.id not in ids:
        return "", ""
    at = ids.index(hit.id)
    return _joined(there[:at], room), _joined(there[at + 1 :], room)


def _joined(hits: Sequence[Hit], room: int) -> str:
    texts: list[Mapping[str, object]] = [hit.payload for hit in hits]
    return cut("\n\n".join(str(payload.get("text", "")) for payload in texts), room)
