"""Collections that other programs wrote, with the model's own vectors: what is filtered, compared, told and near."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from qdrant_client import AsyncQdrantClient, models

from warmer.embedding import Embedder
from warmer.errors import FilterError
from warmer.index import DenseQuery
from warmer.index.bm25 import document_words, query_words
from warmer.index.remote.client import Remote
from warmer.index.remote.engine import QdrantIndex
from warmer.index.remote.fit import measure_fit
from warmer.index.remote.notes import Look, notes
from warmer.index.remote.options import Options
from warmer.index.remote.payload import find_layouts
from warmer.index.remote.space import find_space
from warmer.index.remote.words import Words
from warmer.vectors import SparseVector, Vector

pytestmark = pytest.mark.anyio
NAME = "theirs"
TEXTS = [
    "Belts are replaced in pairs, since a new one beside an old one slips.",
    "The pump must be stopped before the lid is opened.",
    "Grease the bearing of the impeller every nine hundred hours.",
    "A lost password is reset by the desk on the second floor.",
    "The canteen serves soup on Mondays and fish on Fridays.",
    "Invoices above nine thousand need the signature of two people.",
    "The fire drill begins at nine and everybody leaves by the stairs.",
    "Bicycles are kept in the cellar, where the door code is needed.",
    "Travel is booked by the assistant, a week before it at the latest.",
]
Payload = dict[str, Any]


async def made(
    payloads: Sequence[Payload],
    vectors: Sequence[Vector],
    options: Options | None = None,
    named: str = "",
    sparse: Sequence[models.SparseVector] = (),
) -> QdrantIndex:
    """Store points 1, 2, 3 ... as somebody else does."""
    client = AsyncQdrantClient(":memory:")
    size = models.VectorParams(size=len(vectors[0]), distance=models.Distance.COSINE)
    words = {"words": models.SparseVectorParams(modifier=models.Modifier.IDF)} if sparse else None
    await client.create_collection(NAME, {named: size} if named else size, words)
    for n, (payload, vector) in enumerate(zip(payloads, vectors, strict=True)):
        dense: Any = {named: vector.tolist()} if named else vector.tolist()
        if sparse:
            dense = {"": vector.tolist(), "words": sparse[n]}
        await client.upsert(NAME, [models.PointStruct(id=n + 1, vector=dense, payload=payload)])
    return QdrantIndex(Remote.local(client), NAME, options)


def some_vectors(count: int) -> list[Vector]:
    return list(np.random.default_rng(7).normal(size=(count, 4)).astype(np.float32))


def of(embedder: Embedder, texts: Sequence[str] = TEXTS) -> list[Vector]:
    return [embedder.embed_query(text) for text in texts]


async def found(index: QdrantIndex, where: dict[str, Any]) -> list[str]:
    query = DenseQuery(np.ones((await index.info()).dim, dtype=np.float32))
    return sorted((await index.candidates(query, where=where)).ids)


def is_(key: str, value: object) -> dict[str, Any]:
    return {"key": key, "match": {"value": value}}


@pytest.mark.parametrize(
    ("where", "ids"),
    [
        ({"must": [is_("source", "a.md")]}, ["1", "2"]),
        ({"must": is_("source", "a.md")}, ["1", "2"]),
        ({"should": [is_("source", "a.md"), is_("source", "c.md")]}, ["1", "2", "4"]),
        ({"must": [{"should": [{"must_not": [is_("source", "a.md")]}]}]}, ["3", "4"]),
        ({"must_not": [is_("source", "c.md")]}, ["1", "2", "3"]),
        ({"min_should": {"conditions": [is_("source", "a.md"), is_("year", 2021)], "min_count": 2}}, ["1"]),
        ({"must": [is_("title", "Wiki > VPN")]}, ["1"]),
        ({"must": [is_("title", "Wiki")]}, ["1", "2"]),
        ({"must": [is_("metadata.Header 2", "VPN")]}, ["1"]),
        ({"must": [{"key": "text", "match": {"text": "pump"}}]}, ["2"]),
        ({"must": [{"is_empty": {"key": "title"}}]}, ["3", "4"]),
        ({"must_not": [{"is_empty": {"key": "source"}}]}, ["1", "2", "3", "4"]),
        ({"must": [is_("year", "2021")]}, ["1", "3"]),
        ({"must": [{"key": "year", "range": {"gte": "2022"}}]}, ["2"]),
        ({"must": [{"key": "year", "match": {"any": ["2021", "2022"]}}]}, ["1", "2", "3"]),
        ({"must": [is_("public", "true")]}, ["1"]),
        ({"must": [is_("price", 2.5)]}, ["1"]),
        ({"must": [is_("price", "2.5")]}, ["1"]),
        ({"must": [is_("code", 7)]}, ["1"]),
        ({"must": [{"has_id": ["3", 4]}]}, ["3", "4"]),
        ({"must": [is_("tags", "red")]}, ["1"]),
    ],
)
async def test_what_is_shown_can_be_filtered_by(where: dict[str, Any], ids: list[str]) -> None:
    payloads: list[Payload] = [
        {"page_content": TEXTS[0], "metadata": {"source": "a.md", "Header 1": "Wiki", "Header 2": "VPN"}, "year": 2021,
         "public": True, "price": 2.5, "code": "7", "tags": ["red", "blue"]},
        {"page_content": TEXTS[1], "metadata": {"source": "a.md", "Header 1": "Wiki"}, "year": 2022, "public": False},
        {"page_content": TEXTS[2], "metadata": {"source": "b.md"}, "year": 2021},
        {"content": TEXTS[3], "meta": {"file_path": "c.md"}},
    ]  # fmt: skip
    index = await made(payloads, some_vectors(4))
    shown = {hit.id: hit.payload["source"] for hit in await index.retrieve(["1", "2", "3", "4"])}
    assert shown == {"1": "a.md", "2": "a.md", "3": "b.md", "4": "c.md"}
    assert await found(index, where) == ids


async def test_a_field_of_that_name_means_itself() -> None:
    index = await made([{"text": TEXTS[0], "source": "blob", "file_name": "a.md"}] * 2, some_vectors(2))
    assert (await index.retrieve(["1"]))[0].payload["source"] == "a.md"
    assert await found(index, {"must": [is_("source", "blob")]}) == ["1", "2"]


async def test_what_is_in_json_cannot_be_filtered_by() -> None:
    node = json.dumps({"text": TEXTS[0], "metadata": {"file_name": "a.md"}})
    index = await made([{"_node_content": node, "_node_type": "TextNode", "year": 1}], some_vectors(1))
    with pytest.raises(FilterError, match=r"_node_content\.metadata\.file_name.*year"):
        await found(index, {"must": [is_("source", "a.md")]})


@pytest.mark.parametrize("bad", [{"must": "x"}, {"must": [1]}, {"must": [{"key": 1}]}, {"must": {"is_null": "a"}}])
async def test_what_is_no_filter_is_refused(bad: dict[str, Any]) -> None:
    index = await made([{"text": TEXTS[0]}], some_vectors(1))
    with pytest.raises(FilterError):
        await found(index, bad)


@pytest.mark.parametrize(
    ("embedded", "cosine", "said"),
    [
        (lambda payload: payload["text"], (0.99, 1.01), "cosine 1.00"),
        (lambda payload: f"a: b.md\nc: text/plain\n\n{payload['text']}", (0.6, 0.99), "with something more"),
        (lambda payload: payload["lead"], (-0.2, 0.3), "fits better with WARMER_TEXT_FIELD=theirs=lead"),
        (lambda payload: payload["text"][::-1], (-0.2, 0.35), "cosine 0."),
    ],
)
async def test_vectors_are_compared_with_the_model(
    embedder: Embedder, embedded: Any, cosine: tuple[float, float], said: str
) -> None:
    payloads = [{"text": text, "lead": other} for text, other in zip(TEXTS, [*TEXTS[4:], *TEXTS[:4]], strict=True)]
    index = await made(payloads, of(embedder, [embedded(payload) for payload in payloads]))
    fit = await measure_fit(index, embed(embedder))
    assert fit
    assert cosine[0] <= fit.cosine <= cosine[1]
    assert said in fit.said(NAME, "m")
    assert fit.looked == 8


async def test_vectors_of_another_model_are_impossible(embedder: Embedder) -> None:
    other = list(np.random.default_rng(1).normal(size=(9, 384)).astype(np.float32))
    fit = await measure_fit(await made([{"text": text} for text in TEXTS], other), embed(embedder))
    assert fit
    assert fit.impossible
    assert "WARMER_RETRIEVERS=theirs=model" in fit.said(NAME, "m")


def embed(embedder: Embedder) -> Any:
    async def embedded(texts: Sequence[str]) -> list[Vector]:
        return of(embedder, texts)

    return embedded


async def test_words_are_found_without_a_vector_for_them(embedder: Embedder) -> None:
    index = await made([{"text": text} for text in TEXTS], of(embedder))
    assert (await index.info()).lexical
    ours = await made([{"text": text} for text in TEXTS], of(embedder), Options(lexical_vector="words"),
                      sparse=[_sparse(document_words(text)) for text in TEXTS])  # fmt: skip
    query = DenseQuery(embedder.embed_query("something about a door"))
    words = query_words("code for the cellar")
    read, stored = await index.candidates(query, words), await ours.candidates(query, words)
    assert read.ids == stored.ids
    assert read.lexical is not None and stored.lexical is not None
    assert read.lexical == pytest.approx(stored.lexical, rel=1e-3)
    assert read.lexical.max() > 0
    where = {"must_not": [{"has_id": [8]}]}
    assert "8" not in (await index.candidates(query, words, where=where)).ids
    near = await index.candidates(query, words, 1)
    assert set(near.ids) >= {"8"}


async def test_words_of_passages_that_were_not_read_are_scored(embedder: Embedder) -> None:
    index = await made([{"text": text} for text in TEXTS], of(embedder), Options(words=4))
    whole = await made([{"text": text} for text in TEXTS], of(embedder))
    query, words = DenseQuery(embedder.embed_query("bicycles")), query_words("cellar")
    some, all_ = await index.candidates(query, words), await whole.candidates(query, words)
    assert some.ids == all_.ids
    assert some.lexical is not None and all_.lexical is not None
    assert (some.lexical > 0).tolist() == (all_.lexical > 0).tolist()


def test_rare_words_weigh_more() -> None:
    words = Words(3, 0, 10)
    words.add([("1", "pump lid"), ("2", "pump belt"), ("3", "pump valve"), ("1", "seen before")])
    assert words.ids == ["1", "2", "3"]
    usual, rare = (words.rarity(query_words(word))[0] for word in ("pump", "belt"))
    assert rare > usual > 0
    scores = words.scores(query_words("belt"))
    assert words.best(scores, 2) == ["2"]
    assert words.score(query_words("belt"), "pump belt") == pytest.approx(scores[1], rel=1e-6)
    assert words.scores(SparseVector([], [])).tolist() == [0, 0, 0]


def _sparse(words: SparseVector) -> models.SparseVector:
    return models.SparseVector(indices=words.indices, values=words.values)


async def test_unused_and_alien_sparse_vectors_are_told() -> None:
    payloads, vectors = [{"text": text} for text in TEXTS], some_vectors(len(TEXTS))
    bm25 = [_sparse(document_words(text)) for text in TEXTS]
    splade = [models.SparseVector(indices=[n, n + 9, 2024], values=[1.0, 0.5, 0.2]) for n in range(len(TEXTS))]
    said = str((await (await made(payloads, vectors, sparse=bm25)).info()).notes)
    assert "'words' lies unused: to search words by it, set WARMER_LEXICAL_VECTOR=words" in said
    index = await made(payloads, vectors, Options(lexical_vector="words"), sparse=splade)
    info = await index.info()
    assert "WARMER_LEXICAL_VECTOR=words is left aside: sparse vector 'words' is not Qdrant's BM25" in str(info.notes)
    assert info.lexical  # by its texts


async def test_points_without_a_text_are_no_hits_and_counted() -> None:
    index = await made([{"text": TEXTS[0]}, {"text": ""}, {"image": "a.png"}], some_vectors(3))
    assert [hit.id for hit in await index.retrieve(["1", "2", "3"])] == ["1"]
    assert "2 of 3 points looked at have no text, and are no hits" in (await index.info()).notes


async def test_a_model_that_payloads_name_is_told() -> None:
    config = '{"engine": "", "model": "org/model"}'
    index = await made([{"text": TEXTS[0], "metadata": {"embedding_config": config}}], some_vectors(1))
    info = await index.info()
    assert (info.named_model, info.declared) == ("org/model", False)
    assert "its payloads name the model org/model" in info.notes


@pytest.mark.parametrize(
    ("tenant", "links", "where", "said"),
    [
        (
            True,
            0,
            None,
            "all tenants of 'group_id' are read, and each search is a scan, since the graph has m = 0: set",
        ),
        (True, 16, None, "all tenants of 'group_id' are read: set"),
        (True, 0, {"must": [is_("group_id", "a")]}, ""),
        (False, 0, None, "its graph has m = 0, so that each search is a scan"),
        (False, 16, None, ""),
    ],
)
async def test_tenants_are_told(tenant: bool, links: int, where: dict[str, Any] | None, said: str) -> None:
    client = AsyncQdrantClient(":memory:")
    size = models.VectorParams(size=4, distance=models.Distance.COSINE)
    await client.create_collection(NAME, size)
    info = await client.get_collection(NAME)
    info.config.hnsw_config = models.HnswConfig(m=links, ef_construct=100, full_scan_threshold=10)
    keyword = models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, is_tenant=tenant)
    kind = models.PayloadSchemaType.KEYWORD
    info.payload_schema = {"group_id": models.PayloadIndexInfo(data_type=kind, params=keyword, points=1)}
    options, payloads = Options(where=where), [{"text": TEXTS[0], "group_id": "a"}]
    space = find_space(NAME, info.config, options)
    look = Look(options, info, space, find_layouts(payloads), payloads, [TEXTS[0]], [None])
    told = [one for one in notes(look, readable=True) if not one.startswith(("its payloads", "it has no vector"))]
    assert said in "".join(told)
    assert bool(told) is bool(said)


def node(n: int, **relations: str) -> Payload:
    related = {kind: {"node_id": id_} for kind, id_ in relations.items()}
    return {
        "_node_content": json.dumps({"text": TEXTS[n], "relationships": {k[1:]: v for k, v in related.items()}}),
        "_node_type": "TextNode",
    }


@pytest.mark.parametrize(
    "payloads",
    [
        [{"text": TEXTS[n], "metadata": {"file_id": n % 2, "source": "n.md", "start_index": 9 * n}} for n in range(8)],
        [{"content": TEXTS[n], "meta": {"file_path": f"{n % 2}.md", "split_id": n}} for n in range(8)],
        [{"content": TEXTS[n], "content_id": f"c{n % 2}", "meta_data": {"chunk": n}} for n in range(8)],
        [{"content": TEXTS[n], "metadata": {"source": f"{n % 2}.md", "loc": {"lines": {"from": n}}}} for n in range(8)],
        [{"text_segment": TEXTS[n], "file_name": f"{n % 2}.md", "index": str(n)} for n in range(8)],
        [{"codeChunk": TEXTS[n], "filePath": f"{n % 2}.py", "startLine": n} for n in range(8)],
        [{"page_content": TEXTS[n], "metadata": {"doc_id": f"{n}", "document_id": n % 2, "page": n}, "seq": n}
         for n in range(8)],
        [{**node(n), "ref_doc_id": str(n % 2), "start_char_idx": 5 * n} for n in range(8)],
        [node(n, _2=str(n - 1), _3=str(n + 3)) for n in range(8)],
    ],
)  # fmt: skip
async def test_what_stands_beside_a_passage(payloads: list[Payload]) -> None:
    index = await made(payloads, some_vectors(8))
    assert [hit.id for hit in await index.around("4", 1)] == ["2", "4", "6"]
    hidden = {"must_not": [{"has_id": [6]}]}
    assert "6" not in [hit.id for hit in await index.around("4", 1, where=hidden)]
    assert await index.around("4", 1, where={"must_not": [{"has_id": [4]}]}) == []
