"""Which collections of a server may be searched."""

from collections.abc import Iterator

import pytest
from qdrant_client import models
from qdrant_server import QdrantServer

from warmer.errors import CollectionError
from warmer.index.remote.client import Remote
from warmer.index.remote.collections import QdrantCollections
from warmer.index.remote.names import options_of
from warmer.index.remote.options import Options

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def server() -> Iterator[QdrantServer]:
    with QdrantServer() as served:
        for name in "notes", "docs", "journal":
            served.store.create_collection(name, models.VectorParams(size=2, distance=models.Distance.COSINE))
        alias = models.CreateAlias(collection_name="docs", alias_name="latest")
        served.store.update_collection_aliases([models.CreateAliasOperation(create_alias=alias)])
        yield served


async def refusal(collections: QdrantCollections, name: str = "") -> str:
    with pytest.raises(CollectionError) as refused:
        await collections.find(name)
    return str(refused.value)


async def test_names(remote: Remote) -> None:
    assert await QdrantCollections(remote).names() == ["docs", "journal", "latest", "notes"]
    allowed = Options(allowed=frozenset({"docs", "latest", "gone"}), hidden=frozenset({"journal"}))
    assert await QdrantCollections(remote, allowed).names() == ["docs", "latest"]
    assert await QdrantCollections(remote, Options(hidden=frozenset({"journal"}))).names() == [
        "docs",
        "latest",
        "notes",
    ]


async def test_one_by_name_by_default_and_the_only_one(remote: Remote) -> None:
    assert (await (await QdrantCollections(remote).find("latest")).info()).name == "latest"
    assert (await (await QdrantCollections(remote, Options(default="notes")).find()).info()).name == "notes"
    only = QdrantCollections(remote, Options(allowed=frozenset({"docs"})))
    assert (await (await only.find()).info()).name == "docs"
    assert await only.find() is await only.find("docs")


async def test_an_alias_is_no_way_around_a_filter(remote: Remote) -> None:
    where = {"must": [{"has_id": [12345]}]}
    options = Options(by_collection={"docs": {"where": where}, "notes": {"text_field": "text"}})
    assert (await options_of(remote, options, "docs")).where == where
    assert (await options_of(remote, options, "latest")).where == where
    assert (await options_of(remote, options, "notes")).where is None
    own = Options(by_collection={**options.by_collection, "latest": {"text_field": "text"}})
    assert (await options_of(remote, own, "latest")).where is None


async def test_what_there_is_not(remote: Remote) -> None:
    everything = QdrantCollections(remote)
    listed = "docs, journal, latest, notes"
    assert await refusal(everything) == f"there are several collections, name one of them: {listed}"
    assert await refusal(everything, "no") == f"there is no collection 'no'; there are: {listed}"
    unset = QdrantCollections(remote, Options(default="no"))
    assert await refusal(unset) == f"there is no collection 'no' (the setting COLLECTION_NAME); there are: {listed}"
    nothing = QdrantCollections(remote, Options(allowed=frozenset({"gone"})))
    assert "there is no collection that may be searched on http://127.0.0.1" in await refusal(nothing)


@pytest.mark.parametrize("name", ["docs", "journal"])
async def test_what_is_forbidden_is_not_asked_for(server: QdrantServer, remote: Remote, name: str) -> None:
    options = Options(allowed=frozenset({"notes", "journal"}), hidden=frozenset({"journal"}))
    before = len(server.requests)
    assert await refusal(QdrantCollections(remote, options), name) == (
        f"there is no collection {name!r}; there are: notes"
    )
    assert {path for _, path, _ in server.requests[before:]} == {"/", "/collections", "/aliases"}


async def test_a_key_for_one_collection_alone(server: QdrantServer, remote: Remote) -> None:
    collections = QdrantCollections(remote, Options(allowed=frozenset({"notes", "docs"})))
    server.fail(status=403, body="Forbidden", times=9, when=lambda _, path: path == "/collections")
    assert await collections.find("docs")
    assert await refusal(collections, "journal") == "there is no collection 'journal'; there are: docs, notes"
