"""Datasets in BEIR layout: `corpus.jsonl`, `queries.jsonl` and judgments in `qrels/*.tsv`."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warmer_evals import EvalError

Qrels = Mapping[str, Mapping[str, int]]

_LAYOUT = "a dataset is a folder with corpus.jsonl, queries.jsonl and qrels/test.tsv"


@dataclass(frozen=True, slots=True)
class Document:
    """A document of the corpus; its title may be empty. `picture` is its file, if it is one, with `text` as caption."""

    title: str
    text: str
    picture: Path | None = None


@dataclass(frozen=True, slots=True)
class Dataset:
    """A test collection.

    Attributes:
        name: The folder's name.
        documents: Document id -> document.
        queries: Query id -> text, including queries without judgments.
        qrels: Split -> query id -> document id -> grade. 0 is "not relevant"; a pair that is not listed is unjudged
            or not relevant, which the layout does not distinguish.
        notes: What was left out when reading, in sentences.
    """

    name: str
    documents: dict[str, Document]
    queries: dict[str, str]
    qrels: dict[str, Qrels]
    notes: tuple[str, ...] = ()

    def split(self, name: str = "") -> str:
        """Return the split to evaluate on: the one named, else `test`, else the only one.

        Raises:
            EvalError: There is no split of that name, or there are several and none is `test`.
        """
        name = name or ("test" if "test" in self.qrels else next(iter(self.qrels)) if len(self.qrels) == 1 else "")
        if name not in self.qrels:
            reason = f"no qrels/{name}.tsv" if name else "several files in qrels and none is test.tsv"
            raise EvalError(f"{self.name} has {reason}: choose with --split one of {', '.join(self.qrels)}")
        return name

    @property
    def of_pictures(self) -> bool:
        """Whether its documents are pictures."""
        return any(document.picture for document in self.documents.values())

    @property
    def pooled(self) -> bool:
        """Whether the judgments are a judged pool: grades of 0 are listed."""
        return any(
            grade == 0 for qrels in self.qrels.values() for graded in qrels.values() for grade in graded.values()
        )


def load(folder: Path) -> Dataset:
    """Read a dataset.

    Judgments that name an unknown query or document are left out with a note.

    Raises:
        EvalError: A file is missing, empty or malformed, or most judgments name unknown ids.
    """
    if not folder.is_dir():
        raise EvalError(f"{folder} is not a folder: {_LAYOUT}")
    documents = {
        id_: Document(str(line.get("title") or ""), text, _picture(folder, id_, line))
        for id_, text, line in _records(folder, "corpus.jsonl")
    }
    queries = {id_: text for id_, text, _ in _records(folder, "queries.jsonl")}
    files = sorted((folder / "qrels").glob("*.tsv"))
    if not files:
        raise EvalError(
            f"{folder} has no judgments: {_LAYOUT}. Without any, index the documents with `warmer index` and run "
            "the evaluation on the collection: --collection NAME --queries FILE, and a judge that is a model"
        )
    qrels, notes = {}, []
    errors: dict[str, str] = {}
    for file in files:
        try:
            qrels[file.stem], note = _read_qrels(file, queries, documents)
        except EvalError as error:
            errors[file.stem], note = str(error), [f"qrels/{file.name} is left out: {error}."]
        notes += note
    if not qrels or "test" in errors:
        raise EvalError(errors.get("test") or next(iter(errors.values())))
    return Dataset(folder.resolve().name, documents, queries, qrels, tuple(notes))


def _records(folder: Path, name: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield id, text and the whole object of each line."""
    seen = set()
    for where, line in _numbered_lines(folder / name):
        try:
            parsed = json.loads(line)
            id_ = str(parsed["_id"])
            text = parsed.get("text", "") if "image" in parsed else parsed["text"]
            text = text.encode("utf-8", "replace").decode()  # replaces lone surrogates
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise EvalError(f'{where} is {line[:60]!r}: each line is JSON, {{"_id": "1", "text": "..."}}') from error
        if id_ in seen:
            raise EvalError(f"{where} has the _id {id_!r} a second time: ids must be unique")
        seen.add(id_)
        yield id_, text, parsed
    if not seen:
        raise EvalError(f"{folder / name} is empty: there is nothing to evaluate")


def _picture(folder: Path, id_: str, line: Mapping[str, Any]) -> Path | None:
    """Find the picture that a line of the corpus names, relative to the dataset."""
    if "image" not in line:
        return None
    named = line["image"]
    path = (folder / named).resolve() if isinstance(named, str) else folder
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        raise EvalError(
            f"the document {id_!r} of {folder / 'corpus.jsonl'} names the picture {named!r}: write the path of a file "
            "in the folder of the dataset"
        )
    return path


def _read_qrels(file: Path, queries: Mapping[str, str], documents: Mapping[str, Document]) -> tuple[Qrels, list[str]]:
    qrels: dict[str, dict[str, int]] = {}
    unknown: list[str] = []
    count = 0
    for number, (where, line) in enumerate(_numbered_lines(file)):
        fields = [field.strip() for field in line.split("\t")]
        if number == 0 and fields[-1:] and not _is_grade(fields[-1]):
            continue  # the header
        if len(fields) != 3 or not _is_grade(fields[2]):  # noqa: PLR2004
            raise EvalError(f"{where} is {line[:60]!r}: write query id, document id and a whole number, tabs between")
        query, document, grade = fields
        count += 1
        missing = next((id_ for id_, known in ((query, queries), (document, documents)) if id_ not in known), None)
        if missing is not None:
            unknown.append(missing)
        else:
            qrels.setdefault(query, {})[document] = max(0, int(float(grade)))
    if not qrels or 2 * len(unknown) > count:
        raise EvalError(
            f"{file} has {count} judgments, and {len(unknown)} of them name queries or documents that are not there"
            f"{f' (first: {unknown[0]!r})' if unknown else ''}: is it of another dataset?"
        )
    if not unknown:
        return qrels, []
    return qrels, [
        f"{len(unknown)} judgments of qrels/{file.name} name unknown queries or documents and are left out "
        f"(first: {unknown[0]!r})."
    ]


def _is_grade(field: str) -> bool:
    try:
        return float(field).is_integer()
    except ValueError:
        return False


def _numbered_lines(path: Path) -> Iterator[tuple[str, str]]:
    """Yield each line that is not blank, after its location for error messages."""
    try:
        with path.open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield f"{path}, line {number},", line.rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise EvalError(f"cannot read {path}: {error}. {_LAYOUT[0].upper()}{_LAYOUT[1:]}") from error
