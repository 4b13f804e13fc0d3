"""Duration of a fit, compared with qdrant-relevance-feedback.

The dataset's `qrels/train.tsv` has grades from 0 to 10 for the passages that each training query retrieves. Both fits
get the same queries, hits and scores; embedding and scoring are not timed. The reference runs if it is installed
(`pip install '.[reference]'`, which brings torch).
"""

import contextlib
import io
import json
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from warmer.embedding import Embedder
from warmer.training.cross_validation import FEWEST_QUERIES, hold_out
from warmer.training.fit import FEWEST_HITS, Sample, fit, tabulate
from warmer_evals.bench import Row

WARMER, REFERENCE = "warmer", "qdrant-relevance-feedback"
_HITS = 25

Grades = dict[str, dict[str, float]]
Vectors = dict[str, NDArray[np.float32]]


def measure(dataset: Path, embedder: Embedder, *, runs: int) -> list[Row]:
    """Time our fit `runs` times and the reference once; no rows if the dataset has too few grades to train on."""
    train = dataset / "qrels" / "train.tsv"
    if not train.is_file():
        return []
    queries = {line["_id"]: line["text"] for line in _read_lines(dataset / "queries.jsonl")}
    corpus = {line["_id"]: line["text"] for line in _read_lines(dataset / "corpus.jsonl")}
    grades: Grades = {}
    for row in train.read_text(encoding="utf-8").splitlines()[1:]:
        query, document, grade = row.split("\t")
        if query in queries and document in corpus:
            grades.setdefault(query, {})[document] = float(grade) / 10
    grades = {query: graded for query, graded in grades.items() if len(graded) >= FEWEST_HITS}
    if len(grades) < FEWEST_QUERIES:
        return []
    judged = {document for graded in grades.values() for document in graded}
    texts = {document: text for document, text in corpus.items() if document in judged}
    names = list(texts)
    vectors = {names[n]: vector for n, vector in embedder.embed_passages(list(texts.values()))}
    query_vectors = {query: embedder.embed_query(queries[query]) for query in grades}
    rows = _measure_ours(query_vectors, vectors, grades, runs)
    rows[0].values.update(_measure_reference(query_vectors, vectors, grades))
    return rows


def _measure_ours(query_vectors: Vectors, vectors: Vectors, grades: Grades, runs: int) -> list[Row]:
    samples = []
    for query, vector in query_vectors.items():
        best = sorted(grades[query], key=lambda document: -float(vectors[document] @ vector))[:_HITS]
        scores = np.array([grades[query][document] for document in best])
        samples.append(Sample(vector, np.stack([vectors[document] for document in best]), scores))
    what = f"fit of train_params, {len(samples)} queries"
    fit_only, with_held_out = Row(what, "s", {WARMER: []}), Row("the same, and held out", "s", {WARMER: []})
    for _ in range(runs):
        started = perf_counter()
        table = tabulate(samples)
        fit(table)
        fit_only.values[WARMER].append(perf_counter() - started)
        hold_out(table)
        with_held_out.values[WARMER].append(perf_counter() - started)
    return [fit_only, with_held_out]


def _measure_reference(query_vectors: Vectors, vectors: Vectors, grades: Grades) -> dict[str, list[float]]:
    try:
        from qdrant_relevance_feedback import RelevanceFeedback  # noqa: PLC0415
    except ImportError:
        return {}
    from qdrant_client import QdrantClient, models  # noqa: PLC0415

    class Retriever:
        def embed_query(self, query: str) -> list[float]:
            return [float(x) for x in query_vectors[query]]

    class Feedback:
        def score(self, query: str, responses: list[str]) -> list[float]:
            return [grades[query].get(document, 0.0) for document in responses]

    client = QdrantClient(":memory:")
    size = len(next(iter(vectors.values())))
    client.create_collection("docs", models.VectorParams(size=size, distance=models.Distance.COSINE))
    points = [
        models.PointStruct(id=n, vector=[float(x) for x in vector], payload={"id": document})
        for n, (document, vector) in enumerate(vectors.items())
    ]
    client.upsert("docs", points)
    trainer = RelevanceFeedback(Retriever(), Feedback(), client, "docs", payload_key="id")
    started = perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        trainer.train(queries=list(query_vectors), limit=_HITS)
    return {REFERENCE: [perf_counter() - started]}


def _read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
