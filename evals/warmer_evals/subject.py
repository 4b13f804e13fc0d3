"""The subject of an evaluation: a dataset, or a live collection with a file of queries."""

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
    """Ids of the queries to train on, and of those to evaluate with the result."""

    train: Sequence[str]
    test: Sequence[str]


@dataclass(frozen=True, slots=True)
class Subject:
    """An open collection and its queries.

    Attributes:
        name: The dataset's or collection's name.
        index: The collection.
        document: Maps a hit to its document's id.
        queries: Query id -> text.
        folds: One fold if there is a training set, else two halves, each trained on the other.
        qrels: The judgments of the evaluated queries; None for a live collection.
        about: Facts for the report.
        notes: Caveats for the report, in sentences.
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
    """Index a dataset and split its queries.

    Queries of `qrels/train.tsv` train, if another split is evaluated. With a judge that costs nothing, queries that are
    in no split are evaluated too; they count only in measures that need no judgments.

    Raises:
        EvalError: No query can be evaluated.
    """
    indexed = indexed or await collection.choose_text(dataset, embedder, data_dir, progress)
    name = collection.build(dataset, indexed, embedder, data_dir, progress)
    judged = _scorable(dataset.qrels[split], dataset, scores)[:limit]
    training = [] if split == "train" else _scorable(dataset.qrels.get("train", {}), dataset, scores)
    train = [query for query in training if query not in dataset.qrels[split]]
    in_a_split = {query for qrels in dataset.qrels.values() for query in qrels}
    others = [query for query in dataset.queries if query not in in_a_split] if scores.free else []
    test = [*judged, *_scorable(others, dataset, scores)][:limit]
    without_relevant = sum(not any(dataset.qrels[split][query].values()) for query in judged)
    notes = [
        *dataset.notes,
        *_count_note(len(training) - len(train), "of qrels/train.tsv are evaluated too and do not train"),
        *_count_note(len(test) - len(judged), "have no judgments and count for relevance gain and DCG wins only"),
        *_count_note(without_relevant, "have no relevant document and do not count in measures from judgments"),
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
    """Open a collection that `warmer index` made, and read its queries, one per line.

    Raises:
        CollectionError: There is no such collection.
        EvalError: The file cannot be read or has fewer than two queries.
    """
    index = Catalog(data_dir).open(name)
    info = await index.info()
    queries_by_id = {str(number): text for number, text in enumerate(_read_queries(queries), start=1)}
    return Subject(
        name=info.name,
        index=index,
        document=lambda hit: hit.id,
        queries=queries_by_id,
        folds=_folds([], list(queries_by_id), str(queries)),
        qrels=None,
        about={
            "documents": info.points or 0,
            "queries": len(queries_by_id),
            "indexed": "title and text",
            "model": info.model,
            "trained_on": "two folds",
        },
        notes=(),
    )


def default_data_dir() -> Path:
    """Return the data directory that `warmer serve` uses by default."""
    return Path(os.environ.get("WARMER_DATA_DIR") or user_data_path("warmer", appauthor=False)).expanduser()


def _read_queries(queries: Path) -> list[str]:
    """Read queries, one per line, without duplicates."""
    try:
        lines = queries.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise EvalError(f"cannot read queries from {queries}: {error}. Write one query a line") from error
    return list(dict.fromkeys(line.strip() for line in lines if line.strip()))


def _scorable(queries: Mapping[str, object] | Sequence[str], dataset: beir.Dataset, scores: Scores) -> list[str]:
    """List the queries that the judge can score, in the order of the dataset."""
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
    # Halves, not every other query: adjacent queries often share an author and a subject.
    half = (len(test) + 1) // 2
    return [Fold(test[:half], test[half:]), Fold(test[half:], test[:half])]


def _count_note(count: int, what: str) -> list[str]:
    return [f"{count} queries {what}."] if count else []
