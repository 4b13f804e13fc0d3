"""Resources: which collections there are, what one holds, its parameters, and a passage in full with its neighbours.

They say what the caller may see, and no more. What others wrote is a JSON string in them, made plain, as in hits.
"""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any
from urllib.parse import quote
from uuid import UUID

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError
from mcp.types import Resource

from warmer.errors import CollectionError, WarmerError
from warmer.index import Hit
from warmer.sanitize import error_text, sanitize, sanitize_json
from warmer.steering.params import Params
from warmer.steering.scores import SCALE
from warmer_tools.workspace import Workspace

COLLECTIONS = "warmer://collections"
COLLECTION = COLLECTIONS + "/{collection}"
PARAMS = COLLECTION + "/params"
PASSAGE = COLLECTION + "/passages/{id}"

_JSON = "application/json"
_REACH = 2  # neighbours on each side
_LONGEST = 100_000  # characters of a text
_DIGITS = 20  # of a whole number that can be a point id
_LISTED = 100
_log = logging.getLogger(__name__)


def register(server: MCPServer[Workspace], caller: Callable[[], Workspace]) -> None:
    """Add them to a server.

    Args:
        server: The server.
        caller: Gives the workspace of a call; the SDK has it for templates alone.
    """

    @server.resource(COLLECTIONS, title="Collections", mime_type=_JSON)
    async def collections() -> str:
        """Names of the collections that can be searched."""
        with _spoken():
            return _json({"collections": await caller().collections.names()})

    @server.resource(COLLECTION, title="Collection", mime_type=_JSON)
    async def collection(collection: str, ctx: Context[Workspace]) -> str:
        """What a collection holds: size, embedding model, fields that a filter can name."""
        with _spoken():
            info = await (await _workspace(ctx).collections.find(collection)).info()
            told = {name: value for name, value in asdict(info).items() if name != "declared"}
            return _json({name: value for name, value in told.items() if value not in ("", (), {}, None)})

    @server.resource(PARAMS, title="Parameters", mime_type=_JSON)
    async def params(collection: str, ctx: Context[Workspace]) -> str:
        """How far scores steer there: the defaults, and what was trained, with its held-out figures."""
        workspace = _workspace(ctx)
        with _spoken():
            name = (await (await workspace.collections.find(collection)).info()).name
            trained = [one.to_json() for one in await workspace.parameters.all() if one.key.collection == name]
            default = asdict(Params())
            return _json({"default": default | {"neutral": default["neutral"] * SCALE}, "trained": trained})

    @server.resource(PASSAGE, title="Passage", mime_type=_JSON)
    async def passage(collection: str, id: str, ctx: Context[Workspace]) -> str:  # noqa: A002
        """A passage in full, by the id of a hit, between those before and after it in its document."""
        with _spoken():
            found = await (await _workspace(ctx).collections.find(collection)).around(_point_id(id), _REACH)
            return _json(_told(collection, id, found))


async def of_collections(workspace: Workspace) -> list[Resource]:
    """List the first hundred collections as resources; none where the engine cannot be asked now."""
    try:
        names = await workspace.collections.names()
    except WarmerError as error:
        _log.warning("collections are not listed as resources: %s", error)
        return []
    return [
        Resource(uri=f"{COLLECTIONS}/{quote(name, safe='')}", name=sanitize(name), mime_type=_JSON)
        for name in names[:_LISTED]
    ]


def _workspace(ctx: Context[Workspace]) -> Workspace:
    return ctx.request_context.lifespan_context


def _point_id(text: str) -> str:
    """Read a point id as Qdrant takes it: a UUID, or a whole number.

    Raises:
        CollectionError: It is neither.
    """
    if text.isascii() and text.isdecimal() and len(text) <= _DIGITS and int(text) < 2**64:
        return str(int(text))
    try:
        return str(UUID(text))
    except ValueError as error:
        raise CollectionError(
            f"{text[:60]!r} is no point id, which is a UUID or a whole number: take the `id` of a hit"
        ) from error


def _told(collection: str, asked: str, found: list[Hit]) -> dict[str, Any]:
    """Tell of a passage and its neighbours, which are the same document's.

    Raises:
        CollectionError: It is not there.
    """
    ids = [hit.id for hit in found]
    own = _point_id(asked)
    if own not in ids:
        raise CollectionError(f"collection {collection!r} has no passage {asked!r}: it may have been deleted since")
    at = ids.index(own)
    return {
        "collection": collection,
        "id": own,
        **_payload(found[at]),
        "before": [_brief(hit) for hit in found[:at]],
        "after": [_brief(hit) for hit in found[at + 1 :]],
    }


def _brief(hit: Hit) -> dict[str, Any]:
    told = _payload(hit)
    return {"id": hit.id, **{name: told[name] for name in ("title", "line", "text") if name in told}}


def _payload(hit: Hit) -> dict[str, Any]:
    told = {name: value for name, value in hit.payload.items() if value not in ("", None)}
    return {name: _cut(value) if isinstance(value, str) else value for name, value in ({"text": ""} | told).items()}


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST] + " …"


def _json(told: dict[str, Any]) -> str:
    return json.dumps(sanitize_json(told), ensure_ascii=False, separators=(",", ":"), default=str)


@contextmanager
def _spoken() -> Iterator[None]:
    """Turn what went wrong into a message for the client."""
    try:
        yield
    except CollectionError as error:
        raise ResourceNotFoundError(error_text(str(error))) from error
    except WarmerError as error:
        raise ResourceError(error_text(str(error))) from error
    except Exception as error:
        _log.exception("unexpected error")
        raise ResourceError(f"a bug in warmer: {type(error).__name__}; the server's log on stderr has more") from error
