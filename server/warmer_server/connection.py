"""A connection to a Qdrant server, by the settings. Importing this loads qdrant-client, which takes a second."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from warmer.index.remote.client import Connection, Remote, connect
from warmer.index.remote.options import Options
from warmer_server.settings import Settings


def connection(url: str, settings: Settings) -> Connection:
    """Say how to reach a server."""
    return Connection(url, settings.qdrant_api_key.get_secret_value(), settings.qdrant_timeout)


def options(settings: Settings, hidden: str) -> Options:
    """Say how to read its collections, all but one that is none to be searched."""
    return Options(
        allowed=settings.allowed,
        hidden=frozenset({hidden}),
        default=settings.collection_name,
        text_field=settings.text_field,
        title_field=settings.title_field,
        source_field=settings.source_field,
        text_elsewhere=bool(settings.texts),
        vector=settings.vector,
        lexical_vector=settings.lexical_vector,
        where=settings.where or None,
    )


@asynccontextmanager
async def server(url: str, settings: Settings) -> AsyncIterator[Remote]:
    """Connect, and close in the end."""
    remote = connect(connection(url, settings))
    try:
        yield remote
    finally:
        await remote.close()
