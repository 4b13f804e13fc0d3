"""The collection for measurements: a dataset's documents, and variations of them up to the requested number."""

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from time import perf_counter

import numpy as np

from warmer.embedding import Embedder
from warmer.index.edge.catalog import Catalog
from warmer.passage import Passage
from warmer.publishing.embedded.publish import index_passages
from warmer.publishing.embedded.published import PublishedGeneration
from warmer.vectors import Vector
from warmer_evals import EvalError
from warmer_evals.bars import Bars

NAME = "bench"
_NOISE = 0.3  # length of the random vector that is added to the unit vector of a document


@dataclass(frozen=True, slots=True)
class BuildStats:
    """The size of the collection and the time to make it.

    Attributes:
        dataset: Name of the dataset's folder.
        points: Number of passages.
        embedded: How many of them the model embedded; the rest are variations.
        embedding: Seconds for embedding.
        building: Seconds for everything else: reading, indexing, syncing.
    """

    dataset: str
    points: int
    embedded: int
    embedding: float
    building: float


def make(dataset: Path, points: int, data_dir: Path, embedder: Embedder) -> BuildStats:
    """Make the collection in a data directory, or reuse that of an earlier run.

    Raises:
        EvalError: There are no documents.
    """
    record = data_dir / "made.json"
    if record.exists():
        made = BuildStats(**json.loads(record.read_text(encoding="utf-8")))
        if (made.dataset, made.points) == (dataset.resolve().name, points):
            return made
    shutil.rmtree(data_dir, ignore_errors=True)
    documents = list(islice(_documents(dataset), points))
    if not documents:
        raise EvalError(f"{dataset / 'corpus.jsonl'} has no documents")
    passages = [_variation(documents[n % len(documents)], n // len(documents)) for n in range(points)]
    timed = _VariationEmbedder(embedder, [passage.embedded for passage in passages], len(documents))
    started = perf_counter()
    with Bars() as bars:
        generations = Catalog(data_dir).generations(NAME)
        index_passages(
            generations, passages, timed, roots={}, replace=True, progress=bars.steps(f"{dataset.name}: passages")
        )
    seconds = perf_counter() - started
    made = BuildStats(dataset.resolve().name, points, len(documents), timed.seconds, seconds - timed.seconds)
    record.write_text(json.dumps(asdict(made)), encoding="utf-8")
    return made


def export(data_dir: Path, passages: Path, vectors: Path) -> None:
    """Write passages as JSON lines, and vectors as an array of shape (points, dim), for another server."""
    stored = PublishedGeneration(Catalog(data_dir).generations(NAME))
    payloads = dict(stored.payloads())
    passages.write_text("".join(json.dumps(payload) + "\n" for payload in payloads.values()), encoding="utf-8")
    found = stored.vectors(list(payloads))
    np.save(vectors, np.stack([found[id_] for id_ in payloads]))


def shard(data_dir: Path) -> Path:
    """Return the folder of the engine's files."""
    generations = Catalog(data_dir).generations(NAME)
    current = generations.current()
    assert current
    return generations.path(current) / "shard"


def queries(dataset: Path) -> list[str]:
    """Read the dataset's queries.

    Raises:
        EvalError: There are none.
    """
    found = [str(line["text"]) for line in _lines(dataset / "queries.jsonl")]
    if not found:
        raise EvalError(f"{dataset / 'queries.jsonl'} has no queries")
    return found


def passages(dataset: Path) -> list[str]:
    """Read the dataset's documents, as they are embedded."""
    return [passage.embedded for passage in _documents(dataset)]


class _VariationEmbedder:
    """Embeds documents by a model, and gives their variations nearby random vectors instead of embedding them too."""

    def __init__(self, embedder: Embedder, texts: Sequence[str], documents: int) -> None:
        self.name, self.dim, self.seconds = embedder.name, embedder.dim, 0.0
        self.embed_query = embedder.embed_query
        self._embedder, self._documents = embedder, documents
        # Reversed, so that equal texts keep the first position.
        self._positions = {text: n for n, text in reversed(list(enumerate(texts)))}
        self._vectors: dict[int, Vector] = {}
        self._rng = np.random.default_rng(0)

    def embed_passages(self, texts: Sequence[str]) -> Iterator[tuple[int, Vector]]:
        positions = [self._positions[text] for text in texts]
        new = {
            n: text for n, text in zip(positions, texts, strict=True) if n < self._documents and n not in self._vectors
        }
        numbers, started = list(new), perf_counter()
        for at, vector in self._embedder.embed_passages(list(new.values())):
            self._vectors[numbers[at]] = vector
        self.seconds += perf_counter() - started
        for at, n in enumerate(positions):
            vector = self._vectors[n % self._documents]
            yield at, vector if n < self._documents else self._perturbed(vector)

    def _perturbed(self, vector: Vector) -> Vector:
        other = vector + self._rng.normal(0, _NOISE / np.sqrt(vector.size), vector.size)
        return np.asarray(other / np.linalg.norm(other), dtype=np.float32)


def _variation(passage: Passage, number: int) -> Passage:
    if not number:
        return passage
    words = passage.text.split()
    rotated = words[number % len(words) :] + words[: number % len(words)]
    return Passage(" ".join(rotated), passage.title, f"{number}/{passage.source}", passage.line)


def _documents(dataset: Path) -> Iterator[Passage]:
    seen: dict[str, int] = {}
    texts = set()
    for line in _lines(dataset / "corpus.jsonl"):
        source = str((line.get("metadata") or {}).get("source") or f"{line['_id']}.md")
        passage = Passage(str(line["text"]).strip(), str(line.get("title") or ""), source, seen.get(source, 0) + 1)
        if passage.text and passage.embedded not in texts:
            texts.add(passage.embedded)
            yield passage
        seen[source] = seen.get(source, 0) + 1 + passage.text.count("\n")


def _lines(file: Path) -> Iterator[dict]:  # type: ignore[type-arg]
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise EvalError(f"cannot read {file}: {error.strerror}") from error
    yield from map(json.loads, lines)
