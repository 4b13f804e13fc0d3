"""What the tools work on."""

from dataclasses import dataclass, field
from typing import Literal

from warmer.embedding.background import BackgroundEmbedder
from warmer.index.catalog import Catalog
from warmer.journal import Journal
from warmer.steering import Params

RUBRIC = "0-10 v1"
ANCHORS = "10 answers the query directly and fully, 7 clearly useful, 3 on the topic only, 0 unrelated"


@dataclass(frozen=True, slots=True)
class Workspace:
    """Collections, the model that embeds queries, the journal, and how replies are made.

    Attributes:
        mode: Which legs a search has; `auto` means hybrid where the collection has words to search.
        text_limit: Characters of a hit's text at most.
        params: How far scores steer.
    """

    catalog: Catalog
    embedder: BackgroundEmbedder
    journal: Journal
    mode: Literal["auto", "dense", "hybrid"] = "auto"
    text_limit: int = 1200
    params: Params = field(default_factory=Params)
