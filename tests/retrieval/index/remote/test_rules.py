"""What a real server does that one would not guess: its limits, quantised vectors, moved aliases, text filters."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from others import (
    COSINE,
    DIM,
    DOCS,
    EUCLID,
    EXAMPLES,
    IDS,
    QUERY,
    SEEN,
    VECTORS,
    ids,
    last_batch,
    params,
    steered,
    store,
)
from qdrant_client import models
from qdrant_server import QdrantServer
from support import hybrid, near

from warmer.errors import EngineError, FilterError, ModelMismatchError
from warmer.index import Coefficients, DenseQuery, FeedbackItem
from warmer.index.bm25 import query_words
from warmer.index.remote.client import Connection, Remote, connect
from warmer.index.remote.engine import QdrantIndex
from warmer.index.remote.options import Options
from warmer.steering.ranking import nearest

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def server() -> Iterator[QdrantServer]:
    with QdrantServer() as served:
        yield served


LIMITS = {
    "max_query_limit": 12,
    "search_max_batchsize": 1,
    "filter_max_conditions": 2,
    "condition_max_size": 10,
    "search_max_hnsw_ef": 50,
    "search_max_oversampling": 0.4,
    "search_allow_exact": False,
    "read_rate_limit": 6,
}


@pytest.mark.parametrize("metadata", [{"warmer": {"model": "m"}}, None])  # words of the server, and words read here
@pytest.mark.parametrize("limit", LIMITS)
async def test_the_loop_keeps_within_each_limit_of_strict_mode(
    server: QdrantServer, remote: Remote, limit: str, metadata: dict[str, Any] | None
) -> None:
    scalar = models.ScalarQuantization(scalar=models.ScalarQuantizationConfig(type=models.ScalarType.INT8))
    store(server, {"dense": params(EUCLID, quantization_config=scalar)}, sparse=True, metadata=metadata)
    words = models.SparseVector(indices=query_words("text").indices, values=[1.0])
    server.store.update_vectors(DOCS, [models.PointVectors(id=n, vector={"bm25": words}) for n in IDS[20:50]])
    server.api.strict[DOCS] = models.StrictModeConfigOutput.model_validate({"enabled": True, limit: LIMITS[limit]})
    try:
        index = QdrantIndex(remote, DOCS)
        seen = [str(n) for n in IDS[:25]]
        hits = await hybrid(index, QUERY, "text", 10, scored=EXAMPLES, without=seen)
        assert len(hits) == 10
        assert not set(ids(hits)) & set(seen)
        assert len(await index.sample()) > 0
        assert f"limits requests to it: {limit}" in "".join((await index.info()).notes)
    finally:
        del server.api.strict[DOCS]


async def test_a_limit_that_cannot_be_kept_is_named_and_not_the_filter(server: QdrantServer, remote: Remote) -> None:
    store(server, params())
    server.api.strict[DOCS] = models.StrictModeConfigOutput(enabled=True, read_rate_limit=1)
    where = {"must": [{"key": "tenant", "match": {"value": 1}}]}
    try:
        with pytest.raises(EngineError, match=r"does not allow so much at once.*raise read_rate_limit") as refused:
            await near(QdrantIndex(remote, DOCS), QUERY, 3, where=where)
        assert not isinstance(refused.value, FilterError)
    finally:
        del server.api.strict[DOCS]


@pytest.mark.parametrize(
    ("kind", "wanted", "asked"),
    [("scalar", None, None), ("product", None, 2.0), ("binary", None, 4.0), ("binary", 8, 8.0)],
)
async def test_quantised_vectors_are_rescored(
    server: QdrantServer, remote: Remote, kind: str, wanted: float | None, asked: float | None
) -> None:
    configs: dict[str, Any] = {
        "scalar": models.ScalarQuantization(scalar=models.ScalarQuantizationConfig(type=models.ScalarType.INT8)),
        "product": models.ProductQuantization(
            product=models.ProductQuantizationConfig(compression=models.CompressionRatio.X16)
        ),
        "binary": models.BinaryQuantization(binary=models.BinaryQuantizationConfig()),
    }
    store(server, {"only": params(quantization_config=configs[kind])})
    index = QdrantIndex(remote, DOCS, Options(oversampling=wanted))
    for query in DenseQuery(QUERY), steered():
        assert len(await nearest(index, query, 5, without=SEEN)) == 5
        quantization = last_batch(server)[0]["params"]["quantization"]
        assert (quantization["rescore"], quantization.get("oversampling")) == (True, asked)
    assert f"quantised ({kind})" in "".join((await index.info()).notes)


def large(n: int) -> dict[str, Any]:
    return {"page_content": f"text {n} " + 9000 * "-"}


async def test_a_search_and_its_feedback_are_two_round_trips_each(server: QdrantServer, remote: Remote) -> None:
    store(server, {"dense": params()}, sparse=True, metadata={"warmer": {"model": "m"}})
    index = QdrantIndex(remote, DOCS)
    await index.info()
    server.requests.clear()
    shown = await hybrid(index, QUERY, "text", 10)
    paths = [path.rpartition("/")[2] for _, path, _ in server.requests]
    assert (paths[0], sorted(paths[1:])) == ("batch", ["batch", "scroll"])  # the second and third go at once
    store(server, {"dense": params()}, sparse=True, metadata={"warmer": {"model": "m"}}, payload=large)
    server.requests.clear()
    assert len(await hybrid(QdrantIndex(remote, DOCS), QUERY, "text", 10)) == 10
    assert [path.rpartition("/")[2] for _, path, _ in server.requests][-3:] == ["batch", "batch", "scroll"]
    assert index.remembered([shown[0].id, "no"]) == {shown[0].id: shown[0].passage}


@pytest.mark.parametrize("heavy", [False, True])
async def test_words_that_are_read_here_take_two_round_trips_too(
    server: QdrantServer, remote: Remote, heavy: bool
) -> None:
    def payload(n: int) -> dict[str, Any]:  # each other one of another layout
        more = " -" * 4500 * heavy
        return {"page_content": f"word{n}{more}"} if n % 2 else {"content": f"word{n}{more}", "meta": {"name": "x"}}

    store(server, {"dense": params()}, payload=payload)
    index = QdrantIndex(remote, DOCS)
    await hybrid(index, QUERY, "word1", 1)  # reads the texts
    server.requests.clear()
    shown = await hybrid(index, QUERY, "word42", 10)
    assert [path.rpartition("/")[2] for _, path, _ in server.requests] == ["batch", "scroll"]
    assert str(IDS[42]) in ids(shown)
    assert all(hit.payload["text"].startswith("word") for hit in shown)


async def test_of_equal_words_those_with_the_least_ids_are_candidates(server: QdrantServer, remote: Remote) -> None:
    store(server, {"dense": params()}, payload=lambda n: {"text": "same words" if n >= 20 else "others"})
    index, words = QdrantIndex(remote, DOCS), query_words("same words")
    seen = [str(IDS[n]) for n in (20, 21)]
    found = await index.candidates(DenseQuery(VECTORS[0]), words, 3, without=seen)
    near = await index.candidates(DenseQuery(VECTORS[0]), None, 3, without=seen)
    assert set(found.ids) == {*near.ids, "22", "23", "24"}
    even = {"must": [{"has_id": [n for n in IDS[1:] if int(n) % 2 == 0]}]}
    assert "23" not in (await index.candidates(DenseQuery(VECTORS[0]), words, 3, where=even, without=seen)).ids


async def test_an_alias_that_leads_to_another_layout_is_told_at_once(server: QdrantServer, remote: Remote) -> None:
    store(server, {"dense": params()}, sparse=True, metadata={"warmer": {"model": "m"}}, name="old")
    server.store.delete_collection("new")
    wide = models.VectorParams(size=2 * DIM, distance=COSINE)
    server.store.create_collection("new", {"other": wide})
    vector = np.concatenate([VECTORS[0], VECTORS[1]])
    server.store.upsert("new", [models.PointStruct(id=1, vector={"other": vector.tolist()}, payload={"body": "now"})])
    point_to(server, "old")
    index = QdrantIndex(remote, "alias", clock=lambda: 0.0)
    assert len(await hybrid(index, QUERY, "text", 3)) == 3
    point_to(server, "new")
    with pytest.raises(ModelMismatchError, match=f"{DIM} numbers.*'other' have {2 * DIM}"):
        await hybrid(index, QUERY, "text", 3)
    (hit,) = await hybrid(index, vector, "text", 3)
    assert hit.payload["text"] == "now"


def point_to(server: QdrantServer, name: str) -> None:
    server.store.update_collection_aliases(
        [
            models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name="alias")),
            models.CreateAliasOperation(create_alias=models.CreateAlias(collection_name=name, alias_name="alias")),
        ]
    )


@pytest.mark.parametrize("number", [1e39, float("nan")])
async def test_a_number_that_is_no_float32_is_refused(server: QdrantServer, remote: Remote, number: float) -> None:
    store(server, params())
    index = QdrantIndex(remote, DOCS)
    items = [FeedbackItem(None, VECTORS[0], number), FeedbackItem(None, VECTORS[1], 0.0)]
    with pytest.raises(EngineError, match="is not a 32-bit number"):
        await nearest(index, DenseQuery(QUERY, items, Coefficients(1, 1, 1)), 3)
    with pytest.raises(EngineError, match="a query's vector"):
        await near(index, np.full(DIM, number), 3)


async def test_text_filters_are_told_apart(server: QdrantServer, remote: Remote) -> None:
    store(server, params())
    index = QdrantIndex(remote, DOCS)
    info = await index.info()
    assert info.worded == {}
    assert "looks for the string as it stands" in info.notes[-1]
    words = models.TextIndexParams(type=models.TextIndexType.TEXT, phrase_matching=True, lowercase=True)
    body = {"field_name": "page_content", "field_schema": words.model_dump(mode="json", exclude_none=True)}
    server.api.answer("PUT", f"/collections/{DOCS}/index", body)
    info = await QdrantIndex(remote, DOCS).info()
    assert info.worded == {"page_content": True, "text": True}  # `text` means it
    assert "text filter" not in str(info.notes)


async def test_matches_that_a_server_does_not_have() -> None:
    with QdrantServer(version="1.18.3") as served:
        store(served, params())
        remote = connect(Connection(served.url))
        with pytest.raises(FilterError, match=r"server 1\.18 has no match by prefix: .*1\.19"):
            where = {"must": [{"key": "page_content", "match": {"prefix": "te"}}]}
            await near(QdrantIndex(remote, DOCS), QUERY, 3, where=where)
        await remote.close()
