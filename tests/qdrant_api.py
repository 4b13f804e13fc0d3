"""Qdrant's REST API on the in-memory engine of qdrant-client: map method, path and JSON body to the JSON result.

Errors have Qdrant's wording.
"""

import json
from collections.abc import Callable
from threading import RLock
from typing import Any
from urllib.parse import unquote

from pydantic import TypeAdapter, ValidationError
from qdrant_client import QdrantClient, models
from qdrant_limits import RateLimitedError, check_strictly

Embed = Callable[[str, str], list[float]]


class RefusedError(Exception):
    """Qdrant refuses a request."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Api:
    """The API. `inference` fakes Qdrant Cloud Inference: it returns the vector of a text for a model."""

    def __init__(self, version: str, inference: Embed | None) -> None:
        self.store = QdrantClient(":memory:")
        self._old = tuple(map(int, version.split(".")[:2])) < (1, 17)
        self._inference = inference
        self._lock = RLock()
        self._schemas: dict[str, dict[str, Any]] = {}
        self.copies: dict[str, int] = {}
        self.strict: dict[str, models.StrictModeConfigOutput] = {}

    def answer(self, method: str, path: str, body: Any) -> Any:
        with self._lock:
            try:
                return _json(
                    self._route(method, [unquote(part) for part in path.split("/")[1:]], self._embed_texts(body))
                )
            except ValidationError as error:
                raise RefusedError(400, f"Format error in JSON body: {error.errors()[0]['msg']}") from error
            except RateLimitedError as error:
                raise RefusedError(429, str(error)) from error
            except (ValueError, KeyError, TypeError) as error:
                raise _refusal(error) from error

    def _embed_texts(self, value: Any) -> Any:
        """Replace texts to embed by their vectors."""
        if isinstance(value, list):
            return [self._embed_texts(item) for item in value]
        if not isinstance(value, dict):
            return value
        if value.keys() >= {"text", "model"} and value.keys() <= {"text", "model", "options"}:
            if self._inference is None:
                raise RefusedError(
                    500, "Service internal error: InferenceService is not initialized. Please check if it was properly "
                    "configured and initialized during startup."
                )  # fmt: skip
            return self._inference(value["text"], value["model"])
        return {name: item if name == "payload" else self._embed_texts(item) for name, item in value.items()}

    def _route(self, method: str, parts: list[str], body: Any) -> Any:
        match method, parts:
            case "GET", ["aliases"]:
                return self.store.get_aliases()
            case "GET", ["collections"]:
                return self.store.get_collections()
            case "GET", ["collections", name, "exists"]:
                return {"exists": self.store.collection_exists(name)}
            case _, ["collections", name]:
                return self._collection(method, name, body)
            case _, ["collections", name, "index", *field]:
                return self._index(method, name, field, body)
            case _, ["collections", name, "points", *rest]:
                return self._points(method, name, "/".join(rest), body)
        raise RefusedError(404, "")

    def _collection(self, method: str, name: str, body: Any) -> Any:
        match method:
            case "GET":
                return self._info(name)
            case "PUT":
                if self.store.collection_exists(name):
                    raise RefusedError(409, f"Wrong input: Collection `{name}` already exists!")
                made = models.CreateCollection.model_validate(body)
                self._schemas[name] = {}
                self.copies[name] = made.replication_factor or 1
                if made.strict_mode_config:
                    given = made.strict_mode_config.model_dump(exclude_unset=True)
                    self.strict[name] = models.StrictModeConfigOutput.model_validate(given)
                return self.store.create_collection(name, made.vectors, made.sparse_vectors, metadata=made.metadata)
            case "PATCH":
                changed = models.UpdateCollection.model_validate(body)
                return self.store.update_collection(name, metadata=changed.metadata)
            case "DELETE":
                return self.store.delete_collection(name)
        raise RefusedError(405, "")

    def _info(self, name: str) -> models.CollectionInfo:
        info = self.store.get_collection(name)
        params = info.config.params.model_copy(update={"replication_factor": self.copies.get(name, 1)})
        config = info.config.model_copy(update={"params": params, "strict_mode_config": self.strict.get(name)})
        return info.model_copy(update={"config": config, "payload_schema": self._schemas.get(name, {})})

    def _index(self, method: str, name: str, field: list[str], body: Any) -> Any:
        self.store.get_collection(name)
        if method == "DELETE":
            self._schemas[name].pop(field[0], None)
        else:
            made = models.CreateFieldIndex.model_validate(body)
            schema = made.field_schema
            params = None if isinstance(schema, models.PayloadSchemaType | None) else schema
            kind = getattr(schema, "type", schema)
            self._schemas.setdefault(name, {})[made.field_name] = models.PayloadIndexInfo(
                data_type=models.PayloadSchemaType(getattr(kind, "value", kind)), params=params, points=0
            )
        return _DONE

    def _points(self, method: str, name: str, what: str, body: Any) -> Any:
        if strict := self.strict.get(name):
            check_strictly(strict, what, body)
        if method == "POST" and what in _READS:
            return self._read(name, what, body)
        return self._write(method, name, what, body)

    def _read(self, name: str, what: str, body: Any) -> Any:
        match what:
            case "":
                asked = models.PointRequest.model_validate(body)
                payload = True if asked.with_payload is None else asked.with_payload
                return self.store.retrieve(name, asked.ids, payload, asked.with_vector or False)
            case "query":
                return self._query(name, body)
            case "query/batch":
                return [self._query(name, search) for search in body["searches"]]
            case "scroll":
                page = models.ScrollRequest.model_validate(body)
                payload = True if page.with_payload is None else page.with_payload
                points, after = self.store.scroll(
                    name, page.filter, page.limit or 10, page.order_by, page.offset, payload, page.with_vector or False
                )
                return {"points": points, "next_page_offset": after}
            case "count":
                counted = models.CountRequest.model_validate(body)
                return self.store.count(name, counted.filter)
        return None

    def _query(self, name: str, body: Any) -> models.QueryResponse:
        if self._old and "relevance_feedback" in json.dumps(body):
            raise RefusedError(
                400, "Format error in JSON body: data did not match any variant of untagged enum QueryInterface"
            )
        asked = models.QueryRequest.model_validate(body)
        inputs = _feedback_inputs(asked.query, *_prefetch_queries(asked.prefetch))
        for strategy in inputs:
            _check_feedback(strategy)
        gone = {one for asked_for in inputs for one in _named(asked_for)}
        return self.store.query_points(
            name,
            query=asked.query,
            using=asked.using,
            prefetch=[leg.model_copy(update={"filter": _without(leg.filter, gone)}) for leg in _legs(asked.prefetch)],
            query_filter=_without(asked.filter, gone),
            search_params=None,
            limit=asked.limit or 10,
            offset=asked.offset,
            with_payload=asked.with_payload or False,
            with_vectors=asked.with_vector or False,
            score_threshold=asked.score_threshold,
        )

    def _write(self, method: str, name: str, what: str, body: Any) -> Any:
        match method, what:
            case "PUT", "":
                points = _POINTS.validate_python(body)
                given = points.points if isinstance(points, models.PointsList) else points.batch
                self.store.upsert(name, given, update_filter=points.update_filter, update_mode=points.update_mode)
            case "POST", "delete":
                self.store.delete(name, _SELECTOR.validate_python(body))
            case "POST" | "PUT", "payload":
                given_payload = models.SetPayload.model_validate(body)
                selector = _selector(given_payload.points, given_payload.filter)
                if method == "PUT":
                    self.store.overwrite_payload(name, given_payload.payload, selector)
                else:
                    self.store.set_payload(name, given_payload.payload, selector, key=given_payload.key)
            case "POST", "payload/delete":
                gone = models.DeletePayload.model_validate(body)
                self.store.delete_payload(name, gone.keys, _selector(gone.points, gone.filter))
            case "POST", "batch":
                operations = models.UpdateOperations.model_validate(body).operations
                self.store.batch_update_points(name, operations)
                return [_DONE] * len(operations)
            case _:
                raise RefusedError(404, "")
        return _DONE


_READS = ("", "query", "query/batch", "scroll", "count")
_DONE = models.UpdateResult(operation_id=0, status=models.UpdateStatus.COMPLETED)
_POINTS: TypeAdapter[Any] = TypeAdapter(models.PointsList | models.PointsBatch)
_SELECTOR: TypeAdapter[Any] = TypeAdapter(models.PointIdsList | models.FilterSelector)


def _legs(prefetch: Any) -> list[models.Prefetch]:
    if prefetch is None:
        return []
    return prefetch if isinstance(prefetch, list) else [prefetch]


def _prefetch_queries(prefetch: Any) -> list[Any]:
    return [leg.query for leg in _legs(prefetch)]


def _named(asked: models.RelevanceFeedbackInput) -> list[int | str]:
    examples = [asked.target, *(item.example for item in asked.feedback)]
    return [one for one in examples if isinstance(one, int | str)]


def _without(where: models.Filter | None, ids: set[int | str]) -> models.Filter | None:
    """Points that go as examples by id vanish from every leg."""
    if not ids:
        return where
    gone = models.Filter(must_not=[models.HasIdCondition(has_id=list(ids))])
    return models.Filter(must=[where, gone] if where else [gone])


def _feedback_inputs(*queries: Any) -> list[models.RelevanceFeedbackInput]:
    return [query.relevance_feedback for query in queries if isinstance(query, models.RelevanceFeedbackQuery)]


def _check_feedback(asked: models.RelevanceFeedbackInput) -> None:
    if not asked.feedback:
        raise RefusedError(
            400, "Validation error in JSON body: [relevance_feedback.feedback: feedback elements must be non-empty]"
        )
    if asked.strategy.naive.b < 0:
        raise RefusedError(400, "Validation error in JSON body: [strategy.naive.b: value must be 0.0 or larger]")


def _selector(points: Any, where: models.Filter | None) -> Any:
    return models.FilterSelector(filter=where) if points is None else models.PointIdsList(points=points)


def _refusal(error: Exception) -> RefusedError:
    """Turn an error of the in-memory engine into the server's wording."""
    said = str(error)
    words = said.split()
    if said.startswith("Collection ") and said.endswith(" not found"):
        return RefusedError(404, f"Not found: Collection `{said[11:-10]}` doesn't exist!")
    if said.startswith("Point ") and "not found" in said:
        return RefusedError(404, f"Not found: No point with id {words[1]} found")
    if " vector " in said and said.endswith("is not found in the collection"):
        return RefusedError(400, f"Wrong input: Not existing vector name error: {words[2]}")
    return RefusedError(400, f"Wrong input: {said.removeprefix('Wrong input: ')}")


def _json(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_json(item) for item in value]
    if isinstance(value, dict):
        return {name: _json(item) for name, item in value.items()}
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", by_alias=True)
    return value
