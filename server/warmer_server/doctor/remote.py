"""Check the Qdrant server: whether it answers, what it supports and what the key permits."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import TYPE_CHECKING
from uuid import uuid4

from warmer.errors import WarmerError
from warmer_server.compatibility import mismatch
from warmer_server.doctor import Finding
from warmer_server.doctor.served import try_collection, try_journal
from warmer_server.engine import JOURNAL_COLLECTION
from warmer_server.fit import compare
from warmer_server.settings import Settings

if TYPE_CHECKING:  # importing it takes a second
    from warmer.index.remote.client import Remote
    from warmer.index.remote.collections import QdrantCollections

_FEATURES = {  # version that brought a feature, and the feature
    (1, 17): "feedback queries (an exact equivalent is used)",
    (1, 16): "ACORN (filtered walks find less)",
}
_MAX_OPENED = 20
_LEAST = 'a read-only key is enough, or a token of {"access": [{"collection": "docs", "access": "r"}]}'


async def server(settings: Settings) -> AsyncIterator[Finding]:
    """Request version and collections, and find out what the key permits."""
    if not settings.qdrant_url:
        yield Finding("server", "note", "QDRANT_URL is not set: embedded collections are searched")
        return
    from warmer.index.remote.collections import QdrantCollections  # noqa: PLC0415
    from warmer_server.connection import make_options, open_server  # noqa: PLC0415

    async with open_server(settings.qdrant_url, settings) as remote:
        version = await remote.version()
        missing = [feature for since, feature in _FEATURES.items() if version < since]
        said = f"{remote.url} is Qdrant {version[0]}.{version[1]}"
        more = f" and lacks {', '.join(missing)}: upgrade to 1.17" if missing else ", which has all that Warmer uses"
        yield Finding("server", "note" if missing else "ok", said + more)
        collections = QdrantCollections(remote, make_options(settings, JOURNAL_COLLECTION))
        names = await collections.names()
        yield Finding("rights", "ok", f"the key may read: {len(names)} collections can be searched")
        yield await _check_write_access(remote, settings)
        async for finding in _check_collections(collections, names, settings):
            yield finding
        async for finding in try_journal(remote, settings):
            yield finding


async def _check_write_access(remote: "Remote", settings: Settings) -> Finding:
    """Delete a collection that does not exist, which needs write access and changes nothing."""
    from warmer.index.remote.faults import ServerError  # noqa: PLC0415

    name = f"warmer-doctor-{uuid4().hex}"
    try:
        await remote.call(lambda client: client.delete_collection(name), what="trying to write")
    except ServerError as error:
        if error.status not in {HTTPStatus.FORBIDDEN, HTTPStatus.UNAUTHORIZED}:
            raise
        said = "the key may not make or delete collections, which is enough to search; it cannot index or copy"
        journal = f"; WARMER_JOURNAL=qdrant needs the right to write {JOURNAL_COLLECTION}"
        return Finding("rights", "note", said + journal * (settings.journal == "qdrant"))
    if not settings.qdrant_api_key.get_secret_value():
        return Finding("rights", "note", "no key is set, and whoever reaches the server may write and delete there")
    return Finding(
        "rights", "note", f"the key may write and delete all collections, which searching never does: {_LEAST}"
    )


async def _check_collections(
    collections: "QdrantCollections", names: list[str], settings: Settings
) -> AsyncIterator[Finding]:
    """Open the collections named in settings, which must work, and some others."""
    wanted = set(settings.allowed) | ({settings.collection_name} - {""})
    for name in sorted(wanted | set(names[:_MAX_OPENED])):
        found = None
        try:
            index = await collections.find(name)
            info = await index.info()
            said = "; ".join([f"{name}: {info.points} passages", *info.notes])
            problem = mismatch(info, settings)
            found = None if problem else await compare(index, settings)
        except WarmerError as error:
            said, problem = "", str(error)
        required = name in wanted or names == [name]
        yield Finding("collection", ("fails" if required else "note") if problem else "ok", problem or said)
        if found:
            yield found
        if required and not problem:
            yield await try_collection(settings, name)
    if more := names[_MAX_OPENED:]:
        yield Finding("collections", "note", f"{len(more)} more are not looked at")
