from pathlib import Path

import pytest
from support import Reference, write_jsonl, write_qrels


@pytest.fixture
def dataset(tmp_path: Path, reference: Reference) -> Path:
    """A dataset of three dozen passages in BEIR layout; passages on a query's subject are relevant to it."""
    folder = tmp_path / "subjects"
    documents = {f"d{n:02}": p for n, p in enumerate(reference.passages)}
    queries = {f"q{n}": query for n, query in enumerate(reference.queries)}
    # Each query asks about one subject, in the order of the subjects.
    subjects = dict(zip(queries, dict.fromkeys(p.title for p in reference.passages), strict=True))
    write_jsonl(folder / "corpus.jsonl", {id_: {"title": "", "text": p.text} for id_, p in documents.items()})
    write_jsonl(folder / "queries.jsonl", {id_: {"text": text} for id_, text in queries.items()})
    relevant = [
        f"{query}\t{id_}\t{2 if n % 2 else 1}"
        for query, subject in subjects.items()
        for n, (id_, passage) in enumerate(documents.items())
        if passage.title == subject
    ]
    write_qrels(folder, "test", relevant)
    return folder
