"""A dataset as an ordinary collection, embedded once: a digest of its content and model is part of its name."""

import hashlib
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from warmer.embedding import Embedder
from warmer.embedding.pair import PairEmbedder
from warmer.errors import IngestError
from warmer.index import DenseQuery, Index
from warmer.index.edge.catalog import Catalog
from warmer.passage import Passage
from warmer.pictures import MAX_BYTES
from warmer.publishing.embedded.publish import index_passages
from warmer.publishing.pictures import PictureEmbedder
from warmer.publishing.vectors import PayloadEmbedder
from warmer.steering.ranking import nearest
from warmer_evals import EvalError
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
        Passage(
            document.text,
            document.title if indexed == TITLE_AND_TEXT else "",
            id_,
            1,
            picture=_digest_of(document.picture) if document.picture else "",
        )
        for id_, document in dataset.documents.items()
    ]
    catalog = Catalog(data_dir)
    name = f"{re.sub('[^A-Za-z0-9]+', '-', dataset.name)[:40].strip('-') or 'set'}-{_digest(passages, embedder.name)}"
    if name not in catalog.names():
        index_passages(catalog.generations(name), passages, _model(dataset, embedder), roots={}, progress=progress)
    return name


def _digest_of(picture: Path) -> str:
    """Identify a picture, after it was checked; these are files of whoever runs the evaluation."""
    from warmer.pictures.decode import decode_picture, digest_of, read_picture  # noqa: PLC0415  imports Pillow

    try:
        data = read_picture(picture)
        decode_picture(data)
    except IngestError as error:
        raise EvalError(f"the picture {picture} cannot be evaluated: {error}") from error
    return digest_of(data)


def _model(dataset: Dataset, embedder: Embedder) -> Embedder | PayloadEmbedder:
    """Choose what embeds the documents.

    Raises:
        EvalError: They are pictures, not all of them, or by a model that does not see.
    """
    if not dataset.of_pictures:
        return embedder
    paths = {id_: document.picture for id_, document in dataset.documents.items() if document.picture}
    if len(paths) < len(dataset.documents):
        raise EvalError(f"some documents of {dataset.name} are pictures and some are not: make two datasets of them")
    if not isinstance(embedder, PairEmbedder):
        raise EvalError(f"the documents of {dataset.name} are pictures: name a model that sees them by --model")
    return PictureEmbedder(embedder, paths, MAX_BYTES)


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
        parts = [passage.source, passage.title, passage.text, *([passage.picture] if passage.picture else [])]
        digest.update(json.dumps(parts).encode())
    return digest.hexdigest()[:12]
