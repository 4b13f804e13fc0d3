"""Scored searches as samples, on Edge."""

from pathlib import Path

import numpy as np
import pytest
from support import Reference

from warmer.embedding import Embedder
from warmer.errors import EngineError
from warmer.index import DenseQuery, Index
from warmer.index.edge.catalog import Catalog
from warmer.index.edge.engine import EdgeIndex
from warmer.steering.feedback import Example
from warmer.steering.lexical import mixed_words
from warmer.steering.params import Params
from warmer.steering.target import target
from warmer.steering.wording import Wording
from warmer.training.samples import make_sample
from warmer.vectors import TextQuery

pytestmark = pytest.mark.anyio
GONE = "00000000-0000-4000-8000-999999999999"


@pytest.fixture
def index(made_once: Path) -> Index:
    return EdgeIndex(Catalog(made_once).generations("notes"))


async def shown(index: Index, wordings: list[Wording]) -> list[Example]:
    found = await index.candidates(DenseQuery(target(wordings, Params())), depth=12)
    return [Example(hit.id, hit.vector, n / 12, hit.passage) for n, hit in enumerate(await index.retrieve(found.ids))]


async def test_a_sample_has_the_thread_its_hits_and_their_words(
    index: Index, embedder: Embedder, reference: Reference
) -> None:
    texts = reference.queries[:2]
    first, second = (embedder.embed_query(text) for text in texts)
    wordings = [Wording("query", texts[0], first), Wording("rewording", texts[1], second, 1)]
    scored = [*await shown(index, wordings), Example(GONE, first, 0.3)]
    sample = await make_sample(index, wordings, scored)
    assert sample.vector == pytest.approx(np.asarray(target(wordings, Params())))
    assert sample.vectors == pytest.approx(np.stack([one.vector for one in scored]))
    assert sample.scores.tolist() == [one.score for one in scored]
    words = mixed_words(wordings, Params())
    everything = await index.candidates(DenseQuery(sample.vector), words, 50)
    assert everything.lexical is not None
    by_id = dict(zip(everything.ids, everything.lexical.tolist(), strict=True))
    assert sample.lexical == pytest.approx([*(by_id[one.id] for one in scored[:-1]), 0.0])
    assert sample.lexical.max() > 0


@pytest.mark.parametrize(("text", "lexical"), [("why", False), ("?!", True)])
async def test_where_no_words_are_looked_for_the_sample_has_none(
    index: Index, embedder: Embedder, text: str, lexical: bool
) -> None:
    wordings = [Wording("query", text, embedder.embed_query("bread"))]
    assert (await make_sample(index, wordings, await shown(index, wordings), lexical=lexical)).lexical is None


async def test_a_query_that_the_engine_embeds_makes_no_sample(index: Index) -> None:
    wordings = [Wording("query", "why", TextQuery("why", "cloud/model"))]
    with pytest.raises(EngineError, match="cloud/model"):
        await make_sample(index, wordings, [Example("1", np.ones(384, np.float32), 1.0)])
