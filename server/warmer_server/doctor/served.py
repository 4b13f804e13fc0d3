"""Try the loop on a collection of a Qdrant server, which is only read, and the journal there."""

import tempfile
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Literal

import anyio

from warmer.errors import WarmerError
from warmer_server.app import make_workspace
from warmer_server.doctor import Finding
from warmer_server.engine import JOURNAL_COLLECTION, open_engine
from warmer_server.settings import Settings
from warmer_tools import give_feedback, search
from warmer_tools.training import quiet
from warmer_tools.wordings import Said
from warmer_tools.workspace import Workspace

if TYPE_CHECKING:  # importing it takes a second
    from warmer.index.remote.client import Remote

_WORDS = 12  # of a passage, which make the question
_LIMIT = 5


async def try_collection(settings: Settings, name: str) -> Finding:
    """Search, score and search again; what is scored is forgotten."""
    began = perf_counter()
    with tempfile.TemporaryDirectory(prefix="warmer-doctor-") as folder:
        temporary = settings.model_copy(update={"journal": "sqlite", "data_dir": Path(folder)})
        async with open_engine(temporary) as engine, anyio.create_task_group() as background:
            try:
                said = await _loop(make_workspace(temporary, engine, background), name)
            except WarmerError as error:
                return Finding("loop", "fails", f"{name}: {error}")
            finally:
                background.cancel_scope.cancel()
    return Finding("loop", said[0], f"{name}: {said[1]} in {perf_counter() - began:.1f} seconds")


async def _loop(workspace: Workspace, name: str) -> tuple[Literal["ok", "note"], str]:
    index = await workspace.collections.find(name)
    payloads = await index.sample()
    texts = [" ".join(str(text).split()[:_WORDS]) for one in payloads if isinstance(text := one.get("text"), str)]
    question = next((text for text in texts if text), "what is in here")
    found = await search.run(workspace, Said(question), search.Request(name, limit=_LIMIT), quiet)
    if not found.hits:
        return "note", "a search worked and found nothing, so nothing was scored"
    scores = {str(hit.hit): 9 - 2 * place for place, hit in enumerate(found.hits)}
    reply = await give_feedback.run(workspace, give_feedback.Given(found.search_id, scores), _LIMIT, quiet)
    return "ok", f"searched, scored and searched again ({reply.outcome})"


async def try_journal(remote: "Remote", settings: Settings) -> AsyncIterator[Finding]:
    """Open the journal on the server and count what is in it. One that is not there is not made."""
    if settings.journal != "qdrant":
        return
    if not await _may_be_there(remote):
        said = f"collection {JOURNAL_COLLECTION} is not there yet: the first search makes it, if the key may"
        yield Finding("journal", "note", said)
        return
    async with open_engine(settings) as engine:
        searches, scores = await engine.journal.counts()
        said = f"{searches} searches, {scores} scores, in {engine.journal_location}"
    there = engine.journal_location.startswith(f"collection {JOURNAL_COLLECTION}")
    yield Finding("journal", "ok" if there and ";" not in said else "note", said)


async def _may_be_there(remote: "Remote") -> bool:
    from warmer.index.remote.faults import ServerError  # noqa: PLC0415

    try:
        return await remote.call(lambda client: client.collection_exists(JOURNAL_COLLECTION), what="looking for")
    except ServerError as error:
        if error.status != HTTPStatus.FORBIDDEN:
            raise
        return True  # a key that may not look cannot make it either
