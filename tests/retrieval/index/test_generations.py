import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import anyio
import numpy as np
import pytest
from support import Reference, near

from warmer.embedding import Embedder
from warmer.errors import CollectionError, IngestError, ModelMismatchError, StorageError
from warmer.index.edge import shards
from warmer.index.edge.catalog import Catalog
from warmer.index.edge.engine import EdgeIndex
from warmer.index.edge.generations import Generations
from warmer.passage import Passage, identify
from warmer.publishing.embedded.build import Stage, build_in_child
from warmer.publishing.embedded.publish import index_passages
from warmer.publishing.embedded.published import PublishedGeneration

ROOTS = {"notes": Path("/notes")}


@pytest.fixture
def generations(data_dir: Path) -> Generations:
    return Catalog(data_dir).generations("notes")


@pytest.mark.anyio
async def test_a_reader_sees_the_next_generation_without_a_restart(
    generations: Generations, embedder: Embedder, reference: Reference
) -> None:
    reader = EdgeIndex(generations)
    query = embedder.embed_query(reference.queries[0])
    assert (await reader.info()).points == 36
    before = (await near(reader, query, 3))[0].id
    index_passages(generations, reference.subjects["space"], embedder, roots=ROOTS)
    assert (await reader.info()).points == 6
    assert (await near(reader, query, 3))[0].payload["title"] == "space"
    assert await reader.retrieve([before]) == []


def test_unchanged_passages_are_neither_embedded_nor_published(
    generations: Generations, embedder: Embedder, reference: Reference
) -> None:
    built = index_passages(generations, reference.passages, embedder, roots=ROOTS)
    assert (built.points, built.embedded, built.published) == (36, 0, False)
    moved = [replace(passage, line=passage.line + 1) for passage in reference.passages]
    moved[3] = replace(moved[3], text="Something else.")
    built = index_passages(generations, moved, embedder, roots=ROOTS)
    assert (built.points, built.embedded, built.published) == (36, 1, True)


def test_other_roots_are_kept_unless_replaced(generations: Generations, embedder: Embedder) -> None:
    more = [Passage("More.", "", "more.md", 1)]
    assert index_passages(generations, more, embedder, roots={"more.md": Path("/more.md")}).points == 37
    assert index_passages(generations, more * 2, embedder, roots={"more.md": Path("/more.md")}).points == 38
    with pytest.raises(IngestError, match=r"/more\.md, and /m would take its place"):
        index_passages(generations, more, embedder, roots={"more.md": Path("/m")})
    assert index_passages(generations, more, embedder, roots={"more.md": Path("/m")}, replace=True).points == 1


def test_another_model_takes_replace(generations: Generations, embedder: Embedder, reference: Reference) -> None:
    class Other:
        name, dim = "other/model", embedder.dim
        embed_passages, embed_query = embedder.embed_passages, embedder.embed_query

    with pytest.raises(ModelMismatchError, match="'other/model' now"):
        index_passages(generations, reference.passages, Other(), roots=ROOTS)
    built = index_passages(generations, reference.passages, Other(), roots=ROOTS, replace=True)
    assert (built.embedded, built.published) == (36, True)


def test_what_is_no_longer_there_is_deleted(generations: Generations, embedder: Embedder, reference: Reference) -> None:
    rest = [passage for passage in reference.passages if passage.title != "space"]
    built = index_passages(generations, rest, embedder, roots=ROOTS)
    assert (built.points, built.embedded, built.published) == (30, 0, True)
    stored = {payload["title"] for _, payload in PublishedGeneration(generations).payloads()}
    assert stored == reference.subjects.keys() - {"space"}


def test_nothing_to_index_leaves_the_collection_as_it_was(generations: Generations, embedder: Embedder) -> None:
    before = generations.current()
    with pytest.raises(IngestError, match="nothing to index"):
        index_passages(generations, [], embedder, roots=ROOTS)
    assert generations.current() == before


def test_the_generation_before_is_kept_and_older_ones_go(generations: Generations, embedder: Embedder) -> None:
    for n in range(3):
        index_passages(generations, [Passage(f"Text {n}", "", "notes/a.md", 1)], embedder, roots=ROOTS)
    kept = sorted(path.name for path in (generations.folder / "generations").iterdir())
    assert [name[:6] for name in kept] == ["000003", "000004"]
    assert generations.current() == kept[1]


def test_a_second_writer_is_sent_away(generations: Generations, embedder: Embedder, reference: Reference) -> None:
    with generations.writer(), pytest.raises(StorageError, match="another process is indexing 'notes'"):
        index_passages(generations, reference.passages, embedder, roots=ROOTS)


KILLED = """
import os, signal, sys
from pathlib import Path
import warmer.publishing.embedded.publish as indexing
from warmer.publishing.embedded.build import Stage, build_in_child
from warmer.index.edge.catalog import Catalog
from warmer.embedding.fastembedder import load
from warmer.index.edge.generations import Generations
from warmer.passage import Passage

def die(*_): os.kill(os.getpid(), signal.SIGKILL)

step = sys.argv[2]
if step == "build": indexing.build_in_child = die
if step == "manifest": indexing.Manifest.write = die
if step == "publish": Generations.publish = die
if step == "pointer": Path.replace = die
passages = [Passage(f"Text {n}", "", "notes/a.md", n) for n in range(20)]
embedder = load()
if step == "embed": embedder.embed_passages = die
generations = Catalog(Path(sys.argv[1])).generations("notes")
indexing.index_passages(generations, passages, embedder, roots={"notes": Path("/notes")})
"""


@pytest.mark.anyio
@pytest.mark.parametrize("step", ["embed", "build", "manifest", "publish", "pointer"])
async def test_a_writer_killed_at_any_step_leaves_the_published_generation(
    step: str, data_dir: Path, embedder: Embedder, reference: Reference
) -> None:
    killed = subprocess.run(  # noqa: ASYNC221
        [sys.executable, "-c", KILLED, str(data_dir), step], check=False
    )
    assert killed.returncode == -signal.SIGKILL
    generations = Catalog(data_dir).generations("notes")
    assert (await EdgeIndex(generations).info()).points == 36
    built = index_passages(generations, reference.subjects["space"], embedder, roots=ROOTS)
    assert built.published
    assert (await EdgeIndex(generations).info()).points == 6


@pytest.mark.anyio
async def test_a_damaged_generation_is_named(generations: Generations) -> None:
    (generations.path(generations.current() or "") / "manifest.json").write_text("{")
    with pytest.raises(CollectionError, match=r"collection 'notes'.* cannot be read .*with --replace"):
        await EdgeIndex(generations).info()


@pytest.mark.anyio
async def test_a_damaged_generation_can_be_built_anew(
    generations: Generations, embedder: Embedder, reference: Reference
) -> None:
    (generations.path(generations.current() or "") / "manifest.json").write_text("{")
    with pytest.raises(CollectionError, match=r"cannot be read .* --replace"):
        index_passages(generations, reference.passages, embedder, roots=ROOTS)
    assert index_passages(generations, reference.passages, embedder, roots=ROOTS, replace=True).published
    assert (await EdgeIndex(generations).info()).points == 36


SLOW = """
import sys
from pathlib import Path
import numpy as np
from warmer.index.edge.catalog import Catalog
from warmer.publishing.embedded.publish import index_passages
from warmer.passage import Passage

class Fake:
    name, dim = sys.argv[3], 384
    def embed_passages(self, texts):
        rng = np.random.default_rng(0)
        return ((n, rng.normal(size=384).astype(np.float32)) for n in range(len(texts)))

passages = [Passage(f"{sys.argv[3]} {n} " + "word " * 50, "", "s/a.md", n) for n in range(int(sys.argv[2]))]
index_passages(Catalog(Path(sys.argv[1])).generations("slow"), passages, Fake(), roots={"s": Path("/s")}, replace=True)
"""


@pytest.mark.anyio
async def test_a_build_that_outlives_its_writer_does_no_harm(tmp_path: Path) -> None:
    folder = tmp_path / "collections" / "slow" / "generations"
    first = subprocess.Popen([sys.executable, "-c", SLOW, str(tmp_path), "8000", "first"])  # noqa: ASYNC220
    while not list(folder.glob("*/shard")):
        assert first.poll() is None
        await anyio.sleep(0.01)
    first.kill()
    first.wait()
    subprocess.run([sys.executable, "-c", SLOW, str(tmp_path), "50", "second"], check=True)  # noqa: ASYNC221
    index = EdgeIndex(Catalog(tmp_path).generations("slow"))
    assert (await index.info()).points == 50
    hits = await near(index, np.ones(384, np.float32), 100)
    assert {hit.payload["text"].split()[0] for hit in hits} == {"second"}


def test_files_in_the_current_folder_are_never_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "numpy.py").write_text("raise SystemExit('run')")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stage").mkdir()
    stage = Stage(tmp_path / "stage")
    stage.add("00000000-0000-4000-8000-000000000001", {"text": "a", "title": ""}, np.ones(3, np.float32))
    stage.close()
    build_in_child(tmp_path / "stage", 3)
    assert (tmp_path / "stage" / "shard").is_dir()


@pytest.mark.anyio
@pytest.mark.parametrize("pointer", [b"", b"abc", b"\xff\xfe", b"000042-00000000", b"../../etc"])
async def test_a_damaged_pointer_is_refused_and_replaced(
    pointer: bytes, generations: Generations, embedder: Embedder, reference: Reference
) -> None:
    whole = generations.path(generations.current() or "")
    (generations.folder / "CURRENT").write_bytes(pointer)
    with pytest.raises(CollectionError, match="--replace"):
        await EdgeIndex(generations).info()
    with pytest.raises(CollectionError, match="--replace"):
        index_passages(generations, reference.passages, embedder, roots=ROOTS)
    assert whole.is_dir()
    assert index_passages(generations, reference.passages, embedder, roots=ROOTS, replace=True).published
    assert (await EdgeIndex(generations).info()).points == 36


@pytest.mark.anyio
@pytest.mark.parametrize("damage", ["truncate", "delete", "flip"])
async def test_whatever_is_damaged_is_an_error_and_can_be_replaced(
    damage: str, data_dir: Path, embedder: Embedder, reference: Reference
) -> None:
    """Edge panics on some damage and loads an empty shard on other: neither may pass for an answer."""
    generations = Catalog(data_dir).generations("notes")
    shard = generations.path(generations.current() or "") / "shard"
    refused = 0
    for file in sorted(path.relative_to(shard) for path in shard.rglob("*") if path.is_file()):
        copy = data_dir / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        subprocess.run(["cp", "-r", shard, copy], check=True)  # noqa: ASYNC221
        if damage == "delete":
            (shard / file).unlink()
        elif damage == "flip":
            flip(shard / file)
        else:
            (shard / file).write_bytes(b"")
        try:
            hits = await near(EdgeIndex(generations), embedder.embed_query("bread"), 50)
            assert {hit.passage for hit in hits} == {passage.embedded for passage in reference.passages}
        except CollectionError as error:
            assert "--replace" in str(error)
            refused += 1
        shutil.rmtree(shard)
        copy.rename(shard)
    assert refused
    shutil.rmtree(shard / "segments")
    assert index_passages(generations, reference.passages, embedder, roots=ROOTS, replace=True).published


def flip(file: Path) -> None:
    """Change one bit of a file, in the middle of what is not zero."""
    content = bytearray(file.read_bytes())
    places = np.flatnonzero(np.frombuffer(content, np.uint8))
    content[int(places[len(places) // 2]) if places.size else 0] ^= 8
    file.write_bytes(content)


def test_what_is_too_large_to_be_read_at_each_open_is_verified_when_asked(
    generations: Generations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warmer.index.edge.checksums.SMALL", 0)
    assert shards.verify(generations) == "verified: 22 files are as they were written"
    shard = generations.path(generations.current() or "") / "shard"
    (vectors,) = shard.rglob("chunk_0.mmap")
    flip(vectors)
    shards.load(shard.parent)
    with pytest.raises(CollectionError, match=r"the contents of .*chunk_0\.mmap are not what was written.*--replace"):
        shards.verify(generations)


@pytest.mark.anyio
async def test_what_an_earlier_version_built_without_checksums_is_read(generations: Generations) -> None:
    folder = generations.path(generations.current() or "")
    raw = json.loads((folder / "manifest.json").read_text())
    del raw["sums"], raw["checksum"]
    (folder / "manifest.json").write_text(json.dumps(raw))
    assert (await EdgeIndex(generations).info()).points == 36
    assert shards.verify(generations).startswith("not verified")
    raw["model"], raw["checksum"] = "other/model", 1
    (folder / "manifest.json").write_text(json.dumps(raw))
    with pytest.raises(CollectionError, match=r"manifest\.json are not what was written"):
        await EdgeIndex(generations).info()


@pytest.mark.anyio
async def test_a_collection_made_anew_is_seen_as_new(data_dir: Path, embedder: Embedder, reference: Reference) -> None:
    reader = EdgeIndex(Catalog(data_dir).generations("notes"))
    assert (await reader.info()).points == 36
    Catalog(data_dir).delete("notes")
    with pytest.raises(CollectionError, match="nothing published"):
        await reader.info()
    index_passages(Catalog(data_dir).generations("notes"), reference.subjects["space"], embedder, roots=ROOTS)
    assert (await reader.info()).points == 6


def test_a_folder_that_moved_is_remembered_where_it_is(
    generations: Generations, embedder: Embedder, reference: Reference
) -> None:
    moved = {"notes": Path("/elsewhere/notes")}
    with pytest.raises(IngestError, match="would take its place"):
        index_passages(generations, reference.passages, embedder, roots=moved)
    assert index_passages(generations, reference.passages, embedder, roots=moved, replace=True).published
    assert not index_passages(generations, reference.passages, embedder, roots=moved).published


def test_a_build_that_fails_says_why(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.add("no-point-id", {"text": "a", "title": ""}, np.ones(3, np.float32))
    stage.close()
    with pytest.raises(StorageError, match=r"building .* failed \(exit status 1\): while processing 'id'"):
        build_in_child(tmp_path, 3)


def test_a_disk_that_cannot_be_written_is_named(tmp_path: Path, embedder: Embedder, reference: Reference) -> None:
    (tmp_path / "collections").touch()
    with pytest.raises(StorageError, match="cannot write"):
        index_passages(Catalog(tmp_path).generations("notes"), reference.passages, embedder, roots=ROOTS)


def test_collections_are_found_by_name_alone_or_by_default(
    data_dir: Path, make_collection: Callable[[Path, str], Path]
) -> None:
    assert Catalog(data_dir).resolve("") == "notes"
    with pytest.raises(CollectionError, match=r"no collection 'nots'; there are: notes$"):
        Catalog(data_dir).resolve("nots")
    make_collection(data_dir, "other")
    with pytest.raises(CollectionError, match=r"name one of them: notes, other$"):
        Catalog(data_dir).resolve("")
    assert Catalog(data_dir, default="other").resolve("") == "other"
    assert Catalog(data_dir, default="other").resolve("notes") == "notes"


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "x" * 64, "naïve name"])
def test_names_that_fit_no_folder_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(CollectionError, match="cannot name a collection"):
        Catalog(tmp_path).generations(name)


def test_an_empty_data_directory_says_how_to_begin(tmp_path: Path) -> None:
    with pytest.raises(CollectionError, match="warmer index PATH --collection NAME"):
        Catalog(tmp_path).resolve("")


def test_ids_say_what_is_embedded_and_outlive_other_edits() -> None:
    one, same, other = Passage("a", "T", "s", 1), Passage("a", "T", "s", 9), Passage("b", "T", "s", 2)
    first, second, third = (id_ for id_, _ in identify([one, same, other]))
    assert len({first, second, third}) == 3
    assert [id_ for id_, _ in identify([other, same])] == [third, first]
