"""Resources: the collections, what one holds, its parameters, and a passage in full with its neighbours.

They show only what the caller may see. Text of documents is in JSON strings, sanitized as in hits.
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
from warmer.index.sampling import few_values
from warmer.sanitize import error_text, sanitize, sanitize_json
from warmer.steering.params import Params
from warmer.steering.scores import SCALE
from warmer_tools.workspace import Workspace

COLLECTIONS = "warmer://collections"
COLLECTION = COLLECTIONS + "/{collection}"
PARAMS = COLLECTION + "/params"
PASSAGE = COLLECTION + "/passages/{id}"

_JSON = "application/json"
_NEIGHBOURS = 2  # on each side
_MAX_TEXT = 100_000  # characters
_MAX_DIGITS = 20  # of a point id, which is below 2**64
_MAX_LISTED = 100
_log = logging.getLogger(__name__)


def register(server: MCPServer[Workspace], current_workspace: Callable[[], Workspace]) -> None:
    """Register the resources.

    Args:
        server: Server.
        current_workspace: Returns the workspace of the call, which the SDK passes only to templates.
    """

    @server.resource(COLLECTIONS, title="Collections", mime_type=_JSON)
    async def collections() -> str:
        """Names of the collections that can be searched."""
        with _client_errors():
            return _json({"collections": await current_workspace().collections.names()})

    @server.resource(COLLECTION, title="Collection", mime_type=_JSON)
    async def collection(collection: str, ctx: Context[Workspace]) -> str:
        """What a collection holds: size, embedding model, fields that a filter can name, and their values if few."""
        with _client_errors():
            index = await _workspace(ctx).collections.find(collection)
            info = asdict(await index.info()) | {"values": few_values(await index.sample())}
            fields = {name: value for name, value in info.items() if name not in {"declared", "texts", "code"}}
            return _json({name: value for name, value in fields.items() if value not in ("", (), {}, None)})

    @server.resource(PARAMS, title="Parameters", mime_type=_JSON)
    async def params(collection: str, ctx: Context[Workspace]) -> str:
        """How far scores steer there: the defaults, and what was trained, with its held-out figures."""
        workspace = _workspace(ctx)
        with _client_errors():
            name = (await (await workspace.collections.find(collection)).info()).name
            trained = [one.to_json() for one in await workspace.parameters.all() if one.key.collection == name]
            default = asdict(Params())
            return _json({"default": default | {"neutral": default["neutral"] * SCALE}, "trained": trained})

    @server.resource(PASSAGE, title="Passage", mime_type=_JSON)
    async def passage(collection: str, id: str, ctx: Context[Workspace]) -> str:  # noqa: A002
        """A passage in full, by the id of a hit, between those before and after it in its document."""
        with _client_errors():
            found = await (await _workspace(ctx).collections.find(collection)).around(_point_id(id), _NEIGHBOURS)
            return _json(_passage_with_neighbours(collection, id, found))


async def list_collections(workspace: Workspace) -> list[Resource]:
    """Return the first hundred collections as resources, or none if the engine fails."""
    try:
        names = await workspace.collections.names()
    except WarmerError as error:
        _log.warning("collections are not listed as resources: %s", error)
        return []
    return [
        Resource(uri=f"{COLLECTIONS}/{quote(name, safe='')}", name=sanitize(name), mime_type=_JSON)
        for name in names[:_MAX_LISTED]
    ]


def _workspace(ctx: Context[Workspace]) -> Workspace:
    return ctx.request_context.lifespan_context


def _point_id(text: str) -> str:
    """Normalize a point id: a UUID or an unsigned 64-bit integer, as in Qdrant.

    Raises:
        CollectionError: The text is neither.
    """
    if text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS and int(text) < 2**64:
        return str(int(text))
    try:
        return str(UUID(text))
    except ValueError as error:
        raise CollectionError(
            f"{text[:60]!r} is not a point id, which is a UUID or a whole number: take the `id` of a hit"
        ) from error


def _passage_with_neighbours(collection: str, requested: str, found: list[Hit]) -> dict[str, Any]:
    """Return a passage and its neighbours in the same document.

    Raises:
        CollectionError: The passage does not exist.
    """
    ids = [hit.id for hit in found]
    id_ = _point_id(requested)
    if id_ not in ids:
        raise CollectionError(f"collection {collection!r} has no passage {requested!r}: it may have been deleted since")
    at = ids.index(id_)
    return {
        **_payload(found[at]),
        "collection": collection,
        "id": id_,
        "before": [_brief(hit) for hit in found[:at]],
        "after": [_brief(hit) for hit in found[at + 1 :]],
    }


def _brief(hit: Hit) -> dict[str, Any]:
    payload = _payload(hit)
    return {"id": hit.id} | {name: payload[name] for name in ("title", "line", "text") if name in payload}


def _payload(hit: Hit) -> dict[str, Any]:
    payload = {name: value for name, value in hit.payload.items() if value not in ("", None)}
    return {
        name: _truncate(value) if isinstance(value, str) else value for name, value in ({"text": ""} | payload).items()
    }


def _truncate(text: str) -> str:
    return text if len(text) <= _MAX_TEXT else text[:_MAX_TEXT] + " …"


def _json(content: dict[str, Any]) -> str:
    return json.dumps(sanitize_json(content), ensure_ascii=False, separators=(",", ":"), default=str)


@contextmanager
def _client_errors() -> Iterator[None]:
    """Turn errors into messages for the client."""
    try:
        yield
    except CollectionError as error:
        raise ResourceNotFoundError(error_text(str(error))) from error
    except WarmerError as error:
        raise ResourceError(error_text(str(error))) from error
    except Exception as error:
        _log.exception("unexpected error")
        raise ResourceError(f"a bug in warmer: {type(error).__name__}; the server's log on stderr has more") from error
