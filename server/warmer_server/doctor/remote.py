"""The Qdrant server, if one is set: whether it answers, what it can do, and what the key may do."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import TYPE_CHECKING
from uuid import uuid4

from warmer.errors import WarmerError
from warmer_server.compatibility import mismatch
from warmer_server.doctor import Finding
from warmer_server.engine import JOURNAL
from warmer_server.settings import Settings

if TYPE_CHECKING:  # importing it takes a second
    from warmer.index.remote.client import Remote
    from warmer.index.remote.collections import QdrantCollections

_FEATURES = {(1, 17): "feedback queries (an exact equivalent is used)", (1, 16): "ACORN (filtered walks find less)"}
_DESCRIBED = 20


async def server(settings: Settings) -> AsyncIterator[Finding]:
    """Ask for its version and its collections, and find out what the key may do."""
    if not settings.qdrant_url:
        yield Finding("server", "note", "QDRANT_URL is not set: embedded collections are searched")
        return
    from warmer.index.remote.collections import QdrantCollections  # noqa: PLC0415
    from warmer_server.connection import options  # noqa: PLC0415
    from warmer_server.connection import server as connected  # noqa: PLC0415

    async with connected(settings.qdrant_url, settings) as remote:
        found = await remote.version()
        lacks = [feature for since, feature in _FEATURES.items() if found < since]
        said = f"{remote.url} is Qdrant {found[0]}.{found[1]}"
        more = f" and lacks {', '.join(lacks)}: 1.17 or newer is better" if lacks else ", with all that is used"
        yield Finding("server", "note" if lacks else "ok", said + more)
        there = QdrantCollections(remote, options(settings, JOURNAL))
        names = await there.names()
        yield Finding("rights", "ok", f"the key may read: {len(names)} collections can be searched")
        yield await _writing(remote, settings)
        async for finding in _collections(there, names, settings):
            yield finding


async def _writing(remote: "Remote", settings: Settings) -> Finding:
    """Delete a collection that is not there, which takes the right to write and changes nothing."""
    from warmer.index.remote.faults import ServerError  # noqa: PLC0415

    name = f"warmer-doctor-{uuid4().hex}"
    try:
        await remote.call(lambda client: client.delete_collection(name), what="trying to write")
    except ServerError as error:
        if error.status not in {HTTPStatus.FORBIDDEN, HTTPStatus.UNAUTHORIZED}:
            raise
        said = "the key may not make or delete collections, which is enough to search; it cannot index or copy"
        journal = f"; WARMER_JOURNAL=qdrant needs the right to write {JOURNAL}, which was not tried"
        return Finding("rights", "note", said + journal * (settings.journal == "qdrant"))
    return Finding("rights", "ok", "the key may write")


async def _collections(there: "QdrantCollections", names: list[str], settings: Settings) -> AsyncIterator[Finding]:
    """Describe those that are named in settings, which must work, and some others."""
    wanted = set(settings.allowed) | ({settings.collection_name} - {""})
    for name in sorted(wanted | set(names[:_DESCRIBED])):
        try:
            info = await (await there.find(name)).info()
            said = "; ".join([f"{name}: {info.points} passages", *info.notes])
            wrong = mismatch(info, settings.retrievers.get(name, settings.embedding_model))
        except WarmerError as error:
            said, wrong = "", str(error)
        needed = name in wanted or names == [name]
        yield Finding("collection", ("fails" if needed else "note") if wrong else "ok", wrong or said)
    if more := names[_DESCRIBED:]:
        yield Finding("collections", "note", f"{len(more)} more are not looked at")
