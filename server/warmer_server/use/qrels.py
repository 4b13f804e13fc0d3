"""A test set from use: scored threads as a dataset in BEIR layout."""

import json
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from warmer.errors import StorageError
from warmer.index import Hit
from warmer.journal.use import Thread

MARK = "warmer.json"  # says that a folder is an export
_FILES = ("corpus.jsonl", "queries.jsonl", "qrels", "judgments.tsv", MARK)


@dataclass(frozen=True, slots=True)
class Question:
    """A query, its other wordings, and its judgments: point id -> scores."""

    query: str
    wordings: tuple[str, ...]
    judgments: Mapping[str, Sequence[float]]

    @property
    def id(self) -> str:
        """Name it by its text, so that exports can be compared."""
        return "q" + sha256(self.query.encode("utf-8", "replace")).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Counts:
    """What an export has, and what it leaves out."""

    queries: int
    passages: int
    judgments: int
    left_out_queries: int
    gone: int
    changed: int

    def __str__(self) -> str:
        left = {
            "queries with too few scores": self.left_out_queries,
            "passages that are gone": self.gone,
            "passages that changed": self.changed,
        }
        without = ", ".join(f"{count} {what}" for what, count in left.items() if count)
        return f"{self.queries} queries, {self.passages} passages, {self.judgments} judgments" + (
            f"; left out: {without}" if without else ""
        )


def questions(threads: Iterable[Thread], there: Mapping[str, Hit]) -> list[Question]:
    """Bring the threads of each query together, with the judgments of passages that are there."""
    by_query: dict[str, list[Thread]] = {}
    for thread in threads:
        by_query.setdefault(" ".join(thread.query.split()), []).append(thread)
    made = []
    for query, same in by_query.items():
        judgments: dict[str, list[float]] = {}
        for one in (seen for thread in same for seen in thread.scored if seen.point in there):
            judgments.setdefault(one.point, []).extend(one.scores)
        wordings = dict.fromkeys(" ".join(text.split()) for thread in same for text in thread.wordings)
        made.append(Question(query, tuple(text for text in wordings if text and text != query), judgments))
    return made


def check_folder(folder: Path, *, force: bool) -> None:
    """Make sure that nothing is lost by writing an export.

    Raises:
        StorageError: The folder has something in it that is no earlier export.
    """
    if folder.exists() and not folder.is_dir():
        raise StorageError(f"{folder} is a file: name a folder for the export")
    if force or not folder.exists() or (folder / MARK).is_file() or not any(folder.iterdir()):
        return
    raise StorageError(f"{folder} is not empty, and not an earlier export: name another folder, or pass --force")


def write(
    folder: Path, asked: Sequence[Question], there: Mapping[str, Hit], counts: Counts, *, wordings: bool = False
) -> None:
    """Write a dataset, whole or not at all; what an earlier export wrote is replaced, other files stay.

    Raises:
        StorageError: The folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".new-") as made:
            new = Path(made)
            (new / "qrels").mkdir()
            _lines(new / "corpus.jsonl", (_document(id_, hit) for id_, hit in there.items()))
            texts = [pair for one in asked for pair in _texts(one, every=wordings)]
            told = {one.id: list(one.wordings) for one in asked}
            _lines(
                new / "queries.jsonl",
                ({"_id": id_, "text": text, "metadata": {"wordings": told.get(id_, [])}} for id_, text in texts),
            )
            graded = [
                (id_, point, scores)
                for one in asked
                for id_, _ in _texts(one, every=wordings)
                for point, scores in one.judgments.items()
            ]
            header = "query-id\tcorpus-id\tscore"
            _table(new / "qrels" / "test.tsv", header, ((q, p, f"{_mean(s):.0f}") for q, p, s in graded))
            _table(
                new / "judgments.tsv",
                header + "\tscorers",
                ((q, p, f"{_mean(s):.2f}", str(len(s))) for q, p, s in graded),
            )
            (new / MARK).write_text(json.dumps({"warmer": "qrels", **asdict(counts)}) + "\n", encoding="utf-8")
            for name in _FILES:
                if name == "qrels" and (folder / name).is_dir():
                    shutil.rmtree(folder / name)
                (new / name).replace(folder / name)
    except OSError as error:
        raise StorageError(f"cannot write {folder}: {error}") from error


def _texts(one: Question, *, every: bool) -> list[tuple[str, str]]:
    more = one.wordings if every else ()
    return [(one.id, one.query), *((f"{one.id}.w{number}", text) for number, text in enumerate(more, start=1))]


def _document(id_: str, hit: Hit) -> dict[str, Any]:
    return {"_id": id_, "title": str(hit.payload.get("title") or ""), "text": str(hit.payload.get("text") or "")}


def _mean(scores: Sequence[float]) -> float:
    return sum(scores) / len(scores)


def _lines(file: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    with file.open("w", encoding="utf-8", errors="replace", newline="\n") as out:
        out.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def _table(file: Path, header: str, rows: Iterable[Sequence[str]]) -> None:
    with file.open("w", encoding="utf-8", newline="\n") as out:
        out.writelines("\t".join(row) + "\n" for row in ([header], *rows))
