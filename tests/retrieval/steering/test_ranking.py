"""Lists as they are served: their order, the legs' weights and near copies, on Edge and on a server in memory."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import hybrid, near

from warmer.index import Candidates, CollectionInfo, Index
from warmer.index.edge.engine import EdgeIndex
from warmer.index.edge.generations import Generations, Manifest
from warmer.index.edge.shards import shard_files
from warmer.index.external_texts import ExternalTextsIndex
from warmer.index.remote.in_memory import MemoryIndex
from warmer.publishing.embedded.build import Stage, build_in_child
from warmer.steering.feedback import Example
from warmer.steering.params import Params
from warmer.steering.ranking import CODE, PROSE, rank, share_of_words
from warmer.steering.thread import compose
from warmer.steering.wording import Wording
from warmer.vectors import Vector

pytestmark = pytest.mark.anyio
FIELDS = {"text": "string", "title": "string"}
POINTS, DIM = 150, 8
VECTORS = np.random.default_rng(5).normal(size=(POINTS, DIM)).astype(np.float32)
Make = Callable[[list[tuple[str, Vector, str]]], Awaitable[Index]]


@pytest.fixture(params=["edge", "memory"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    """Make a collection of points (id, vector, text)."""

    async def made(points: list[tuple[str, Vector, str]]) -> Index:
        dim = points[0][1].size
        if request.param == "memory":
            info = CollectionInfo("points", "1", "m", dim, len(points), FIELDS)
            return await MemoryIndex.create(info, [(id_, vector, payload(text)) for id_, vector, text in points])
        generations = Generations(tmp_path / "points")
        publish(generations, points)
        return EdgeIndex(generations)

    return made


def payload(text: str) -> dict[str, Any]:
    return {"text": text, "title": ""}


def publish(generations: Generations, points: list[tuple[str, Vector, str]]) -> None:
    dim = points[0][1].size
    with generations.writer() as ahead:
        stage = Stage(ahead)
        for id_, vector, text in points:
            stage.add(id_, payload(text), vector)
        stage.close()
        build_in_child(ahead, dim)
        Manifest("m", dim, len(points), FIELDS, "digest", "now", shard_files(ahead)).write(ahead)
        generations.publish(ahead)


def name(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def points(text: Callable[[int], str]) -> list[tuple[str, Vector, str]]:
    return [(name(n), vector, text(n)) for n, vector in enumerate(VECTORS)]


async def test_equal_scores_are_in_the_order_of_their_ids(make: Make) -> None:
    same = np.ones(DIM, np.float32)
    index = await make([(name(n), same, f"amber {n}") for n in (5, 3, 8, 1, 9, 2, 7, 4, 6)])
    for limit in (3, 9):
        lists = [[hit.id for hit in await hybrid(index, same, "amber", limit)] for _ in range(12)]
        assert lists == [[name(n) for n in range(1, limit + 1)]] * 12
    assert [hit.id for hit in await near(index, same, 9)] == [name(n) for n in range(1, 10)]


async def test_the_only_match_of_a_rare_word_is_among_the_first(make: Make) -> None:
    query = VECTORS[0]
    farthest = int(np.argmin(VECTORS @ query / np.linalg.norm(VECTORS, axis=1)))
    index = await make(points(lambda n: "quixotic windmill" if n == farthest else f"common words {n % 7}"))
    found = [hit.id for hit in await hybrid(index, query, "the quixotic one", 15)]
    assert name(farthest) in found[:3]
    assert [hit.id for hit in await hybrid(index, query, "the quixotic one", 15)] == found


async def test_what_is_said_besides_the_query_moves_the_list(make: Make) -> None:
    index = await make(points(lambda n: f"text {n}"))
    query = Wording("query", "a question", VECTORS[0])

    async def places(*more: Wording) -> list[str]:
        return [hit.id for hit in await rank(index, compose([query, *more], Params(neighbours=0.0)), POINTS)]

    alone = await places()
    asked = np.argsort(-(VECTORS @ VECTORS[0]) / np.linalg.norm(VECTORS, axis=1))
    other = int(asked[POINTS // 2])
    for kind in ("rewording", "passage"):
        moved = await places(Wording(kind, f"text {other}", VECTORS[other], 1))
        assert moved.index(name(other)) < alone.index(name(other)) - 10, kind
    near_by = int(asked[1])
    avoided = await places(Wording("avoid", "something", VECTORS[near_by], 1))
    assert avoided.index(name(near_by)) > alone.index(name(near_by)) + 2


async def test_scores_move_vectors_and_words(make: Make) -> None:
    rising = {40, 41}
    index = await make(points(lambda n: "sourdough crumb" if n in rising else f"common words {n % 7}"))
    good = Example(name(40), VECTORS[40], 1.0, "sourdough crumb")
    bad = [Example(name(n), VECTORS[n], 0.0, "common words") for n in (1, 2)]
    before = [hit.id for hit in await hybrid(index, VECTORS[0], "common", POINTS)]
    after = [
        hit.id for hit in await hybrid(index, VECTORS[0], "common", POINTS, scored=[good, *bad], without=[name(40)])
    ]
    assert after.index(name(41)) < before.index(name(41))


async def test_near_copies_are_shown_once_with_their_number(make: Make) -> None:
    rng = np.random.default_rng(1)
    page = "the yeast in the dough makes gas that the gluten keeps inside the loaf"
    versions = [(name(n), (VECTORS[0] + 0.01 * rng.normal(size=DIM)).astype(np.float32), page) for n in range(4)]
    release = (name(10), VECTORS[0], f"{page} since 1.2")
    others = [(name(20 + n), VECTORS[n], f"something else {n}") for n in range(1, 30)]
    index = await make([*versions, release, *others])
    hits = await hybrid(index, VECTORS[0], "yeast", 10)
    assert len(hits) == 10
    shown = [hit for hit in hits if hit.payload["text"].startswith(page)]
    assert sorted((hit.payload["text"], hit.copies) for hit in shown) == [(page, 3), (release[2], 0)]
    known = Example(versions[0][0], versions[0][1], 0.9, page)
    later = await hybrid(index, VECTORS[0], "yeast", 10, scored=[known], without=[known.id])
    assert [hit.id for hit in later if hit.payload["text"].startswith(page)] == [release[0]]
    included = await hybrid(index, VECTORS[0], "yeast", 10, scored=[known])
    assert {hit.id for hit in included if hit.payload["text"].startswith(page)} == {known.id, release[0]}


async def test_code_has_less_of_its_words() -> None:
    assert share_of_words(Params(), 0.0) == PROSE == 0.4
    assert share_of_words(Params(), 0.9) == CODE == 0.1
    assert CODE < share_of_words(Params(), 0.2) < PROSE
    assert share_of_words(Params(share=0.25), 0.9) == 0.25
    assert share_of_words(Params(share=0.0), 0.0) == 0.0


@pytest.mark.parametrize(
    ("text", "share"),
    [("def f{}(self): return self._x[{}]", CODE), ("the {} loaves rose well, as {} had hoped", PROSE)],
)
async def test_the_share_is_told_from_what_a_collection_holds(make: Make, text: str, share: float) -> None:
    index = await make(points(lambda n: text.format(n, n)))
    assert share_of_words(Params(), (await index.info()).code) == share


async def test_a_crowd_of_copies_does_not_hide_the_rest(make: Make) -> None:
    crowd = [(name(n), np.array([1, 0.001 * n, 0, 0], np.float32), "The same words in each.") for n in range(130)]
    others = [(name(200 + n), np.array([0, 0, 1, n], np.float32), f"Another thing, the {n}th.") for n in range(5)]
    index = await make(crowd + others)
    query = compose([Wording("query", "same words", np.array([1, 0, 0, 0], np.float32))], Params())
    hits = await rank(index, query, 6)
    assert len(hits) == 6
    assert sum(hit.payload["text"] == "The same words in each." for hit in hits) == 1
    assert max(hit.copies for hit in hits) == 129


class Numbers:
    """Texts that are kept elsewhere."""

    def texts(self, points: Sequence[dict[str, Any]]) -> list[str]:
        return [f"What is said of {point['id']}." for point in points]


async def test_passages_whose_texts_are_elsewhere_are_no_copies_of_each_other(make: Make) -> None:
    inner = await make([(name(n), np.array([1, 0.001 * n], np.float32), "a/path.md") for n in range(20)])
    index = ExternalTextsIndex(inner, Numbers())
    hits = await rank(index, compose([Wording("query", "path", np.array([1, 0], np.float32))], Params()), 10)
    assert [hit.payload["text"] for hit in hits] == [f"What is said of {hit.id}." for hit in hits]
    assert len(hits) == 10


async def test_a_list_is_of_one_generation_when_a_publish_comes_between(tmp_path: Path) -> None:
    generations = Generations(tmp_path / "points")
    before, after = ([(name(n), vector, f"amber {n}") for n, vector in enumerate(VECTORS, start)] for start in (0, 500))

    class PublishedMeanwhile(EdgeIndex):
        async def candidates(self, *query: Any, **options: Any) -> Candidates:
            found = await super().candidates(*query, **options)
            if (await self.info()).generation == first:
                publish(generations, after)
            return found

    publish(generations, before)
    index = PublishedMeanwhile(generations)
    first = (await index.info()).generation
    found = await hybrid(index, VECTORS[0], "amber", 5)
    assert len(found) == 5
    assert {hit.id for hit in found} <= {id_ for id_, _, _ in after}
