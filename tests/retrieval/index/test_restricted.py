"""Collections of which somebody may not see all."""

from pathlib import Path

import numpy as np
import pytest
from support import feed_back, hybrid, near

from warmer.embedding import Embedder
from warmer.errors import CollectionError
from warmer.index import Coefficients, FeedbackItem
from warmer.index.edge.catalog import Catalog, EmbeddedCollections
from warmer.index.restricted import RestrictedCollections

pytestmark = pytest.mark.anyio
BREAD = {"must": [{"key": "source", "match": {"value": "notes/bread.md"}}]}


async def test_every_way_to_points_leads_through_the_filter(made_once: Path, embedder: Embedder) -> None:
    everything = EmbeddedCollections(Catalog(made_once))
    limited = RestrictedCollections(everything, where=BREAD)
    vector = np.asarray(embedder.embed_query("the Moon and the tides"), dtype=np.float32)
    hits = await hybrid(await everything.find(), vector, "the Moon", 50)
    ids = [hit.id for hit in hits]
    bread = [hit.id for hit in hits if hit.payload["source"] == "notes/bread.md"]
    assert 0 < len(bread) < len(ids)
    index = await limited.find("notes")
    items = [FeedbackItem(hits[0].id, hits[0].vector, 1.0), FeedbackItem(hits[-1].id, hits[-1].vector, 0.0)]
    steered = await feed_back(index, vector, items, Coefficients(1, 0.5, 1), 50)
    for found in (
        await near(index, vector, 50),
        await hybrid(index, vector, "the Moon", 50, where={"should": [{"has_id": ids}]}),
        steered,
    ):
        assert {hit.id for hit in found} == set(bread)
    assert [hit.id for hit in await index.retrieve(ids)] == bread
    assert await index.retrieve([id_ for id_ in ids if id_ not in bread]) == []
    assert await index.retrieve([]) == []
    hidden = next(id_ for id_ in ids if id_ not in bread)
    assert await index.around(hidden, 3) == []
    assert {one["source"] for one in await index.sample()} == {"notes/bread.md"}
    assert await index.sample(where={"must": [{"has_id": [hidden]}]}) == []
    assert {hit.id for hit in await index.around(bread[0], 50)} == set(bread)
    assert (await index.info()).points is None


async def test_collections_that_are_not_allowed_are_not_there(made_once: Path) -> None:
    everything = EmbeddedCollections(Catalog(made_once))
    assert await RestrictedCollections(everything, frozenset({"notes", "gone"})).names() == ["notes"]
    hidden = RestrictedCollections(everything, frozenset({"gone"}), default="notes")
    assert await hidden.names() == []
    for name in ("", "notes", "gone"):
        with pytest.raises(CollectionError, match="you may search"):
            await hidden.find(name)
    only = RestrictedCollections(everything, frozenset({"notes"}))
    assert (await (await only.find()).info()).name == "notes"
