"""The arms of a recorded agent. Each goes on until the budget is spent or nothing new is found."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence

from warmer_evals.agent.budgets import MOST, Hit
from warmer_evals.agent.playing import Found, Play
from warmer_evals.agent.records import Record
from warmer_evals.agent.scoring import Scores

Player = Callable[[Play, Record, Scores], Awaitable[None]]

_RANK_CONSTANT = 60  # of reciprocal rank fusion: Cormack et al., 2009
_DEEPER = 2  # fused lists are this much longer than what fits; in a list of fifty, long texts would be cut
_FIRST_WEIGHT = 2  # the question itself counts twice, as in the local search server qmd


async def search(play: Play, record: Record, _scores: Scores) -> None:
    """Search with the question, and read on down its list."""
    await _read_on(play, record.query, await play.ask(1, "search", {"query": record.query}))


async def reword(play: Play, record: Record, _scores: Scores) -> None:
    """Search with the question, then anew with each later wording; documents shown before may come again."""
    wordings = [record.query, *record.after]
    for done, wording in enumerate(wordings):
        found = await play.ask(len(wordings) - done, "search", {"query": wording}, repeats=True)
        if not play.ledger.left:
            return
    await _read_on(play, wordings[-1], found)


async def feedback(play: Play, record: Record, scores: Scores) -> None:
    """Search with the question; scores alone steer the later lists."""
    found = await play.ask(1 + len(record.after), "search", {"query": record.query})
    await _go_on(play, record, scores, found, [""] * len(record.after))


async def thread(play: Play, record: Record, scores: Scores) -> None:
    """Search with the question and all that was written before it; scores and later wordings steer the later lists."""
    before = {"rewordings": record.before.wordings, "hypothetical_passage": record.before.ideal}
    found = await play.ask(1 + len(record.after), "search", {"query": record.query, **before})
    await _go_on(play, record, scores, found, record.after)


async def fused(play: Play, record: Record, _scores: Scores) -> None:
    """Search with the question, the wordings and the passage separately, and fuse the lists by rank."""
    texts = [record.query, *record.before.wordings, record.before.ideal]
    depth = MOST if play.ledger.in_passages else min(_DEEPER * play.ledger.share(1), MOST)
    play.show(_fuse([(await play.fetch("search", {"query": text}, depth)).hits for text in texts]))


async def _go_on(play: Play, record: Record, scores: Scores, found: Found, wordings: Sequence[str]) -> None:
    """Go on in the thread with the scores of the last list and the next wording; with neither, read on."""
    coming = list(wordings)
    while found.hits and play.ledger.left:
        lists, wording = max(len(coming), 1), coming.pop(0) if coming else ""
        given = scores.of(record, [hit["source"] for hit in found.hits])
        play.note(given)
        here = {"search_id": found.search_id}
        if given:
            numbered = {str(hit["hit"]): given[hit["source"]] for hit in found.hits}
            told = {"scores": numbered, "rewordings": [wording] if wording else []}
            found = await play.ask(lists, "give_feedback", here | told)
        else:
            found = await play.ask(lists, "search", {"query": wording or record.query, **here})


async def _read_on(play: Play, wording: str, found: Found) -> None:
    while found.hits and play.ledger.left:
        found = await play.ask(1, "search", {"query": wording, "search_id": found.search_id})


def _fuse(lists: Sequence[Sequence[Hit]]) -> list[Hit]:
    """Fuse by reciprocal rank; ties go by id."""
    hits: dict[str, Hit] = {}
    weights: defaultdict[str, float] = defaultdict(float)
    for at, found in enumerate(lists):
        for rank, hit in enumerate(found, start=1):
            hits.setdefault(hit["source"], hit)
            weights[hit["source"]] += (1 if at else _FIRST_WEIGHT) / (_RANK_CONSTANT + rank)
    return [hits[document] for document in sorted(hits, key=lambda document: (-weights[document], document))]
