"""How long a fit takes, beside qdrant-relevance-feedback: `python -m warmer_evals.fit_speed DATASET`.

DATASET is a folder in BEIR layout whose `qrels/train.tsv` grades, from 0 to 10, the passages that each training query
retrieves. Both fits get the same queries, hits and scores, and the clock runs once scores and vectors are there. The
reference runs if it is installed (`pip install '.[reference]'`, which brings torch).
"""

import contextlib
import io
import json
import sys
from dataclasses import asdict
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from warmer.embedding.fastembedder import load
from warmer.heldout import hold_out
from warmer.training import Sample, fit, tabulate

_HITS = 25
_RUNS = 5

Grades = dict[str, dict[str, float]]
Vectors = dict[str, NDArray[np.float32]]


def measure(dataset: Path) -> dict[str, Any]:
    """Fit with both and give seconds and parameters."""
    queries = {line["_id"]: line["text"] for line in _lines(dataset / "queries.jsonl")}
    grades: Grades = {}
    for row in (dataset / "qrels" / "train.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        query, document, grade = row.split("\t")
        grades.setdefault(query, {})[document] = float(grade) / 10
    judged = {document for graded in grades.values() for document in graded}
    texts = {line["_id"]: line["text"] for line in _lines(dataset / "corpus.jsonl") if line["_id"] in judged}
    embedder, names = load(), list(texts)
    vectors = {names[n]: vector for n, vector in embedder.embed_passages(list(texts.values()))}
    asked = {query: embedder.embed_query(queries[query]) for query in grades}
    return {"warmer": _warmer(asked, vectors, grades), "reference": _reference(asked, vectors, grades)}


def _warmer(asked: Vectors, vectors: Vectors, grades: Grades) -> dict[str, Any]:
    samples = []
    for query, vector in asked.items():
        best = sorted(grades[query], key=lambda document: -float(vectors[document] @ vector))[:_HITS]
        scores = np.array([grades[query][document] for document in best])
        samples.append(Sample(vector, np.stack([vectors[document] for document in best]), scores))
    seconds, held_out_too = [], []
    for _ in range(_RUNS):
        begun = perf_counter()
        table = tabulate(samples)
        params = fit(table)
        seconds.append(perf_counter() - begun)
        held_out = hold_out(table)
        held_out_too.append(perf_counter() - begun)
    return {
        "fit": round(median(seconds), 3),
        "fit and hold out": round(median(held_out_too), 3),
        "params": {"a": params.a, "b": params.b, "c": params.c, "neutral": params.neutral},
        "held out": asdict(held_out),
    }


def _reference(asked: Vectors, vectors: Vectors, grades: Grades) -> dict[str, Any] | str:
    try:
        from qdrant_relevance_feedback import RelevanceFeedback  # noqa: PLC0415
    except ImportError:
        return "not installed: pip install '.[reference]'"
    from qdrant_client import QdrantClient, models  # noqa: PLC0415

    class Retriever:
        def embed_query(self, query: str) -> list[float]:
            return [float(x) for x in asked[query]]

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
    begun = perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        params = trainer.train(queries=list(asked), limit=_HITS)
    return {"fit": round(perf_counter() - begun, 1), "params": params}


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(Path(sys.argv[1])), indent=1) + "\n")
