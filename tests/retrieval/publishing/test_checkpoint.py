import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support import Reference

from warmer.embedding import Embedder
from warmer.index.edge.generations import Generations
from warmer.passage import Passage, identify
from warmer.publishing.embedded.checkpoint import EmbeddingCheckpoint
from warmer.publishing.embedded.publish import index_passages
from warmer.publishing.embedded.published import PublishedGeneration
from warmer.vectors import Vector

ROOTS = {"notes": Path("/notes")}
PASSAGES = [Passage(f"Text {n}.", "", "notes/a.md", n) for n in range(20)]


class InterruptedEmbedder:
    """The embedder, interrupted before passage number `at`, with a count of embedded passages."""

    def __init__(self, embedder: Embedder, at: int = -1, name: str = "") -> None:
        self.name, self.dim, self.embed_query = name or embedder.name, embedder.dim, embedder.embed_query
        self.embedded = 0
        self._at = at
        self._embedder = embedder

    def embed_passages(self, texts: Sequence[str]) -> Iterator[tuple[int, Vector]]:
        for found in self._embedder.embed_passages(texts):
            if self.embedded == self._at:
                raise KeyboardInterrupt
            self.embedded += 1
            yield found


@pytest.fixture
def interrupted(tmp_path: Path, embedder: Embedder) -> Generations:
    """A first run of PASSAGES that was interrupted after 12 of them."""
    generations = Generations(tmp_path / "notes")
    with pytest.raises(KeyboardInterrupt):
        index_passages(generations, PASSAGES, InterruptedEmbedder(embedder, 12), roots=ROOTS)
    assert generations.current() is None
    return generations


def vectors(generations: Generations) -> dict[str, Vector]:
    return PublishedGeneration(generations).vectors([id_ for id_, _ in identify(PASSAGES)])


def test_a_resumed_run_embeds_only_the_rest(interrupted: Generations, embedder: Embedder) -> None:
    done: list[int] = []
    moved = [replace(passage, line=passage.line + 1) for passage in PASSAGES]
    counted = InterruptedEmbedder(embedder)
    built = index_passages(interrupted, moved, counted, roots=ROOTS, progress=lambda n, _: done.append(n))
    assert (built.points, built.embedded, counted.embedded, sum(done)) == (20, 8, 8, 20)
    stored = vectors(interrupted)
    for id_, passage in identify(PASSAGES):
        assert stored[id_] @ embedder.embed_query(passage.embedded) > 0.9999
    assert not (interrupted.folder / "unpublished.f32").exists()


@pytest.mark.parametrize("torn", [b"", b"x", b"\0" * 5000])
def test_an_incomplete_record_is_dropped(torn: bytes, interrupted: Generations, embedder: Embedder) -> None:
    with (interrupted.folder / "unpublished.f32").open("ab") as file:
        file.write(torn)
    assert index_passages(interrupted, PASSAGES, embedder, roots=ROOTS).embedded == 8
    assert len(vectors(interrupted)) == 20


def test_a_damaged_vector_is_embedded_again(interrupted: Generations, embedder: Embedder) -> None:
    file = interrupted.folder / "unpublished.f32"
    whole = file.read_bytes()
    file.write_bytes(whole[:-1000] + b"\xff" + whole[-999:])
    assert index_passages(interrupted, PASSAGES, embedder, roots=ROOTS).embedded == 9
    assert all(np.linalg.norm(vector) == pytest.approx(1, abs=1e-4) for vector in vectors(interrupted).values())


def test_vectors_of_another_model_are_not_used(interrupted: Generations, embedder: Embedder) -> None:
    other = InterruptedEmbedder(embedder, name="other/model")
    assert index_passages(interrupted, PASSAGES, other, roots=ROOTS, replace=True).embedded == 20


def test_a_run_interrupted_twice_keeps_both_parts(interrupted: Generations, embedder: Embedder) -> None:
    with pytest.raises(KeyboardInterrupt):
        index_passages(interrupted, PASSAGES, InterruptedEmbedder(embedder, 5), roots=ROOTS)
    assert index_passages(interrupted, PASSAGES, embedder, roots=ROOTS).embedded == 3


KILLED = """
import os, signal, sys
from pathlib import Path
import numpy as np
from warmer.index.edge.generations import Generations
from warmer.publishing.embedded.checkpoint import EmbeddingCheckpoint
from warmer.publishing.embedded.publish import index_passages
from warmer.passage import Passage

class Fake:
    name, dim = "fake", 384
    def embed_passages(self, texts):
        for n in range(len(texts)):
            if n == 1000: os.kill(os.getpid(), signal.SIGKILL)
            yield n, np.ones(384, np.float32)

passages = [Passage(f"Text {n}", "", "notes/a.md", n) for n in range(1500)]
index_passages(Generations(Path(sys.argv[1])), passages, Fake(), roots={"notes": Path("/notes")})
"""


def test_embedded_vectors_survive_a_kill(tmp_path: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert killed.returncode == -signal.SIGKILL

    ids = [id_ for id_, _ in identify(Passage(f"Text {n}", "", "notes/a.md", n) for n in range(1500))]
    with EmbeddingCheckpoint(tmp_path, "fake", 384) as checkpoint:
        kept = checkpoint.vectors(ids)
    assert set(kept) <= set(ids[:1000])
    assert len(kept) > 900


def test_passages_may_be_a_generator_that_fills_unread(
    tmp_path: Path, embedder: Embedder, reference: Reference
) -> None:
    """`unread` is complete only after the last passage."""
    generations = Generations(tmp_path / "notes")
    index_passages(generations, reference.passages, embedder, roots=ROOTS)
    unread: list[str] = []

    def reading() -> Iterator[Passage]:
        yield Passage("New.", "", "notes/new.md", 1)
        unread.append("notes/space.md")

    assert index_passages(generations, reading(), embedder, roots=ROOTS, unread=unread).points == 7
