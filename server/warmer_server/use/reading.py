"""Read the threads of a collection from whichever journal the settings name, and the passages as they are now."""

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np

from warmer.errors import CollectionError
from warmer.index import Hit, Index
from warmer.journal.tenancy import Namespace, namespace_of
from warmer.journal.transfer.file import read_file
from warmer.journal.use import Seen, Selection, Thread, threads
from warmer_server.engine import open_engine
from warmer_server.settings import Settings

Export = Callable[[Settings, str, Path], Awaitable[Any]]

_SAME = 0.999  # cosine of a passage's vector then and now, above what storing it costs
_PAGE = 200


@asynccontextmanager
async def opened(settings: Settings, name: str) -> AsyncIterator[Index]:
    """Open a collection, the only one if no name is given."""
    async with open_engine(settings) as engine:
        yield await engine.collections.find(name)


async def read_threads(settings: Settings, export: Export, selection: Selection) -> list[Thread]:
    """Read the threads of a selection in which something was scored.

    Args:
        settings: Settings.
        export: Writes the journal to a file.
        selection: Which are meant.
    """
    with tempfile.TemporaryDirectory(prefix="warmer-") as folder:
        await export(settings, "export", Path(folder) / "journal")
        return threads((record for _, record in read_file(Path(folder) / "journal")), selection)


def stored_name(settings: Settings, collection: str) -> str:
    """Return the name under which the journal has a collection."""
    return namespace(settings).qualify(collection)


def namespace(settings: Settings) -> Namespace:
    """Return the part of the journal that the settings may see."""
    where = settings.where
    return namespace_of(where[""] if where.keys() == {""} else where)


async def present(index: Index, seen: Iterable[Seen]) -> tuple[dict[str, Hit], int, int]:
    """Fetch passages that are still what they were; gives them by point id, and how many are gone or changed."""
    then = {one.point: one for one in seen}
    ids, found = list(then), dict[str, Hit]()
    for start in range(0, len(ids), _PAGE):
        hits = await index.completed(await index.retrieve(ids[start : start + _PAGE]))
        found |= {hit.id: hit for hit in hits}
    same = {id_: hit for id_, hit in found.items() if _is_same(then[id_], hit)}
    return same, len(then) - len(found), len(found) - len(same)


def _is_same(then: Seen, hit: Hit) -> bool:
    if then.vector.size != hit.vector.size:
        return False
    scale = float(np.linalg.norm(then.vector) * np.linalg.norm(hit.vector))
    return not scale or float(then.vector @ hit.vector) / scale >= _SAME


def nothing_scored(collection: str) -> CollectionError:
    """Make the error for a collection without scored threads."""
    return CollectionError(
        f"no thread of collection {collection!r} has scores of the kind asked for: search and score with give_feedback "
        "first, or ask for less (--owner, --days, --judge, --min-scores)"
    )
