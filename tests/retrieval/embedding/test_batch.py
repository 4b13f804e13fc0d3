"""Several wordings at once have the vectors that each has alone."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from warmer.embedding import Embedder, Retriever, minilm
from warmer.embedding.background import BackgroundEmbedder
from warmer.embedding.batch import embed_batch
from warmer.embedding.fastembedder import FastEmbedder, load_weights
from warmer.embedding.retrievers import CloudRetriever, CustomRetriever
from warmer.errors import EmbeddingError
from warmer.vectors import TextQuery, Vector

QUERIES = ["why does bread rise", "yeast", "what makes the dough of a loaf grow while it rests " * 4, "yeast"]
PASSAGES = ["The yeast in the dough makes gas, which the gluten keeps inside.", "Salt slows it."]


class Own:
    """A user's own class, as it is named in the settings."""

    name = "own"

    def embed_query(self, text: str) -> list[float]:
        if text == "fail":
            raise RuntimeError("no")
        return [float(len(text)), 1.0, float(ord(text[0]))]


class Apart:
    """A model that embeds queries and passages differently, as E5 does, and knows nothing of batches."""

    name, dim = "apart", 2

    def embed_query(self, text: str) -> Vector:
        return np.array([len(text), 0], dtype=np.float32)

    def embed_passages(self, texts: Sequence[str]) -> Iterator[tuple[int, Vector]]:
        for position, text in reversed([*enumerate(texts)]):
            yield position, np.array([0, len(text)], dtype=np.float32)


@pytest.fixture(params=["minilm", "fastembed", "custom", "apart"])
def retriever(request: pytest.FixtureRequest, embedder: Embedder) -> Any:
    match request.param:
        case "minilm":
            return embedder
        case "fastembed":
            return FastEmbedder("the same", load_weights(minilm.weights()))
        case "custom":
            return CustomRetriever(f"{__name__}:Own")
        case _:
            return Apart()


def alone(retriever: Any, queries: Sequence[str], passages: Sequence[str]) -> list[Vector]:
    embed = getattr(retriever, "embed_passages", None)
    found = [next(iter(embed([text])))[1] if embed else retriever.embed_query(text) for text in passages]
    return [*map(retriever.embed_query, queries), *found]


@pytest.mark.parametrize(("queries", "passages"), [(4, 2), (1, 0), (1, 1), (3, 0), (0, 2), (0, 0)])
def test_a_batch_gives_what_each_text_gets_alone(retriever: Any, queries: int, passages: int) -> None:
    asked, written = QUERIES[:queries], PASSAGES[:passages]
    together = embed_batch(retriever, asked, written)
    one_by_one = alone(retriever, asked, written)
    assert len(together) == queries + passages
    for vector, expected in zip(together, one_by_one, strict=True):
        own = np.asarray(vector)
        assert own.shape == expected.shape
        assert own.dtype == np.float32
        assert own @ expected / np.linalg.norm(own) / np.linalg.norm(expected) > 0.999
        assert np.linalg.norm(own) == pytest.approx(np.linalg.norm(expected), rel=1e-5)


def test_the_built_in_model_gives_the_very_same_vectors(embedder: Embedder) -> None:
    together, one_by_one = embed_batch(embedder, QUERIES, PASSAGES), alone(embedder, QUERIES, PASSAGES)
    assert np.array_equal(np.stack([np.asarray(one) for one in together]), np.stack(one_by_one))


def test_texts_for_the_engine_to_embed_stay_texts() -> None:
    found = embed_batch(CloudRetriever("cloud/model"), QUERIES, PASSAGES)
    assert found == [TextQuery(text, "cloud/model") for text in (*QUERIES, *PASSAGES)]


def test_a_class_that_fails_says_on_which_text() -> None:
    with pytest.raises(EmbeddingError, match=r"Own failed on 'fail': RuntimeError: no"):
        embed_batch(CustomRetriever(f"{__name__}:Own"), ["fine", "fail"])


@pytest.mark.anyio
async def test_searches_are_embedded_in_a_thread_of_their_own(embedder: Embedder) -> None:
    def loaded() -> Retriever:
        return embedder

    found = await BackgroundEmbedder(loaded).embed(embedder, QUERIES, PASSAGES)
    assert np.array_equal(np.stack([np.asarray(one) for one in found]), np.stack(alone(embedder, QUERIES, PASSAGES)))


class Counting:
    """A model that embeds queries and passages differently, and remembers what it was asked."""

    name, dim = "counting", 2

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def embed_query(self, text: str) -> Vector:
        raise AssertionError(text)

    def embed_batch(self, queries: Sequence[str], passages: Sequence[str]) -> list[Vector]:
        self.asked.append([*queries, *passages])
        if "fail" in queries:
            raise EmbeddingError("no")
        both = [(text, 0) for text in queries] + [(text, 1) for text in passages]
        return [np.array([len(text), passage], dtype=np.float32) for text, passage in both]


@pytest.mark.anyio
async def test_a_text_is_embedded_once_as_a_query_and_once_as_a_passage() -> None:
    model = Counting()
    background = BackgroundEmbedder(lambda: model)
    for queries, passages, new in [
        (["a", "bb"], [], ["a", "bb"]),
        (["bb", "a", "bb"], [], None),
        (["a"], ["a"], ["a"]),
        (["bb", "ccc"], ["a", "dddd"], ["ccc", "dddd"]),
    ]:
        before = len(model.asked)
        found = [np.asarray(one).tolist() for one in await background.embed(model, queries, passages)]
        assert found == [[len(text), 0] for text in queries] + [[len(text), 1] for text in passages]
        assert model.asked[before:] == ([new] if new else [])


@pytest.mark.anyio
async def test_what_failed_is_tried_again() -> None:
    model = Counting()
    background = BackgroundEmbedder(lambda: model)
    for _ in range(2):
        with pytest.raises(EmbeddingError):
            await background.embed(model, ["fine", "fail"])
    assert model.asked == [["fine", "fail"]] * 2
