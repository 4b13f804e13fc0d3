"""How a training goes: queries are run, hits are scored, parameters are fitted and held out."""

import logging
from collections.abc import Sequence
from dataclasses import asdict, replace

import anyio
import anyio.to_thread

from warmer.errors import WarmerError, innermost
from warmer.heap import trim
from warmer.index import Coefficients, CollectionInfo, Hit, Index
from warmer.journal import AGENT, Search
from warmer.journal.jobs import Job
from warmer.journal.parameters import Key, Trained
from warmer.judges import Judge, checked_scores
from warmer.judges.client import CLIENT, ClientJudge
from warmer.steering.feedback import Example
from warmer.steering.params import OFF, Params
from warmer.steering.ranking import share_of_words
from warmer.steering.scores import SCALE
from warmer.training.cross_validation import FEWEST_QUERIES, HeldOut, hold_out
from warmer.training.fit import FEWEST_HITS, Sample, fit, fit_plain, tabulate, usable
from warmer.training.samples import make_sample
from warmer.training.wordings import fit_wordings
from warmer_tools import search
from warmer_tools.calls import known
from warmer_tools.compatibility import check_retriever
from warmer_tools.wordings import Said, checked_query
from warmer_tools.workspace import RUBRIC, Workspace

LEASE = 45.0  # above what a journal on a server may take to answer, and a beat
_log = logging.getLogger(__name__)
_BEAT = 3.0
_PARTING = 2.0


def clean_queries(queries: Sequence[str]) -> list[str]:
    """Strip queries and drop repeated ones.

    Raises:
        SearchError: One is empty or too long.
    """
    return list(dict.fromkeys(checked_query(query) for query in queries))


def whose(judge: Judge | None) -> tuple[str, str]:
    """Say under which name and rubric scores are kept; without a judge they are the agent's."""
    return (judge.name, judge.rubric) if judge else (AGENT, RUBRIC)


async def run_job(workspace: Workspace, job: Job) -> None:
    """Do all that can be done for a job now, and settle it; safe to call from several processes at once.

    A model scores every hit, and the parameters are fitted. For an agent's scores the queries are run, and the fit
    waits until their hits are scored. What fails is kept as the job's reason.

    Raises:
        WarmerError: The journal fails; another may go on with the job once its lease is over.
    """
    if not await workspace.jobs.claim(job.id, LEASE):
        return
    try:
        if reason := await _run(workspace, job):
            await workspace.jobs.settle(job.id, "failed", {"reason": reason})
    finally:
        trim()
        with anyio.move_on_after(_PARTING, shield=True):
            await _release(workspace, job)


async def _run(workspace: Workspace, job: Job) -> str:
    """Go on with a claimed job; gives the reason if that fails."""
    reason = ""
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_beat, workspace, job.id, tasks.cancel_scope)
            judge = None if job.judge == AGENT else await workspace.judge_threads.run(workspace.load_judge, job.judge)
            await _advance(workspace, job, judge)
            tasks.cancel_scope.cancel()
    except* WarmerError as errors:
        reason = str(innermost(errors))
    except* Exception as errors:  # noqa: BLE001  whatever it is, it must not end the server
        _log.exception("training %s failed", known(job.id))
        reason = f"a bug in warmer: {type(innermost(errors)).__name__}"
    return reason


async def _release(workspace: Workspace, job: Job) -> None:
    try:
        await workspace.jobs.release(job.id)
    except WarmerError as error:
        _log.warning("training %s can be continued in %.0f seconds: %s", known(job.id), LEASE, error)


async def unscored(workspace: Workspace, job: Job) -> list[tuple[Search, list[Hit]]]:
    """List the searches of a job that have hits without a score of the agent's, or of the client's, and these hits.

    Hits that were deleted since, or that feedback brought up later, need no score.
    """
    index = await workspace.collections.find(job.collection)
    judge = CLIENT if job.judge == CLIENT else AGENT
    searches = [await workspace.journal.find(job.searches[n], judge) for n in sorted(job.searches)]
    missing = [[shown.id for shown in found.unscored if shown.hit <= job.hits] for found in searches]
    still = [(found, await _texts(index, ids)) for found, ids in zip(searches, missing, strict=True) if ids]
    return [(found, hits) for found, hits in still if hits]


async def scored_queries(workspace: Workspace, info: CollectionInfo, judge: str, rubric: str) -> list[Search]:
    """List the searches that can train: of each query those of all owners.

    A query that the engine embedded has no vector here, and cannot train.
    """
    model = await retriever_name(workspace, info)
    found = await workspace.journal.scored(info.name, model, judge, rubric, FEWEST_HITS)
    return [search for search in found if search.vector.size]


async def retriever_name(workspace: Workspace, info: CollectionInfo) -> str:
    """Name what embeds the queries of a collection."""
    return (await workspace.retrievers.of(info.name, pictures=info.pictures).ready(quiet)).name


async def score_shown(workspace: Workspace, search_id: str, judge: Judge | None, *, later: bool = False) -> Search:
    """Score the hits of a search that a judge has not scored; scores that it gave before are used again.

    Without a judge it is the agent, whose earlier scores for the same query and points are all that can be used, as
    they are where the judge scores `later`.
    """
    name, rubric = whose(judge)
    found = await workspace.journal.find(search_id, name)
    missing = {shown.id: shown.hit for shown in found.unscored}
    known = await workspace.journal.known(found.collection, found.query, name, rubric)
    given = {missing[id_]: score for id_, score in known.items() if id_ in missing}
    index = await workspace.collections.find(found.collection)
    hits = await _texts(index, [id_ for id_ in missing if id_ not in known])
    if judge and hits and not later:
        scores = await workspace.judge_threads.run(checked_scores, judge, found.query, [hit.passage for hit in hits])
        given |= {missing[hit.id]: score for hit, score in zip(hits, scores, strict=True)}
    await workspace.journal.score(found.id, given, name, rubric)
    return await workspace.journal.find(search_id, name)


async def _advance(workspace: Workspace, job: Job, judge: Judge | None) -> None:
    info = await (await workspace.collections.find(job.collection)).info()
    at_once = anyio.CapacityLimiter(judge.workers if judge else 1)
    later = judge is None or isinstance(judge, ClientJudge)
    done = 0

    async def score(position: int, query: str) -> None:
        nonlocal done
        async with at_once:
            if not await workspace.jobs.beat(job.id):
                return
            found = await _search(workspace, job, info, position, query)
            await score_shown(workspace, found, judge, later=later)
            done += 1
            await workspace.jobs.settle(job.id, "running", {"done": done})

    async with anyio.create_task_group() as tasks:
        for position, query in enumerate(job.queries):
            tasks.start_soon(score, position, query)
    if not await workspace.jobs.beat(job.id):
        return
    if later and await unscored(workspace, await workspace.jobs.find(job.id)):
        await workspace.jobs.settle(job.id, "needs_scores", {})
        return
    await _fit(workspace, job, info, judge)


async def _search(workspace: Workspace, job: Job, info: CollectionInfo, position: int, query: str) -> str:
    """Run a query of a job, unless it was run with the collection's present model; gives the search_id."""
    if position in job.searches:
        found = await workspace.journal.find(job.searches[position])
        retriever = await workspace.retrievers.of(info.name, pictures=info.pictures).ready(quiet)
        check_retriever(info, retriever)
        if found.model == retriever.name:
            return found.id
    asked = search.Request(job.collection, limit=job.hits, plain=True)
    reply = await search.run(workspace, Said(query), asked, quiet)
    await workspace.jobs.ran(job.id, position, reply.search_id)
    return reply.search_id


async def _fit(workspace: Workspace, job: Job, info: CollectionInfo, judge: Judge | None) -> None:
    name, rubric = whose(judge)
    searches = await scored_queries(workspace, info, name, rubric)
    index = await workspace.collections.find(job.collection)
    samples = [await _sample(workspace, index, found) for found in searches]
    share = share_of_words(Params(), info.code)
    fitted = await anyio.to_thread.run_sync(_fitted, samples, share)
    if isinstance(fitted, str):
        await workspace.jobs.settle(job.id, "rejected", {"reason": fitted})
        return
    params, plain, held_out = fitted
    numbers = {"c": params.c, "neutral": params.neutral * SCALE, "share": params.share, "plain": asdict(plain)}
    key = Key(info.name, await retriever_name(workspace, info), name, rubric)
    served = await _served(workspace, key, params, held_out)
    own = next((one.params for one in await workspace.parameters.all() if one.key == key), Params())
    base = served or (Params() if own.off else own)
    base = replace(base, passage=own.passage, rewording=own.rewording, earlier=own.earlier)
    share = share if base.share is None else base.share
    weights = None if base.off else await anyio.to_thread.run_sync(fit_wordings, samples, base, share)
    if weights or served:
        served = replace(weights or base, source=base.source if served else "trained")
    if weights:
        numbers |= {"passage": weights.passage, "rewording": weights.rewording, "earlier": weights.earlier}
    if served:
        await workspace.parameters.add(Trained(key, served, plain, held_out.queries, asdict(held_out)))
    off = "; the defaults lose too, so scores of this judge do not steer until a training is applied"
    reason = held_out.reason + (off if served and served.off else "")
    if reason and weights:
        reason += "; weights of passage, rewording and earlier scores do better on held-out queries, and are in use"
    result = {"params": numbers, "held_out": asdict(held_out), "reason": reason}
    if usage := getattr(judge, "usage", None):
        result["usage"] = asdict(usage)
    await workspace.jobs.settle(job.id, "rejected" if held_out.reason else "applied", result)


async def _served(workspace: Workspace, key: Key, params: Params, held_out: HeldOut) -> Params | None:
    """Choose what is to be served from now on; None where nothing changes."""
    if not held_out.reason:
        return params
    if held_out.off:
        return OFF
    off_before = any(one.key == key and one.params.off for one in await workspace.parameters.all())
    return Params() if off_before else None


def _fitted(samples: Sequence[Sample], share: float) -> tuple[Params, Coefficients, HeldOut] | str:
    """Fit and hold out; a reason where there is too little to fit to."""
    table = tabulate(samples, share)
    told, asked = usable(table).size, table.disagreement.size
    if told < FEWEST_QUERIES:
        return (
            f"{asked} queries have {FEWEST_HITS} scored hits or more, and in {told} of them the scores differ: "
            f"at least {FEWEST_QUERIES} are needed. Score more queries, and spread the scores."
        )
    return fit(table), fit_plain(samples), hold_out(table)


async def _beat(workspace: Workspace, job_id: str, scope: anyio.CancelScope) -> None:
    """Keep the job until it ends or another has it; a fault of the journal may last as long as the lease."""
    held = anyio.current_time()
    while True:
        now = anyio.current_time()
        try:
            if not await workspace.jobs.beat(job_id):
                break
            held = now
        except WarmerError:
            if anyio.current_time() - held >= LEASE:
                raise
        await anyio.sleep(_BEAT)
    scope.cancel()


async def quiet(_: float) -> None:
    """Wait for the model without a word: whoever began the job may be gone."""


async def _sample(workspace: Workspace, index: Index, found: Search) -> Sample:
    scored = [Example(shown.id, shown.vector, (shown.score or 0) / SCALE) for shown in found.scored]
    sample = await make_sample(index, found.wordings, scored, lexical=found.lexical)
    return replace(sample, earlier=await _earlier(workspace, index, found))


async def _earlier(workspace: Workspace, index: Index, found: Search) -> Sequence[Example]:
    """Give what the owner's threads with other words say about a search; those with the same may share its scores."""
    memory = workspace.memory
    if not memory or not memory.owns(found.id):
        return ()
    near = [one for one in await memory.near(found) if one.id != found.id]
    hits = [Hit(shown.id, 0.0, {}, shown.vector) for shown in found.shown.values()]
    return (await memory.remember(index, found, near, hits, reworded=True)).examples


async def _texts(index: Index, ids: Sequence[str]) -> list[Hit]:
    """Fetch points with their texts, wherever these are kept."""
    return await index.completed(await index.retrieve(ids))
