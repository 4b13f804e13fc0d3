"""What a report should say of a collection that somebody else made."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from qdrant_client import models

from warmer.index.bm25 import READ, document_words
from warmer.index.paths import Payload, json_object, plain
from warmer.index.remote.options import Options
from warmer.index.remote.payload import Layouts
from warmer.index.remote.space import Space
from warmer.index.remote.texts import METADATA

ASIDE = "left aside"
_ALIKE = 0.5  # of a stored vector's entries that BM25 of the text has too
_MODELS = frozenset({"embeddingmodel", "embedmodel", "embeddingmodelname", "embeddername", "vectorgenerator"})


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at a collection has shown: its configuration, and a sample of its points."""

    options: Options
    found: models.CollectionInfo
    space: Space
    layouts: Layouts
    payloads: Sequence[Payload]
    texts: Sequence[str]
    vectors: Sequence[Any]

    @property
    def named_model(self) -> str:
        """The model that payloads name, empty where they name none."""
        return next((model for payload in self.payloads if (model := _named_model(payload))), "")

    def alien(self, sparse: str) -> bool:
        """Tell whether a sparse vector is not by Qdrant's BM25 of the texts, as far as the sample shows."""
        shares = [
            len({*stored.indices} & {*document_words(text[:READ]).indices}) / len(stored.indices)
            for text, vectors in zip(self.texts, self.vectors, strict=True)
            if text and (stored := _stored(vectors, sparse))
        ]
        return bool(shares) and sum(shares) / len(shares) < _ALIKE


def notes(look: Look, *, readable: bool) -> Iterator[str]:
    """Say how a collection is read, what was left aside, and what would make it better."""
    if readable:
        yield from _paths(look)
    else:
        yield "its payloads hold no text: set WARMER_TEXT_FIELD or WARMER_TEXTS"
    yield from _left_aside(look)
    yield from _sparse(look)
    if readable and not (look.space.lexical or look.layouts.keep):
        yield f"it has no vector for words to use: its texts are read for them, {look.options.words:,} at most"
    yield from _tenants(look)
    if look.named_model:
        yield f"its payloads name the model {look.named_model}"


def _paths(look: Look) -> Iterator[str]:
    layouts = look.layouts
    if layouts.keep:
        return
    paths = {name: " or ".join(map(repr, layouts.paths(name))) for name in ("text", "title", "source")}
    if paths["text"]:
        yield "its payloads: " + ", ".join(f"{name} from {path}" for name, path in paths.items() if path)
    if without := sum(not text for text in look.texts):
        yield f"{without} of {len(look.texts)} points looked at have no text, and are no hits"


def _left_aside(look: Look) -> Iterator[str]:
    """Say which settings for all collections do not fit this one."""
    options, layouts, space = look.options, look.layouts, look.space
    if options.text_field and layouts.paths("text") and options.text_field not in layouts.paths("text"):
        yield f"WARMER_TEXT_FIELD={options.text_field} is {ASIDE}: no payload looked at has a text there"
    if options.vector and options.vector != space.vector:
        yield f"WARMER_VECTOR={options.vector} is {ASIDE}: there is no such dense vector"
    sparse = look.found.config.params.sparse_vectors or {}
    if options.lexical_vector and options.lexical_vector not in sparse:
        yield f"WARMER_LEXICAL_VECTOR={options.lexical_vector} is {ASIDE}: there is no such sparse vector"


def _sparse(look: Look) -> Iterator[str]:
    """Say which sparse vectors lie unused, and which cannot be used."""
    name, tried = look.found, look.options.lexical_vector
    for vector, params in (name.config.params.sparse_vectors or {}).items():
        if vector == look.space.lexical:
            if params.modifier != models.Modifier.IDF:
                yield f"sparse vector {vector!r} has no modifier IDF: rare words weigh no more than usual ones"
        elif look.alien(vector):
            aside = f"WARMER_LEXICAL_VECTOR={vector} is {ASIDE}: " if vector == tried else ""
            yield f"{aside}sparse vector {vector!r} is not Qdrant's BM25 of the texts (SPLADE?), and cannot be searched"
        else:
            yield f"sparse vector {vector!r} lies unused: to search words by it, set WARMER_LEXICAL_VECTOR={vector}"


def _tenants(look: Look) -> Iterator[str]:
    """Say that the tenants of a collection are read together, and what that costs."""
    limited = json.dumps(look.options.where or {})
    fields = [
        path
        for path, index in look.found.payload_schema.items()
        if getattr(index.params, "is_tenant", None) and json.dumps(path) not in limited
    ]
    graph = look.found.config.hnsw_config
    vectors = look.found.config.params.vectors
    own = vectors.get(look.space.vector) if isinstance(vectors, dict) else vectors
    links = own.hnsw_config.m if own and own.hnsw_config and own.hnsw_config.m is not None else graph.m
    scan = links == 0
    if fields:
        where = {"must": [{"key": fields[0], "match": {"value": "…"}}]}
        yield (
            f"all tenants of {fields[0]!r} are read{', and each search is a scan, since the graph has m = 0' * scan}: "
            f"set WARMER_FILTER='{json.dumps(where, ensure_ascii=False)}' to read one"
        )
    elif scan and not look.options.where:
        yield "its graph has m = 0, so that each search is a scan: set WARMER_FILTER if it has tenants"


def _stored(vectors: object, name: str) -> models.SparseVector | None:
    stored = vectors.get(name) if isinstance(vectors, dict) else None
    return stored if isinstance(stored, models.SparseVector) and stored.indices else None


def _named_model(payload: Payload) -> str:
    for name, value in payload.items():
        inner = json_object(value)
        if plain(name) in _MODELS and isinstance(value, str) and inner is None:
            return value
        if plain(name) == "embeddingconfig" and inner:
            return str(inner.get("model") or inner.get("embedding_model") or "")
        if plain(name) in METADATA and inner and (found := _named_model(inner)):
            return found
    return ""
