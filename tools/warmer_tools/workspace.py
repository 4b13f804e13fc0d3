"""What the tools work on."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from anyio.abc import TaskGroup

from warmer.embedding.retrievers import Retrievers
from warmer.index.collections import Collections
from warmer.index.filter_size import MOST
from warmer.journal import Journal
from warmer.journal.jobs import Jobs
from warmer.journal.parameters import Parameters
from warmer.judges import Judge
from warmer.judges.threads import JudgeThreads
from warmer.memory.remembering import Memory
from warmer.pictures.gallery import Gallery

RUBRIC = "0-10 v1"


@dataclass(frozen=True, slots=True)
class Workspace:
    """Collections, the models that embed queries, what is remembered, and how replies are made.

    Attributes:
        mode: Which legs a search has; `auto` means hybrid where the collection has words to search.
        text_limit: Most characters of a hit's text, where it is shown whole in a list.
        skim_limit: Most characters of a hit's text, in a list to skim.
        filter_conditions: Conditions of a call's filter at most.
        load_judge: Finds a judge by name; takes as long as its model takes to load.
        owner: Whose the searches are; nobody's in particular if empty.
        judge_threads: Where judges load and score.
        may_read: Whether passages may be shown.
        gallery: Where pictures of hits are, and how they are shown.
        compared: Collections whose vectors were compared with the model's, and the model.
        memory: What earlier threads of the owner say; None where nothing is remembered.
        background: Where trainings run that outlive the call that began them.
    """

    collections: Collections
    retrievers: Retrievers
    journal: Journal
    parameters: Parameters
    jobs: Jobs
    load_judge: Callable[[str], Judge]
    background: TaskGroup
    mode: Literal["auto", "dense", "hybrid"] = "auto"
    text_limit: int = 1200
    skim_limit: int = 200
    filter_conditions: int = MOST
    owner: str = ""
    judge_threads: JudgeThreads = field(default_factory=JudgeThreads)
    may_read: bool = True
    gallery: Gallery = field(default_factory=Gallery)
    compared: set[tuple[str, str]] = field(default_factory=set)
    memory: Memory | None = None
