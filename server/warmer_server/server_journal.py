"""The journal on a Qdrant server, with as many copies as what is searched. Importing this loads qdrant-client."""

from warmer.errors import EngineError
from warmer.index.remote.client import Remote
from warmer.index.remote.names import visible
from warmer.journal.qdrant.jobs import QdrantJobs
from warmer.journal.qdrant.parameters import QdrantParameters
from warmer.journal.qdrant.searches import QdrantJournal
from warmer.journal.qdrant.store import open_store
from warmer_server.connection import make_options
from warmer_server.engine import JOURNAL_COLLECTION
from warmer_server.settings import Settings
from warmer_server.stores import Stores

_LOOKED_AT = 20  # collections, where none is named


async def open_stores(remote: Remote, settings: Settings) -> Stores:
    """Open the journal, and make it on first use.

    Raises:
        EngineError: The key may not write it, or the server fails.
    """
    copies = await searched_copies(remote, settings)
    store = await open_store(remote, JOURNAL_COLLECTION, settings.journal_replicas or copies)
    journal = QdrantJournal(store, settings.search_hours * 3600)
    location = f"collection {JOURNAL_COLLECTION} on the server"
    if note := few_copies(store.replicas, settings.journal_replicas or copies):
        location = f"{location}; {note}"
    return Stores(journal, QdrantParameters(store), QdrantJobs(store), location)


async def searched_copies(remote: Remote, settings: Settings) -> int:
    """Find out how many copies the collections that are searched have at most; 1 where that cannot be asked."""
    options = make_options(settings, JOURNAL_COLLECTION)
    named = ({options.default} - {""}) | options.allowed
    copies = 1
    try:
        for name in sorted(named) or (await visible(remote, options))[:_LOOKED_AT]:
            copies = max(copies, await _copies(remote, name))
    except EngineError:
        return copies
    return copies


async def _copies(remote: Remote, name: str) -> int:
    found = await remote.call(lambda client: client.get_collection(name), what=f"describing {name!r}")
    return found.config.params.replication_factor or 1


def few_copies(copies: int, wanted: int) -> str:
    """Say that the journal has fewer copies than it should; empty where it has enough."""
    if copies >= wanted:
        return ""
    return (
        f"it has {copies} of {wanted} copies: while its node is away, new searches are kept on one machine alone. Make "
        f"more by the server's call POST /collections/{JOURNAL_COLLECTION}/cluster, replicate_shard"
    )
