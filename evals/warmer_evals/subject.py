"""What is evaluated: a dataset, or a live collection with queries of its own."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_data_path

from warmer.embedding import Embedder
from warmer.index import Hit, Index
from warmer.index.edge.catalog import Catalog
from warmer_evals import EvalError, beir, collection
from warmer_evals.collection import Progress
from warmer_evals.scores import Scores


@dataclass(frozen=True, slots=True)
class Fold:
    """Which queries teach, and which are evaluated with what was learned; ids."""

    train: Sequence[str]
    test: Sequence[str]


@dataclass(frozen=True, slots=True)
class Subject:
    """A collection with queries, opened.

    Attributes:
        name: The dataset's or collection's name.
        index: The collection.
        document: Names a hit's document.
        queries: Query id -> text.
        folds: One fold where there is a training set, else two halves that teach each other.
        qrels: The judgments of the evaluated queries; None for a live collection.
        about: Facts for the report.
        notes: What a reader should know, in sentences.
    """

    name: str
    index: Index
    document: Callable[[Hit], str]
    queries: Mapping[str, str]
    folds: Sequence[Fold]
    qrels: beir.Qrels | None
    about: Mapping[str, str | int]
    notes: Sequence[str]


async def from_dataset(
    dataset: beir.Dataset,
    scores: Scores,
    embedder: Embedder,
    *,
    split: str,
    limit: int | None,
    indexed: str,
    data_dir: Path,
    progress: Progress,
) -> Subject:
    """Index a dataset, and divide its queries.

    `qrels/train.tsv` teaches where there is one and another split is evaluated. Recorded scores serve the queries of no
    split too: they count where no judgments are needed.

    Raises:
        EvalError: No query can be evaluated.
    """
    indexed = indexed or await collection.choose_text(dataset, embedder, data_dir, progress)
    name = collection.build(dataset, indexed, embedder, data_dir, progress)
    judged = _known(dataset.qrels[split], dataset, scores)[:limit]
    teaching = [] if split == "train" else _known(dataset.qrels.get("train", {}), dataset, scores)
    train = [query for query in teaching if query not in dataset.qrels[split]]
    of_a_split = {query for qrels in dataset.qrels.values() for query in qrels}
    others = [query for query in dataset.queries if query not in of_a_split] if scores.free else []
    test = [*judged, *_known(others, dataset, scores)][:limit]
    without = sum(not any(dataset.qrels[split][query].values()) for query in judged)
    notes = [
        *dataset.notes,
        *_note(len(teaching) - len(train), "of qrels/train.tsv are evaluated too and do not train"),
        *_note(len(test) - len(judged), "have no judgments and count for relevance gain and DCG wins only"),
        *_note(without, "have no relevant document and do not count in measures from judgments"),
    ]
    return Subject(
        name=dataset.name,
        index=Catalog(data_dir).open(name),
        document=lambda hit: str(hit.payload["source"]),
        queries=dataset.queries,
        folds=_folds(train, test, f"qrels/{split}.tsv of {dataset.name}"),
        qrels=dataset.qrels[split],
        about={
            "documents": len(dataset.documents),
            "queries": len(test),
            "indexed": indexed,
            "model": embedder.name,
            "pooled": dataset.pooled,
            "trained_on": "train qrels" if train else "two folds",
        },
        notes=notes,
    )


async def from_collection(name: str, queries: Path, data_dir: Path) -> Subject:
    """Open a collection that `warmer index` made, and read queries, one a line.

    Raises:
        CollectionError: There is no such collection.
        EvalError: The file cannot be read or has fewer than two queries.
    """
    index = Catalog(data_dir).open(name)
    info = await index.info()
    asked = {str(number): text for number, text in enumerate(_read(queries), start=1)}
    return Subject(
        name=info.name,
        index=index,
        document=lambda hit: hit.id,
        queries=asked,
        folds=_folds([], list(asked), str(queries)),
        qrels=None,
        about={
            "documents": info.points or 0,
            "queries": len(asked),
            "indexed": "title and text",
            "model": info.model,
            "trained_on": "two folds",
        },
        notes=(),
    )


def default_data_dir() -> Path:
    """Locate the collections that `warmer serve` serves."""
    return Path(os.environ.get("WARMER_DATA_DIR") or user_data_path("warmer", appauthor=False)).expanduser()


def _read(queries: Path) -> list[str]:
    """Read queries, one a line, each once."""
    try:
        lines = queries.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise EvalError(f"cannot read queries from {queries}: {error}. Write one query a line") from error
    return list(dict.fromkeys(line.strip() for line in lines if line.strip()))


def _known(queries: Mapping[str, object] | Sequence[str], dataset: beir.Dataset, scores: Scores) -> list[str]:
    """List those that can be scored, in the order of the dataset."""
    wanted = set(queries)
    return [id_ for id_ in dataset.queries if id_ in wanted and scores.knows(id_)]


def _folds(train: Sequence[str], test: Sequence[str], where: str) -> list[Fold]:
    if train and test:
        return [Fold(train, test)]
    if len(test) < 2:  # noqa: PLR2004
        raise EvalError(
            f"{where} gives {len(test)} queries that the judge can score: an evaluation needs two at least, and says "
            "little with fewer than fifty"
        )
    # Halves, not every other one: neighbours are often by one author, on one subject.
    half = (len(test) + 1) // 2
    return [Fold(test[:half], test[half:]), Fold(test[half:], test[:half])]


def _note(count: int, what: str) -> list[str]:
    return [f"{count} queries {what}."] if count else []
