"""Filters: the same JSON finds the same points on Edge and on qdrant-client's engine, or is refused."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, get_args
from uuid import uuid4

import numpy as np
import pytest
import qdrant_edge as qe
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from qdrant_client import models
from qdrant_client.conversions.conversion import GrpcToRest, RestToGrpc
from qdrant_server import QdrantServer
from remote_engine import NO_SERVER, ReconnectingIndex, delete, make, real_server, with_indexes
from support import near

from warmer.errors import FilterError
from warmer.index import DENSE, LEXICAL, CollectionInfo, Index
from warmer.index.filters import check_filter, edge_filter, text_matches
from warmer.index.remote.client import Connection, connect
from warmer.index.remote.engine import QdrantIndex
from warmer.index.remote.in_memory import MemoryIndex
from warmer.index.restricted import RestrictedIndex, combined

pytestmark = pytest.mark.anyio

UUIDS = [f"5c56c793-69f3-4fbf-87e6-c4bf54c28c{i:02x}" for i in range(12)]
BERLIN, PARIS = {"lon": 13.4, "lat": 52.5}, {"lon": 2.35, "lat": 48.85}
PAYLOADS: list[dict[str, Any]] = [
    {"text": "The quick brown fox", "source": "a.md", "n": 1, "x": 0.5, "flag": True, "tags": ["a", "b"]},
    {"text": "Quick foxes, lazy dogs", "source": "b.md", "n": -3, "x": 1.0, "flag": False, "tags": ["a"]},
    {"text": "lazy-dog naps", "source": "a.md", "n": 7, "x": 2, "tags": [], "title": "Dogs > Naps"},
    {"text": "Äpfel und Öl", "source": "docs/a.md", "n": 2**40, "tags": "a", "none": None},
    {"text": "naps", "meta": {"author": "Ada", "year": 1843}, "when": "1843-10-01"},
    {"text": "", "meta": {"author": "Bob", "year": 2001.5}, "when": "2024-05-01T12:30:00Z"},
    {"text": "fox", "meta": {}, "when": "2024-05-01T12:30:00.5+02:00", "none": [1, None]},
    {"text": "x", "authors": [{"name": "Ada", "age": 36}, {"name": "Bob", "age": 50}], "place": BERLIN},
    {"text": "y", "authors": [{"name": "Bob", "age": 36}], "place": [PARIS, BERLIN]},
    {"text": "z", "authors": [], "place": PARIS, "two words": "a", "when": "no date"},
    {"text": "1", "n": "1", "x": "0.5", "flag": "true", "tags": [["a"], "b"], "place": {"lon": 1}},
    {"text": "n", "n": [1, 7], "x": [0.5, 3.5], "flag": [True, False], "authors": {"name": "Ada"}},
]
IDS = [*UUIDS[:8], *(str(n) for n in range(8, 12))]
FIELDS = dict.fromkeys(sorted({name for payload in PAYLOADS for name in payload}), "string")
INFO = CollectionInfo("c", "1", "none", 4, len(PAYLOADS), FIELDS)
VECTORS = np.random.default_rng(7).normal(size=(len(PAYLOADS), INFO.dim)).astype(np.float32)


def native(point_id: str) -> int | str:
    return int(point_id) if point_id.isdecimal() else point_id


@pytest.fixture(scope="module")
def shard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[qe.EdgeShard]:
    config = qe.EdgeConfig(
        vectors={DENSE: qe.EdgeVectorParams(size=INFO.dim, distance=qe.Distance.Cosine)},
        sparse_vectors={LEXICAL: qe.EdgeSparseVectorParams(modifier=qe.Modifier.Idf)},
        wal_enabled=False,
    )
    made = qe.EdgeShard.create(str(tmp_path_factory.mktemp("shard")), config)
    bm25 = qe.Bm25()
    points = [
        qe.Point(
            native(point_id),
            {
                DENSE: vector.tolist(),
                LEXICAL: bm25.embed_document("\n".join(filter(None, [payload.get("title"), payload["text"]]))),
            },
            payload,
        )
        for point_id, vector, payload in zip(IDS, VECTORS, PAYLOADS, strict=True)
    ]
    made.update(qe.UpdateOperation.upsert_points(points))
    yield made
    made.close()


@pytest.fixture(scope="module")
async def memory(anyio_backend: str) -> MemoryIndex:  # noqa: ARG001
    return await MemoryIndex.create(INFO, zip(IDS, VECTORS, PAYLOADS, strict=True))


@pytest.fixture(scope="module", params=["rest", "server"])
def remote(request: pytest.FixtureRequest) -> Iterator[Index]:
    """The same points behind Qdrant's REST API, and on a real server."""
    points = zip(IDS, VECTORS, PAYLOADS, strict=True)
    if request.param == "rest":
        with QdrantServer() as server:
            make(Connection(server.url), INFO, points)
            yield QdrantIndex(connect(Connection(server.url)), INFO.name)
    elif connection := real_server():
        info = replace(INFO, name=f"warmer-test-{uuid4().hex}")
        make(connection, info, points)
        with_indexes(connection, info.name)
        try:
            yield ReconnectingIndex(connection, info.name)
        finally:
            delete(connection, info.name)
    else:
        pytest.skip(NO_SERVER)


def edge_ids(shard: qe.EdgeShard, where: dict[str, Any]) -> list[str]:
    records, _ = shard.scroll(qe.ScrollRequest(limit=99, filter=edge_filter(where, FIELDS)))
    return sorted(str(record.id) for record in records)


async def found_ids(index: Index, where: dict[str, Any]) -> list[str]:
    return sorted(hit.id for hit in await near(index, VECTORS[0], 99, where=where))


def key(name: str, **check: Any) -> dict[str, Any]:
    return {"must": [{"key": name, **check}]}


LINE = {"points": [{"lon": x, "lat": y} for x, y in [(0, 40), (20, 40), (20, 60), (0, 60), (0, 40)]]}
HOLE = {"points": [{"lon": x, "lat": y} for x, y in [(13, 52), (14, 52), (14, 53), (13, 53), (13, 52)]]}
FOUND: list[tuple[dict[str, Any], list[int]]] = [
    ({}, list(range(12))),
    ({"must": [], "should": None}, list(range(12))),
    (key("source", match={"value": "a.md"}), [0, 2]),
    (key("n", match={"value": 1}), [0, 11]),
    (key("flag", match={"value": True}), [0, 11]),
    (key("text", match={"text": "FOX quick"}), [0]),
    (key("text", match={"text": "qui"}), []),
    (key("text", match={"text_any": "fox naps"}), [0, 2, 4, 6]),
    (key("text", match={"phrase": "brown fox"}), [0]),
    (key("text", match={"prefix": "Quick"}), [1]),
    (key("text", match={"substring": "fox"}), [0, 1, 6]),
    (key("n", match={"any": [7, -3]}), [1, 2, 11]),
    (key("tags", match={"any": ["b"]}), [0, 10]),
    (key("source", match={"except": ["a.md"]}), [1, 3]),
    (key("x", range={"gte": 0.5, "lt": 2}), [0, 1, 11]),
    (key("when", range={"gt": "2024-05-01T10:30:00Z", "lte": "2024-05-01T12:30:00Z"}), [5, 6]),
    (key("when", range={"lt": "1900-01-01"}), [4]),
    (key("place", geo_radius={"center": BERLIN, "radius": 1000}), [7, 8]),
    (key("place", geo_bounding_box={"top_left": {"lon": 2, "lat": 49}, "bottom_right": {"lon": 3, "lat": 48}}), [8, 9]),
    (key("place", geo_polygon={"exterior": LINE}), [7, 8, 9]),
    (key("place", geo_polygon={"exterior": LINE, "interiors": [HOLE]}), [8, 9]),
    (key("tags", values_count={"gte": 2}), [0, 10]),
    (key("none", is_null=True), [3, 6]),
    (key("tags", is_empty=False), [0, 1, 3, 10]),
    ({"must": {"is_null": {"key": "none"}}}, [3, 6]),
    ({"must_not": {"is_empty": {"key": "tags"}}}, [0, 1, 3, 10]),
    ({"must": {"has_id": [UUIDS[0], UUIDS[1].upper(), 9, 99]}}, [0, 1, 9]),
    ({"must": {"has_vector": DENSE}}, list(range(12))),
    ({"must": {"nested": {"key": "authors", "filter": {"must": [
        {"key": "name", "match": {"value": "Bob"}}, {"key": "age", "range": {"lt": 40}}]}}}}, [8]),
    (key("authors[].name", match={"value": "Ada"}), [7]),
    (key("meta.author", match={"value": "Ada"}), [4]),
    (key('"two words"', match={"value": "a"}), [9]),
    ({"should": [{"has_id": [8]}, {"must": {"has_id": [9]}}]}, [8, 9]),
    ({"min_should": {"conditions": [{"has_id": [8, 9]}, {"has_id": [9, 10]}], "min_count": 2}}, [9]),
]  # fmt: skip


@pytest.mark.parametrize(("where", "expected"), FOUND)
async def test_both_engines_find_what_a_filter_says(
    shard: qe.EdgeShard, memory: MemoryIndex, where: dict[str, Any], expected: list[int]
) -> None:
    wanted = sorted(IDS[i] for i in expected)
    assert edge_ids(shard, where) == wanted
    assert await found_ids(memory, where) == wanted


@pytest.mark.parametrize(("where", "expected"), FOUND)
async def test_a_server_finds_the_same(remote: Index, where: dict[str, Any], expected: list[int]) -> None:
    try:
        found = await found_ids(remote, where)
    except FilterError as refusal:  # by a server that is too old for it
        assert {"prefix", "substring"} & {kind for _, kind in text_matches(where)}
        assert "upgrade Qdrant to 1.19" in str(refusal)
    else:
        assert found == sorted(IDS[i] for i in expected)


@pytest.mark.parametrize("inside", [False, True])
async def test_null_is_found_in_lists_wherever_a_filter_asks(remote: Index, *, inside: bool) -> None:
    null = {"is_null": {"key": "none"}}
    where = {"should": [{"must": [null]}]} if inside else {"must": null}
    assert await found_ids(remote, where) == sorted([IDS[3], IDS[6]])


@pytest.mark.parametrize("where", [where for where, _ in FOUND])
def test_filters_are_the_same_over_grpc(where: dict[str, Any]) -> None:
    model = models.Filter.model_validate(where)
    there = GrpcToRest.convert_filter(RestToGrpc.convert_filter(model))
    assert RestToGrpc.convert_filter(there) == RestToGrpc.convert_filter(model)


async def test_slices_part_the_points(shard: qe.EdgeShard, memory: MemoryIndex) -> None:
    slices: list[dict[str, Any]] = [{"must": {"slice": {"total": 3, "index": i}}} for i in range(3)]
    found = [edge_ids(shard, where) for where in slices]
    assert sorted(point_id for ids in found for point_id in ids) == sorted(IDS)
    assert found == [await found_ids(memory, where) for where in slices]


KEYS = st.sampled_from([
    "source", "n", "x", "flag", "tags", "tags[]", "tags[0]", "none", "meta", "meta.author", "meta.year", "authors",
    "authors[].name", "authors[1].age", "authors[][]", "tags[0][0]", "tags[].none", "text.x", '"n"',
    "when", "place", "place[]", "text", "title", '"two words"',
])  # fmt: skip
WORDS = st.sampled_from(["a", "b", "a.md", "Ada", "Bob", "quick", "Quick fox", "lazy dog", "naps.", "1", "", "ÖL", "-"])
INTS = st.sampled_from([-3, 0, 1, 2, 7, 36, 1843, 2**40])
NUMBERS = INTS | st.sampled_from([-0.0, 0.5, 1.0, 1.5, 2001.5, 1e9])
DATES = st.sampled_from(["1843-10-01", "1900-01-01", "2024-05-01T12:30:00Z", "2024-05-01 12:30:00.5+02:00"]) | (
    st.datetimes(timezones=st.sampled_from([None])).map(lambda when: when.isoformat())
)
GEO = st.fixed_dictionaries({
    "lon": st.sampled_from([-170.5, 0.25, 2.35, 13.4, 14.5, 179.5]), "lat": st.sampled_from([-80.5, 48.85, 52.5, 53.5]),
})  # fmt: skip


def bounds(values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(["gt", "gte", "lt", "lte"]), values, min_size=1)


def closed(points: list[Any]) -> dict[str, Any]:
    return {"points": [*points, points[0]]}


MATCH = st.one_of(
    st.fixed_dictionaries({"value": WORDS | INTS | st.booleans()}),
    *(st.fixed_dictionaries({k: WORDS}) for k in ("text", "text_any", "phrase", "prefix", "substring")),
    *(st.fixed_dictionaries({k: st.lists(WORDS) | st.lists(INTS)}) for k in ("any", "except")),
)
CHECKS = st.one_of(
    st.fixed_dictionaries({"match": MATCH}),
    st.fixed_dictionaries({"range": bounds(NUMBERS) | bounds(DATES)}),
    st.fixed_dictionaries({"geo_radius": st.fixed_dictionaries({"center": GEO, "radius": st.floats(1, 2e6)})}),
    st.fixed_dictionaries({"geo_bounding_box": st.fixed_dictionaries({"top_left": GEO, "bottom_right": GEO})}),
    st.fixed_dictionaries({"values_count": bounds(st.integers(0, 3))}),
    st.fixed_dictionaries({"is_empty": st.booleans()}),
    st.fixed_dictionaries({"is_null": st.booleans()}),
)
FIELD = st.builds(lambda k, check: {"key": k, **check}, KEYS, CHECKS)
NESTED = st.fixed_dictionaries({
    "nested": st.fixed_dictionaries({
        "key": st.sampled_from(["authors", "authors[]", "tags", "meta"]),
        "filter": st.fixed_dictionaries({
            "must": st.lists(
                st.builds(lambda k, check: {"key": k, **check}, st.sampled_from(["name", "age", "no"]), CHECKS),
                min_size=1, max_size=3,
            ),
        }),
    }),
})  # fmt: skip
LEAVES = st.one_of(
    FIELD,
    NESTED,
    st.fixed_dictionaries({"has_id": st.lists(st.sampled_from([native(i) for i in [*IDS, "99", UUIDS[9]]]))}),
    st.fixed_dictionaries({"has_vector": st.sampled_from([DENSE, LEXICAL, "other"])}),
    st.fixed_dictionaries({"is_empty": st.fixed_dictionaries({"key": KEYS})}),
    st.fixed_dictionaries({"is_null": st.fixed_dictionaries({"key": KEYS})}),
)


@st.composite
def filters(draw: st.DrawFn, depth: int = 2) -> dict[str, Any]:
    conditions = st.lists(LEAVES | filters(depth - 1) if depth else LEAVES, min_size=1, max_size=3)
    names = draw(st.sets(st.sampled_from(["must", "should", "must_not", "min_should"]), min_size=1, max_size=2))
    where: dict[str, Any] = {name: draw(conditions) for name in sorted(names)}
    if "min_should" in where:
        where["min_should"] = {"conditions": where["min_should"], "min_count": draw(st.integers(1, 3))}
    return where


REAL = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@given(where=filters())
@example(where={"must": [{"key": "flag", "match": {"value": True}}]})
@example(where={"must": {"has_id": [8]}, "min_should": {"conditions": [{"has_id": [8]}], "min_count": 2}})
@REAL
async def test_both_engines_agree(shard: qe.EdgeShard, memory: MemoryIndex, where: dict[str, Any]) -> None:
    assert models.Filter.model_validate(where)
    assert edge_ids(shard, where) == await found_ids(memory, where)


def known(where: Any) -> set[str]:
    """Ask which keys may stand where `where` has one that is unknown."""
    with pytest.raises(FilterError) as refusal:
        check_filter(where, FIELDS)
    listed = re.search(r"known here: ([a-z_, ]+)\.", str(refusal.value))
    assert listed, refusal.value
    return set(listed[1].split(", "))


def aliases(model: type[BaseModel]) -> set[str]:
    return {info.alias or name for name, info in model.model_fields.items()}


def test_every_condition_that_qdrant_client_has_is_known() -> None:
    alone = known({"must": {"has_id": [1], "?": 1}})
    for condition in get_args(models.Condition):
        if condition is models.Filter:
            assert aliases(condition) == known({"?": 1})
        elif condition is models.FieldCondition:
            assert aliases(condition) == known({"must": {"key": "n", "?": 1}})
        else:
            assert aliases(condition) <= alone, condition
    matches = known(key("n", match={"?": 1}))
    assert {name for match in get_args(models.Match) for name in aliases(match)} == matches
    for bound in get_args(models.RangeInterface):
        assert aliases(bound) == known(key("n", range={"?": 1}))


SOME = {"key": "source", "match": {"value": "a"}}
REFUSED: list[tuple[Any, list[str]]] = [
    ([], ["filter: []", "must, should, must_not, min_should", 'Write for example {"must": [{"key": "source"']),
    ("a.md", ['filter: "a.md"', '{"must": [{"key": "source"']),
    ([SOME], ['Write for example {"must": [{"key": "source", "match": {"value": "a"}}]}']),
    (SOME, ['unknown key "key"', 'Write for example {"must": [{"key": "source", "match": {"value": "a"}}]}']),
    ({"source": "a"}, ['unknown key "source"', '{"must": [{"key": "source", "match": {"value": "a"}}]}']),
    ({"tags": ["a"], "n": 1}, ['{"key": "tags", "match": {"any": ["a"]}}, {"key": "n", "match": {"value": 1}}']),
    ({"has_id": [1]}, ['{"must": [{"has_id": [1]}]}']),
    ({"and": [SOME]}, ['filter: unknown key "and"', "must, should, must_not, min_should"]),
    ({"must": [{"source": "a"}]}, ["filter.must[0]", 'Write for example {"key": "source", "match": {"value": "a"}}']),
    ({"must": "a"}, ['filter.must: "a" is not a condition', "is_empty", "nested"]),
    ({"must": [SOME, {}]}, ["filter.must[1]: {} is not a condition"]),
    ({"must": [{"must": []}]}, ["filter.must[0]", "is not a filter with a condition"]),
    ({"must": [{"has_id": [1], "is_null": {"key": "n"}}]}, ["exactly one of is_empty, is_null, has_id"]),
    (key("source"), ["filter.must[0]", "exactly one of match, range"]),
    (key("source", match=None), ["filter.must[0]", "exactly one of match, range"]),
    (key("n", match={"value": 1}, range={"gt": 1}), ["exactly one of match, range"]),
    (key("n", gte=1), ['filter.must[0]: unknown key "gte"', "range"]),
    (key("source", match="a"), ['filter.must[0].match: "a"', '{"value": "guide.md"}']),
    (key("source", match={}), ["filter.must[0].match: {}", "exactly one of value, text"]),
    (key("source", match={"value": "a", "text": "b"}), ["exactly one of value, text"]),
    (key("source", match={"value": None}), ["filter.must[0].match.value: null", "a whole number"]),
    (key("x", match={"value": 0.5}), ["match.value: 0.5", '"range": {"gte": 0.5, "lte": 0.5}']),
    (key("n", match={"value": 2**63}), ["match.value: 9223372036854775808"]),
    (key("n", match={"any": 1}), ["match.any: 1 is not a list", "[1]"]),
    (key("n", match={"any": [1, "a"]}), ["match.any[0]: 1 is not a string"]),
    (key("flag", match={"any": [True]}), ["match.any[0]: true is not a whole number"]),
    (key("text", match={"text": 1}), ["match.text: 1 is not a string"]),
    (key("text", match={"text": "\ud800"}), ["match.text", "is not a string"]),
    (key("n", range={}), ["filter.must[0].range: {}", '{"gte": 0.5, "lt": 2}']),
    (key("n", range={"gte": None}), ["filter.must[0].range", "gt or gte or lt or lte"]),
    (key("n", range={"gte": True}), ["range.gte: true is not a number"]),
    (key("n", range={"gte": float("nan")}), ["range.gte: NaN is not a number"]),
    (key("n", range={"lt": float("inf")}), ["range.lt: Infinity is not a number"]),
    (key("n", range={"lt": 10**400}), ["range.lt: 1000", "… is not a number"]),
    (key("n", range={"from": 1}), ['range: unknown key "from"']),
    (key("when", range={"gte": "yesterday"}), ['range.gte: "yesterday"', "RFC 3339", '"2024-05-01T12:30:00Z"']),
    (key("when", range={"gte": "2024-13-01"}), ['range.gte: "2024-13-01"', '"2024-05-01"']),
    (key("when", range={"gte": "2024-01-01", "lt": 1}), ["range.lt: 1 is not a date"]),
    (key("place", geo_radius={"center": BERLIN}), ["geo_radius", "complete without radius"]),
    (key("place", geo_radius={"center": {"lon": 200, "lat": 1}, "radius": 1}), ["geo_radius.center", "[-180;180]"]),
    (key("place", geo_radius={"center": [1, 2], "radius": 1}), ["geo_radius.center: [1, 2]", '{"lon": 13.4']),
    (key("place", geo_polygon={"exterior": {"points": [BERLIN] * 3}}), ["geo_polygon", "at least 4"]),
    (key("tags", values_count={"gte": -1}), ["values_count.gte: -1 is not a whole number"]),
    (key("tags", values_count={"gte": 1.0}), ["values_count.gte: 1.0 is not a whole number"]),
    (key("tags", is_empty="yes"), ['is_empty: "yes" is not true or false']),
    ({"must": [{"has_id": ["\ud800"]}]}, ["has_id[0]", "is not a string"]),
    ({"must": {"is_empty": "tags"}}, ['filter.must.is_empty: "tags"', '{"key": "source"}']),
    ({"must": {"has_id": 1}}, ["filter.must.has_id: 1 is not a list"]),
    ({"must": {"has_id": [True]}}, ["has_id[0]: true"]),
    ({"must": {"slice": {"total": 2, "index": 2}}}, ["filter.must.slice", "less than total"]),
    ({"min_should": {"conditions": [SOME]}}, ["filter.min_should", "complete without min_count"]),
    ({"min_should": {"conditions": [SOME], "min_count": 0}}, ["filter.min_should.min_count: 0"]),
    ({"must": {"nested": {"key": "authors"}}}, ["filter.must.nested", "complete without filter"]),
    ({"must": {"nested": {"key": "authors", "filter": {}}}}, ["nested.filter", "a filter with a condition"]),
    ({"must": {"nested": {"key": "tags", "filter": {"must": {"has_id": []}}}}}, ["filter.must: {", "inside nested"]),
    (key("author", is_null=True), ['filter.must[0].key: no passage has a field "author"', "authors, flag, meta, n"]),
    (key("author.name", is_null=True), ['no passage has a field "author"', "The fields are: authors"]),
    (key("two words", is_null=True), ["filter.must[0].key", "invalid JSON path", r'"\"a name with spaces\""']),
    (key("tags[", is_null=True), ["filter.must[0].key", "invalid JSON path"]),
    ({"must_not": {"key": 1, "is_null": True}}, ["filter.must_not.key: 1 is not a string"]),
]  # fmt: skip


@pytest.mark.parametrize(("where", "parts"), REFUSED, ids=[str(i) for i in range(len(REFUSED))])
def test_a_refusal_says_where_and_what_to_write(where: Any, parts: list[str]) -> None:
    with pytest.raises(FilterError) as refusal:
        check_filter(where, FIELDS)
    assert not [part for part in parts if part not in str(refusal.value)], refusal.value
    assert len(str(refusal.value)) < 1000


def test_a_collection_without_fields_says_so() -> None:
    with pytest.raises(FilterError, match="The fields are: none"):
        check_filter(key("source", is_null=True), {})


def test_a_filter_of_any_depth_is_refused_not_a_crash() -> None:
    where: dict[str, Any] = key("n", is_null=True)
    for _ in range(100_000):
        where = {"must": where}
    with pytest.raises(FilterError, match="nested 16 deep"):
        check_filter(where, FIELDS)


async def test_refused_before_the_engine_sees_it(memory: MemoryIndex) -> None:
    with pytest.raises(FilterError):
        await near(memory, VECTORS[0], 3, where={"source": "a"})


VOCABULARY = [
    *sorted(known({"?": 1}) | known(key("n", match={"?": 1})) | known({"must": {"key": "n", "?": 1}})),
    *["has_id", "has_vector", "nested", "slice", "filter", "conditions", "min_count", "gt", "gte", "total", "index"],
    *["center", "radius", "exterior", "interiors", "points", "lon", "lat", "$and"],
]
ODD = ["\ud800", "2024-01-01T24:00:00Z", "0001-01-01T00:00:00+23:59", UUIDS[0], 10**400, 2**64, 1e308]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(ODD)
NAMES = st.sampled_from(VOCABULARY) | st.text(max_size=3)
JSON = st.recursive(
    SCALARS | WORDS | DATES | KEYS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


@st.composite
def damaged(draw: st.DrawFn) -> Any:
    """Draw a filter with something else in one place."""
    node: Any = (where := {"filter": draw(filters())})
    while True:
        at = draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
        if not (isinstance(node[at], dict | list) and node[at]) or draw(st.integers(0, 4)) == 0:
            node[at] = draw(JSON)
            return where["filter"]
        node = node[at]


@given(where=JSON | damaged())
@REAL
async def test_any_json_is_refused_or_found_alike(shard: qe.EdgeShard, memory: MemoryIndex, where: Any) -> None:
    try:
        check_filter(where, FIELDS)
    except FilterError as refusal:
        assert str(refusal).startswith("filter")
    else:
        assert models.Filter.model_validate(where)
        assert edge_ids(shard, where) == await found_ids(memory, where)


NOTHING = st.sampled_from([{}, {"must": []}, {"should": []}, {"must": [], "must_not": None}, {"min_should": None}])


@given(forced=filters(1), where=filters(1) | NOTHING | JSON | damaged())
@settings(REAL, max_examples=150)
async def test_no_filter_widens_one_that_is_forced(
    shard: qe.EdgeShard, memory: MemoryIndex, forced: dict[str, Any], where: Any
) -> None:
    visible = set(edge_ids(shard, forced))
    limited = RestrictedIndex(memory, forced)
    try:
        found = set(edge_ids(shard, dict(combined(forced, where))))
    except FilterError:
        with pytest.raises(FilterError):
            check_filter(where, FIELDS)
        with pytest.raises(FilterError):
            await found_ids(limited, where)
    else:
        alone = set(edge_ids(shard, where)) if where else set(IDS)
        assert found == visible & alone
        assert set(await found_ids(limited, where)) == found
