"""Training jobs, which outlive the call that starts them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from warmer.errors import SearchError

Status = Literal["needs_scores", "running", "applied", "rejected", "failed", "cancelled"]
ENDED: tuple[Status, ...] = ("applied", "rejected", "cancelled")


@dataclass(frozen=True, slots=True)
class Job:
    """A training job.

    Attributes:
        id: Handle of the job.
        collection: Collection to train for.
        judge: Judge whose scores are used.
        hits: Number of hits to score per query.
        queries: Texts of the queries.
        status: State of the job.
        result: Figures, parameters and reason, as far as they are known.
        searches: Searches run so far: position of the query -> search_id.
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
    """Stores jobs; all processes that open it see the same.

    Every method raises a WarmerError if the storage fails.
    """

    async def create(self, collection: str, judge: str, hits: int, queries: Sequence[str], status: Status) -> Job:
        """Store a new job."""
        ...

    async def find(self, job_id: str) -> Job:
        """Load a job.

        Raises:
            SearchError: The handle is unknown.
        """
        ...

    async def ran(self, job_id: str, position: int, search_id: str) -> None:
        """Record the search that was run for the query at a position."""
        ...

    async def settle(self, job_id: str, status: Status, result: dict[str, Any]) -> None:
        """Set status and result, unless the job has ended already."""
        ...

    async def claim(self, job_id: str, lease: float) -> bool:
        """Try to become the process that runs a job.

        Returns False if the job has ended, or if another process sent a heartbeat within the last `lease` seconds.
        """
        ...

    async def beat(self, job_id: str) -> bool:
        """Send a heartbeat for a claimed job. Returns False if the job has ended or another process has claimed it."""
        ...

    async def release(self, job_id: str) -> None:
        """Give up a claimed job, so that another process can claim it at once."""
        ...


def unknown_job(job_id: str) -> SearchError:
    """Make the error for a handle without a job."""
    return SearchError(f"job_id {job_id[:60]!r} is unknown: call train_params without it to begin a training")


def damaged_job(job_id: str) -> SearchError:
    """Make the error for a handle whose job is not as it was written."""
    return SearchError(f"job_id {job_id[:60]!r} is damaged: call train_params without it to begin a training")
