"""A dataset as an ordinary collection, embedded once: a digest of its content and model is part of its name."""

import hashlib
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from warmer.embedding import Embedder
from warmer.index import DenseQuery, Index
from warmer.index.edge.catalog import Catalog
from warmer.passage import Passage
from warmer.publishing.embedded.publish import index_passages
from warmer.steering.ranking import nearest
from warmer_evals.beir import Dataset

Progress = Callable[[int, int], None]

TEXT, TITLE_AND_TEXT = "text", "title and text"
_POOLED_SHARE = 0.9
_POOL_DEPTH = 5


def build(dataset: Dataset, indexed: str, embedder: Embedder, data_dir: Path, progress: Progress) -> str:
    """Index a dataset's documents in a data directory, unless they are there already.

    The `source` of a passage is the document's id.

    Returns:
        The name of the collection.
    """
    passages = [
        Passage(document.text, document.title if indexed == TITLE_AND_TEXT else "", id_, 1)
        for id_, document in dataset.documents.items()
    ]
    catalog = Catalog(data_dir)
    name = f"{re.sub('[^A-Za-z0-9]+', '-', dataset.name)[:40].strip('-') or 'set'}-{_digest(passages, embedder.name)}"
    if name not in catalog.names():
        index_passages(catalog.generations(name), passages, embedder, roots={}, progress=progress)
    return name


async def choose_text(dataset: Dataset, embedder: Embedder, data_dir: Path, progress: Progress) -> str:
    """Decide whether titles are indexed.

    They are, unless the judgments are a pool (grades of 0 are listed) that was retrieved by text alone: an index of
    titles and texts would then retrieve unjudged documents. A pool counts as retrieved by text alone if it contains
    nine in ten of the first hits by text, or a larger share of them than of those by title and text.
    """
    if not dataset.pooled or not any(document.title for document in dataset.documents.values()):
        return TITLE_AND_TEXT
    by_text = await _judged_share(dataset, TEXT, embedder, data_dir, progress)
    if by_text >= _POOLED_SHARE or by_text > await _judged_share(dataset, TITLE_AND_TEXT, embedder, data_dir, progress):
        return TEXT
    return TITLE_AND_TEXT


async def _judged_share(
    dataset: Dataset, indexed: str, embedder: Embedder, data_dir: Path, progress: Progress
) -> float:
    """Return the share of the first hits that are judged."""
    index: Index = Catalog(data_dir).open(build(dataset, indexed, embedder, data_dir, progress))
    judged = total = 0
    for qrels in dataset.qrels.values():
        for query, graded in qrels.items():
            hits = await nearest(index, DenseQuery(embedder.embed_query(dataset.queries[query])), _POOL_DEPTH)
            judged += sum(hit.payload["source"] in graded for hit in hits)
            total += len(hits)
    return judged / total


def _digest(passages: Iterable[Passage], model: str) -> str:
    digest = hashlib.sha256(model.encode())
    for passage in passages:
        digest.update(json.dumps([passage.source, passage.title, passage.text]).encode())
    return digest.hexdigest()[:12]
