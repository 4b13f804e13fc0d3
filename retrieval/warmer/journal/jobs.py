"""Trainings that outlive the call that began them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from warmer.errors import SearchError

Status = Literal["needs_scores", "running", "applied", "rejected", "failed", "cancelled"]
ENDED: tuple[Status, ...] = ("applied", "rejected", "cancelled")


@dataclass(frozen=True, slots=True)
class Job:
    """A training.

    Attributes:
        id: Its handle.
        collection: What it trains for.
        judge: Whose scores it uses.
        hits: How many hits of each query are scored.
        queries: The queries.
        status: How far it is.
        result: Figures, parameters and reason, once there are any.
        searches: The searches that were run for it: position of the query -> search_id.
    """

    id: str
    collection: str
    judge: str
    hits: int
    queries: list[str]
    status: Status
    result: dict[str, Any] = field(default_factory=dict)
    searches: dict[int, str] = field(default_factory=dict)


class Jobs(Protocol):
    """Keeps jobs, shared by all processes."""

    async def create(self, collection: str, judge: str, hits: int, queries: Sequence[str], status: Status) -> Job:
        """Keep a new job."""
        ...

    async def find(self, job_id: str) -> Job:
        """Recall a job. Raises SearchError where the handle is unknown."""
        ...

    async def ran(self, job_id: str, position: int, search_id: str) -> None:
        """Keep the search that was run for a query."""
        ...

    async def settle(self, job_id: str, status: Status, result: dict[str, Any]) -> None:
        """Set the status, unless the job has ended already."""
        ...

    async def claim(self, job_id: str, lease: float) -> bool:
        """Become the one that runs a job; False where it has ended, or another was seen in the last `lease` seconds."""
        ...

    async def beat(self, job_id: str) -> bool:
        """Say that the claimed job is still being run; False once it has ended, or another claimed it."""
        ...

    async def release(self, job_id: str) -> None:
        """Let another go on at once with what is unfinished of a claimed job."""
        ...


def unknown_job(job_id: str) -> SearchError:
    """Say that there is no such job, and what to do."""
    return SearchError(f"job_id {job_id[:60]!r} is unknown: call train_params without it to begin a training")
