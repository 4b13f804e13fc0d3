"""Which vectors of a collection are searched."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qdrant_client import models

from warmer.embedding.retrievers import full_name
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
    fitting = [name for name, params in dense.items() if params.size == _model_dim(collection, dense, options)]
    name = _choose(collection, list(dense), fitting, options)
    own = own_metadata(config)
    fields = own.get("fields")
    return Space(
        vector=name,
        dim=dense[name].size,
        distance=dense[name].distance,
        lexical=_lexical(collection, list(sparse), options, own=bool(own)),
        model=str(own.get("model") or (full_name(name.removeprefix(_FAST)) if name.startswith(_FAST) else "")),
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


def _model_dim(collection: str, dense: Mapping[str, Any], options: Options) -> int:
    """Ask for the length of the model's vectors only where there is a choice."""
    return options.model_dim(collection) if len(dense) > 1 else 0


def _choose(collection: str, names: list[str], fitting: list[str], options: Options) -> str:
    shown = ", ".join(name or '"" (without a name)' for name in names)
    if options.vector in names:
        return options.vector
    if "vector" in options.named and options.vector:
        raise CollectionError(f"collection {collection!r} has no dense vector {options.vector!r}; it has: {shown}")
    if len(names) == 1:
        return names[0]
    usual = [name for name in names if name in _USUAL] or [name for name in names if name.startswith(_FAST)]
    for some in (usual, [name for name in usual if name in fitting], fitting):
        if len(some) == 1 and (some[0] in fitting or not fitting):
            return some[0]
    raise CollectionError(
        f"collection {collection!r} has several dense vectors: {shown}; name one of them in WARMER_VECTOR, as "
        f"WARMER_VECTOR={collection}={names[0] or 'name'}"
    )


def _lexical(collection: str, names: list[str], options: Options, *, own: bool) -> str:
    if options.lexical_vector in names:
        return options.lexical_vector
    if "lexical_vector" in options.named and options.lexical_vector:
        shown = ", ".join(names) or "none"
        raise CollectionError(
            f"collection {collection!r} has no sparse vector {options.lexical_vector!r}; it has: {shown}"
        )
    return LEXICAL if own and LEXICAL in names else ""
