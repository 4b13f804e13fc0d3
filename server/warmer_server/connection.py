"""Connect to a Qdrant server as the settings say. Importing this loads qdrant-client, which takes a second."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from warmer.embedding.retrievers import dim_of
from warmer.index.remote.client import Connection, Remote, connect
from warmer.index.remote.options import Options
from warmer_server.settings import Settings


def make_connection(url: str, settings: Settings) -> Connection:
    """Return address, key and timeout of a server."""
    key = settings.qdrant_api_key.get_secret_value()
    return Connection(url, key, settings.qdrant_timeout, grpc_port=settings.qdrant_grpc_port)


def make_options(settings: Settings, hidden: str) -> Options:
    """Return how to read collections of a server.

    Args:
        settings: Settings.
        hidden: Collection that cannot be searched, such as the journal's.
    """
    by_collection: dict[str, dict[str, Any]] = {}
    for option, given in _options(settings).items():
        for collection, value in given.items():
            by_collection.setdefault(collection, {})[option] = value
    return Options(
        **by_collection.pop("", {}),
        allowed=settings.allowed,
        hidden=frozenset({hidden}),
        default=settings.collection_name,
        text_elsewhere=bool(settings.texts),
        oversampling=settings.oversampling or None,
        by_collection=by_collection,
        model_dim=lambda collection: dim_of(settings.retrievers.get(collection, settings.embedding_model)),
    )


def _options(settings: Settings) -> dict[str, Mapping[str, Any]]:
    """List the options that may be set for single collections: collection, empty for all others, -> value."""
    return {
        "text_field": settings.text_field,
        "title_field": settings.title_field,
        "source_field": settings.source_field,
        "vector": settings.vector,
        "lexical_vector": settings.lexical_vector,
        "where": settings.where,
    }


@asynccontextmanager
async def open_server(url: str, settings: Settings) -> AsyncIterator[Remote]:
    """Yield a connection and close it afterwards."""
    remote = connect(make_connection(url, settings))
    try:
        yield remote
    finally:
        await remote.close()
