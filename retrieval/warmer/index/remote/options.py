"""How to read collections that somebody else made."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from warmer.index import Filter


@dataclass(frozen=True, slots=True)
class Options:
    """What cannot be found out, or is not to be.

    Attributes:
        allowed: Collections that may be searched; empty: all.
        hidden: Collections that are none to be searched, such as a journal.
        default: The collection that is searched where none is named.
        text_field: Where the text is in a payload: a path such as `metadata.text`; empty: found out.
        title_field: The same for the title.
        source_field: The same for the source.
        text_elsewhere: The text is not in the payload at all.
        vector: The dense vector's name, where a collection has several.
        lexical_vector: A sparse vector of Qdrant's BM25; empty: none but Warmer's own.
        oversampling: How many times as many points as are asked for are found by quantised vectors, to be scored by
            their own; None: as many as their kind needs.
        where: A filter that is always added, such as a tenant's, in Qdrant's JSON.
        by_collection: Collection -> what is otherwise there, by the names of these attributes.
        named: What was set for this very collection; the rest is left aside where it does not fit.
        words: How many passages' words are read at most, of a collection that has no vector for words.
        model_dim: Gives the length of the vectors of the model that embeds a collection's queries; 0 if unknown.
    """

    allowed: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    default: str = ""
    text_field: str = ""
    title_field: str = ""
    source_field: str = ""
    text_elsewhere: bool = False
    vector: str = ""
    lexical_vector: str = ""
    oversampling: float | None = None
    where: Filter | None = None
    by_collection: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    named: frozenset[str] = frozenset()
    words: int = 20_000
    model_dim: Callable[[str], int] = lambda _: 0

    def of(self, collection: str) -> "Options":
        """Give the options of one collection; those of one stay as they are."""
        if not self.by_collection:
            return self
        own = self.by_collection.get(collection, {})
        return replace(self, **own, by_collection={}, named=frozenset(own))
