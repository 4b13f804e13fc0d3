"""The next list of a thread, whichever tool asks for it."""

from collections.abc import Mapping, Sequence

from warmer.errors import SearchError
from warmer.index import CollectionInfo, Hit, Index
from warmer.index.together import together
from warmer.journal import AGENT, Search
from warmer.journal.parameters import Key, choose
from warmer.steering.copies import Known
from warmer.steering.feedback import Example
from warmer.steering.params import Params
from warmer.steering.ranking import rank
from warmer.steering.scores import SCALE
from warmer.steering.target import weight
from warmer.steering.thread import Query, compose
from warmer_tools.reply import REPLY_CHARACTERS, Form
from warmer_tools.skim import weigh
from warmer_tools.workspace import RUBRIC, Workspace

SKIM, FULL, AROUND = "skim", "full", "around"


async def params_of(workspace: Workspace, thread: Search, judge: tuple[str, str] = (AGENT, RUBRIC)) -> Params:
    """Choose the parameters that serve a judge's scores, by name and rubric."""
    return choose(await workspace.parameters.all(), Key(thread.collection, thread.model, *judge))


async def next_list(
    index: Index,
    thread: Search,
    params: Params,
    limit: int,
    without: Sequence[str],
    earlier: Sequence[Example] = (),
) -> tuple[Query, list[Hit], list[int]]:
    """Retrieve what comes next: by all wordings, the passage and all scores of a thread, and some of an earlier one.

    Returns:
        The query, its hits, and the numbers of scored hits that are gone from the collection.

    Raises:
        FilterError: The thread's filter does not fit.
    """
    scored, unscored = thread.scored, thread.unscored
    ids = [shown.id for shown in (*scored, *unscored)]
    texts = index.remembered(ids)

    async def listed(texts: Mapping[str, str]) -> tuple[Query, list[Hit]]:
        examples = [
            Example(one.id, one.vector, (one.score or 0) / SCALE, texts.get(one.id, "")) for one in thread.scored
        ]
        query = compose(thread.wordings, params, [*examples, *earlier], lexical=thread.lexical)
        known = [Known(one.id, one.vector, texts[one.id]) for one in unscored if one.id in texts]
        return query, await rank(index, query, limit, where=thread.where, without=without, known=known)

    if ids and texts.keys() >= set(ids):
        (query, hits), found = await together(listed(texts), index.retrieve(ids))
        there = {hit.id for hit in found}
    else:
        texts = {hit.id: hit.passage for hit in await index.completed(await index.retrieve(ids))} if ids else {}
        query, hits = await listed(texts)
        there = set(texts)
    return query, hits, [shown.hit for shown in scored if shown.id not in there]


def form_of(
    workspace: Workspace, thread: Search, params: Params, detail: str, limit: int, *, scores: bool, ids: bool
) -> Form:
    """Choose how the hits of a list are shown: to skim, or whole.

    Raises:
        SearchError: There is no such detail.
    """
    check_detail(detail)
    room = REPLY_CHARACTERS // max(limit, 1)
    if detail == FULL:
        return Form(min(workspace.text_limit, room), whole=True, scores=scores, ids=ids)
    terms = weigh((one.text, weight(one, params)) for one in thread.wordings)
    return Form(min(workspace.skim_limit, room), terms, scores=scores, ids=ids)


def check_detail(detail: str) -> None:
    """Make sure that a list can be shown so.

    Raises:
        SearchError: There is no such detail.
    """
    if detail not in {"", SKIM, FULL}:
        raise SearchError(f'detail is {detail[:40]!r}: send "{FULL}" for whole passages, or leave it out')


def is_lexical(mode: str, info: CollectionInfo) -> bool:
    """Decide whether a collection is searched by words too.

    Raises:
        SearchError: It was to be, and has no vectors for words.
    """
    if mode == "hybrid" and not info.lexical:
        raise SearchError(
            f"collection {info.name!r} has no vectors for words: unset WARMER_SEARCH_MODE, or set it to dense"
        )
    return info.lexical and mode != "dense"
