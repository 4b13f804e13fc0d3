"""The order of passages in a document."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qdrant_client import AsyncQdrantClient, models

from warmer.index.remote.client import Remote
from warmer.index.remote.engine import QdrantIndex
from warmer.index.surroundings import place, surrounding

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({"line": 7}, (0, 7)),
        ({"page": 2, "line": 1}, (2, 1)),
        ({"metadata": {"page": 3, "start_index": 400}}, (3, 400)),
        ({"chunk_index": 5, "metadata": "text"}, (0, 5)),
        ({"text": "a", "_node_content": '{"start_char_idx": 9, "metadata": {"page_label": "3"}}'}, (3, 9)),
        ({"meta": {"split_id": 3, "page_number": 2}}, (2, 3)),
        ({"meta_data": {"chunk": 4}}, (0, 4)),
        ({"metadata": {"loc": {"lines": {"from": 5, "to": 9}, "pageNumber": 2}}}, (2, 5)),
        ({"text_segment": "a", "index": "6"}, (0, 6)),
        ({"startLine": 7, "endLine": 9}, (0, 7)),
        ({"author": {"index": 1}}, None),
        ({"page": 2}, None),
        ({"line": "7"}, None),
        ({"line": True}, None),
        ({}, None),
    ],
)
def test_places(payload: dict[str, object], expected: tuple[int, int] | None) -> None:
    assert place(payload) == expected


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 50)), min_size=1, max_size=40), st.data())
def test_those_around_are_next_in_order(places: list[tuple[int, int]], data: st.DataObject) -> None:
    payloads = [(f"{n:03d}", {"page": page, "line": line}) for n, (page, line) in enumerate(places)]
    wanted, reach = data.draw(st.integers(0, len(places) - 1)), data.draw(st.integers(0, 4))
    found = surrounding(f"{wanted:03d}", data.draw(st.permutations(payloads)), reach)
    order = sorted(range(len(places)), key=lambda n: (places[n], n))
    at = order.index(wanted)
    assert found == [f"{n:03d}" for n in order[max(0, at - reach) : at + reach + 1]]


async def test_others_payloads_are_read_where_their_order_is() -> None:
    client = AsyncQdrantClient(":memory:")
    await client.create_collection("theirs", vectors_config=models.VectorParams(size=2, distance=models.Distance.DOT))
    payloads = [
        {"page_content": f"part {n}", "metadata": {"source": f"{n % 2}.txt", "start_index": 100 * (9 - n)}}
        for n in range(10)
    ]
    points = [models.PointStruct(id=n, vector=[1, n], payload=payload) for n, payload in enumerate(payloads)]
    points.append(models.PointStruct(id=99, vector=[0, 1], payload={"page_content": "no order", "metadata": {}}))
    await client.upsert("theirs", points)
    index = QdrantIndex(Remote.local(client), "theirs")
    assert [hit.id for hit in await index.around("4", 1)] == ["6", "4", "2"]
    assert [hit.payload["text"] for hit in await index.around("99", 1)] == ["no order"]
    assert np.allclose((await index.around("99", 1))[0].vector, [0, 1])
