"""Qdrant's gRPC API on 127.0.0.1, as far as reading needs it, over the in-memory engine of qdrant-client."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc as transport  # type: ignore[import-untyped]
from qdrant_client import QdrantClient, grpc, models
from qdrant_client.conversions.conversion import GrpcToRest, RestToGrpc


class _Service(grpc.QdrantServicer, grpc.CollectionsServicer, grpc.PointsServicer):
    def __init__(self, store: QdrantClient, version: str) -> None:
        self._store = store
        self._version = version

    async def HealthCheck(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        return grpc.HealthCheckReply(title="qdrant", version=self._version)

    async def List(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        found = self._store.get_collections().collections
        return grpc.ListCollectionsResponse(collections=[grpc.CollectionDescription(name=one.name) for one in found])

    async def ListAliases(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        return grpc.ListAliasesResponse()

    async def Get(self, request: Any, context: Any) -> Any:  # noqa: N802
        if not self._store.collection_exists(request.collection_name):
            message = f"Not found: Collection `{request.collection_name}` doesn't exist!"
            await context.abort(transport.StatusCode.NOT_FOUND, message)
        info = self._store.get_collection(request.collection_name)
        return grpc.GetCollectionInfoResponse(result=RestToGrpc.convert_collection_info(info))

    async def Scroll(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        records, _ = self._store.scroll(
            request.collection_name,
            _filter(request),
            request.limit,
            with_payload=True,
            with_vectors=_vectors(request),
        )
        return grpc.ScrollResponse(result=[RestToGrpc.convert_retrieved_point(record) for record in records])

    async def Count(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        counted = self._store.count(request.collection_name, _filter(request)).count
        return grpc.CountResponse(result=grpc.CountResult(count=counted))

    async def Query(self, request: Any, context: Any) -> Any:  # noqa: N802
        return grpc.QueryResponse(result=await self._query(request, context))

    async def QueryBatch(self, request: Any, context: Any) -> Any:  # noqa: N802
        lists = [await self._query(query, context) for query in request.query_points]
        return grpc.QueryBatchResponse(result=[grpc.BatchResult(result=found) for found in lists])

    async def _query(self, request: Any, context: Any) -> list[Any]:
        try:
            found = self._store.query_points(
                request.collection_name,
                query=GrpcToRest.convert_query(request.query),
                using=request.using if request.HasField("using") else None,
                prefetch=[GrpcToRest.convert_prefetch_query(leg) for leg in request.prefetch] or None,
                query_filter=_filter(request),
                limit=request.limit,
                with_vectors=_vectors(request),
            )
        except ValueError as error:  # the point does not exist
            message = f"Not found: No point with id {str(error).split()[1]} found"
            await context.abort(transport.StatusCode.NOT_FOUND, message)
        return [RestToGrpc.convert_scored_point(point) for point in found.points]


def _filter(request: Any) -> models.Filter | None:
    return GrpcToRest.convert_filter(request.filter) if request.HasField("filter") else None


def _vectors(request: Any) -> bool | list[str]:
    asked = request.with_vectors
    if not asked.WhichOneof("selector_options"):
        return False
    names: bool | list[str] = GrpcToRest.convert_with_vectors_selector(asked)
    return names


@asynccontextmanager
async def serving_grpc(store: QdrantClient, version: str = "1.19.0") -> AsyncIterator[int]:
    """Serve a store and yield the port."""
    server = transport.aio.server()
    service = _Service(store, version)
    for name in "Qdrant", "Collections", "Points":
        getattr(grpc, f"add_{name}Servicer_to_server")(service, server)
    port: int = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield port
    finally:
        await server.stop(0)
