"""How a dense query walks through the graph of a collection."""

from dataclasses import dataclass

from qdrant_client import models

from warmer.index.remote.equivalent import ASCENDING
from warmer.index.remote.limits import Limits

_ACORN_SINCE = (1, 16)
# How many times as many points as are asked for are found by quantised vectors, and then scored by their own: what it
# takes for .99 of the best ten of feedback with fifteen scores.
_OVERSAMPLING = {"scalar": 1.0, "product": 2.0, "binary": 4.0, "turbo": 4.0}
_BROAD = 256  # of a walk by Euclid's or Manhattan's distance, which misses more by the server's own breadth


@dataclass(frozen=True, slots=True)
class Walk:
    """What every dense query of a collection asks for.

    Attributes:
        quantisation: scalar, product, binary or turbo; empty where vectors are searched as they are.
        params: What is sent; None where there is nothing to say.
    """

    quantisation: str = ""
    params: models.SearchParams | None = None


def find_walk(
    config: models.CollectionConfig,
    vector: models.VectorParams,
    version: tuple[int, int],
    limits: Limits,
    oversampling: float | None,
) -> Walk:
    """Find out how to walk.

    Scored points lie around the query and stay out: without ACORN they are a hole in the graph, where the walk may end.
    Distances of quantised vectors lose the order of what lies close together, and a server rescores by itself only
    some of their kinds: feedback on a product or binary one would miss a third of its best ten.

    Args:
        config: Of the collection.
        vector: The dense vector's own.
        version: The server's, major and minor.
        limits: The collection's.
        oversampling: As somebody set it; None: by the kind of quantisation.
    """
    kind = _kind(vector.quantization_config or config.quantization_config)
    asked: dict[str, object] = {}
    if vector.distance in ASCENDING:
        asked["hnsw_ef"] = min(_BROAD, limits.ef or _BROAD)
    if version >= _ACORN_SINCE:
        asked["acorn"] = models.AcornSearchParams(enable=True, max_selectivity=1.0)
    if kind:
        wanted = oversampling or _OVERSAMPLING.get(kind, max(_OVERSAMPLING.values()))
        factor = wanted if limits.oversampling is None else min(wanted, limits.oversampling)
        asked["quantization"] = models.QuantizationSearchParams(
            rescore=True, oversampling=factor if factor > 1 else None
        )
    return Walk(kind, models.SearchParams.model_validate(asked) if asked else None)


def _kind(quantisation: models.QuantizationConfig | None) -> str:
    return next(iter(quantisation.model_fields_set), "") if quantisation else ""
