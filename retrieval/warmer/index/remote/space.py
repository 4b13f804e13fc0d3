"""Which vectors of a collection are searched."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qdrant_client import models

from warmer.errors import CollectionError
from warmer.index import DENSE, LEXICAL
from warmer.index.remote.options import Options

_USUAL = (DENSE, "default")
_FAST = "fast-"  # what mcp-server-qdrant and FastEmbed's mixin put before the name of the model


@dataclass(frozen=True, slots=True)
class Space:
    """The dense vector, and the sparse one of words.

    Attributes:
        vector: Name of the dense one; empty: the one without a name.
        dim: Its length.
        distance: How it is compared.
        lexical: Name of the sparse one; empty: there is none to use.
        model: What the dense one is from; empty where nobody said.
        generation: Which build of the collection it is, if that was written down.
        fields: The payload's fields, if they were written down.
    """

    vector: str
    dim: int
    distance: models.Distance
    lexical: str
    model: str
    generation: str
    fields: Mapping[str, str] | None


def find_space(collection: str, config: models.CollectionConfig, options: Options) -> Space:
    """Find what can be searched.

    Raises:
        CollectionError: There is no dense vector, several and none is named, or one that is not there is named.
    """
    every = dense_params(config)
    dense = {name: params for name, params in every.items() if params.multivector_config is None}
    sparse = config.params.sparse_vectors or {}
    if not dense:
        has = "only multivectors" if every else "only sparse vectors" if sparse else "no vectors"
        raise CollectionError(f"collection {collection!r} has {has}: a dense vector is what scores can steer")
    name = _choose(collection, list(dense), options.vector)
    own = own_metadata(config)
    fields = own.get("fields")
    return Space(
        vector=name,
        dim=dense[name].size,
        distance=dense[name].distance,
        lexical=_lexical(collection, list(sparse), options.lexical_vector, own=bool(own)),
        model=str(own.get("model") or (name.removeprefix(_FAST) if name.startswith(_FAST) else "")),
        generation=str(own.get("generation") or ""),
        fields=fields if isinstance(fields, dict) else None,
    )


def dense_params(config: models.CollectionConfig) -> dict[str, models.VectorParams]:
    """Give the vectors that are not sparse, by name; one without a name has an empty one."""
    vectors = config.params.vectors
    return {"": vectors} if isinstance(vectors, models.VectorParams) else dict(vectors or {})


def own_metadata(config: models.CollectionConfig) -> Mapping[str, Any]:
    """Give what Warmer wrote down when it made a collection; empty where it did not."""
    own = (config.metadata or {}).get("warmer")
    return own if isinstance(own, dict) else {}


def _choose(collection: str, names: list[str], wanted: str) -> str:
    shown = ", ".join(name or '"" (without a name)' for name in names)
    if wanted:
        if wanted not in names:
            raise CollectionError(f"collection {collection!r} has no dense vector {wanted!r}; it has: {shown}")
        return wanted
    if len(names) == 1:
        return names[0]
    usual = [name for name in names if name in _USUAL] or [name for name in names if name.startswith(_FAST)]
    if len(usual) != 1:
        raise CollectionError(
            f"collection {collection!r} has several dense vectors: {shown}; name one of them in WARMER_VECTOR"
        )
    return usual[0]


def _lexical(collection: str, names: list[str], wanted: str, *, own: bool) -> str:
    if wanted and wanted not in names:
        shown = ", ".join(names) or "none"
        raise CollectionError(f"collection {collection!r} has no sparse vector {wanted!r}; it has: {shown}")
    return wanted or (LEXICAL if own and LEXICAL in names else "")
