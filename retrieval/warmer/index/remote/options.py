"""How to read collections that somebody else made."""

from dataclasses import dataclass

from warmer.index import Filter


@dataclass(frozen=True, slots=True)
class Options:
    """What cannot be found out, or is not to be.

    Attributes:
        allowed: Collections that may be searched; empty: all.
        hidden: Collections that are none to be searched, such as a journal.
        default: The collection that is searched where none is named.
        text_field: Where the text is in a payload: a path such as `metadata.text`; empty: found out.
        title_field: Likewise, the title.
        source_field: Likewise, the source.
        text_elsewhere: The text is not in the payload at all.
        vector: The dense vector's name, where a collection has several.
        lexical_vector: A sparse vector of Qdrant's BM25; empty: none but Warmer's own.
        oversampling: How many times as many points as are asked for are found by quantised vectors, to be scored by
            their own; None: as many as their kind needs.
        where: A filter that is always added, such as a tenant's, in Qdrant's JSON.
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
