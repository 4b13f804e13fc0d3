"""Compare stored vectors of a collection with those that its model makes of the same texts."""

from collections.abc import Sequence

import anyio.to_thread
import numpy as np

from warmer.embedding.batch import embed_batch
from warmer.embedding.minilm import UPSTREAM_NAMES
from warmer.embedding.retrievers import CloudRetriever, load_retriever
from warmer.index import Index
from warmer.vectors import Vector
from warmer_server.compatibility import download_folder
from warmer_server.doctor import Finding
from warmer_server.models import load_queries
from warmer_server.settings import Settings


async def compare(index: Index, settings: Settings) -> Finding | None:
    """Compare eight texts; None for a collection that Warmer made, and where there is nothing to compare.

    Raises:
        WarmerError: The model cannot be loaded, or the server fails.
    """
    from warmer.index.remote.engine import QdrantIndex  # noqa: PLC0415  takes a second
    from warmer.index.remote.fit import measure_fit  # noqa: PLC0415

    info = await index.info()
    if info.generation or not isinstance(index, QdrantIndex):
        return None
    model = settings.retrievers.get(info.name, settings.embedding_model)
    if ":" not in model and model.lower() not in UPSTREAM_NAMES and download_folder(model):
        return Finding("vectors", "note", f"{info.name}: not compared with {model}, which is not downloaded yet")
    retriever = await anyio.to_thread.run_sync(load_retriever, model, load_queries)
    if hasattr(retriever, "embed_images"):
        return None  # a picture's vector is far from that of any text
    if isinstance(retriever, CloudRetriever):
        return Finding("vectors", "note", f"{info.name}: not compared with {model}, which runs on the server")

    async def embed(texts: Sequence[str]) -> list[Vector]:
        vectors = await anyio.to_thread.run_sync(embed_batch, retriever, [], texts)
        return [np.asarray(vector, dtype=np.float32) for vector in vectors]

    fit = await measure_fit(index, embed)
    if fit is None:
        return None
    return Finding(
        "vectors",
        "fails" if fit.impossible else "ok" if fit.good else "note",
        f"{info.name}: {fit.said(info.name, model)}",
    )
