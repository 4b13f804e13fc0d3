"""One journal for several tenants, each of which sees only its own entries.

Collections are stored under names with a suffix per tenant, which is stripped from results. Handles are checked in
`find` alone, since every other operation on a search or a job starts from a found one. Within a tenant, a handle may
have an owner, but known scores and trained parameters are shared by the whole tenant.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from warmer.index import Hit
from warmer.journal import AGENT, Journal, Scored, Search, invalid_handle, is_owned_by
from warmer.journal.jobs import Job, Jobs, Status, unknown_job
from warmer.journal.parameters import Parameters, Trained


@dataclass(frozen=True, slots=True)
class Namespace:
    """A suffix for the names of collections; empty if there are no tenants."""

    suffix: str = ""

    def qualify(self, name: str) -> str:
        """Return the name under which a collection is stored."""
        return name + self.suffix

    def contains(self, stored: str) -> bool:
        """Tell whether a stored name is in this namespace."""
        return stored.endswith(self.suffix)

    def strip(self, stored: str) -> str:
        """Return the name of a collection from its stored name."""
        return stored.removesuffix(self.suffix)


def namespace_of(where: Mapping[str, Any]) -> Namespace:
    """Derive a tenant's namespace from the filter added to its queries; an empty filter gives the empty namespace."""
    if not where:
        return Namespace()
    canonical = json.dumps(where, sort_keys=True, separators=(",", ":"))
    return Namespace(f"@{sha256(canonical.encode()).hexdigest()[:8]}")


def owner_namespace(owner: str) -> Namespace:
    """Derive the namespace of an owner's jobs, which nests inside the tenant's."""
    return Namespace(f"~{sha256(owner.encode()).hexdigest()[:16]}") if owner else Namespace()


class TenantJournal:
    """A journal limited to a namespace and, if given, an owner; `prune`, `forget` and `counts` act on all of it."""

    def __init__(self, journal: Journal, namespace: Namespace, owner: str = "") -> None:
        self._journal = journal
        self._namespace = namespace
        self._owner = owner
        self.reword = journal.reword
        self.show = journal.show
        self.score = journal.score
        self.prune = journal.prune
        self.forget = journal.forget
        self.counts = journal.counts

    async def begin(self, search: Search, hits: Sequence[Hit]) -> list[int]:
        """Store a new search with its first hits."""
        return await self._journal.begin(replace(search, collection=self._namespace.qualify(search.collection)), hits)

    async def find(self, search_id: str, judge: str = AGENT) -> Search:
        """Load a search; searches of other namespaces and owners are unknown."""
        if self._owner and not is_owned_by(search_id, self._owner):
            raise invalid_handle(search_id, "unknown")
        found = await self._journal.find(search_id, judge)
        if not self._namespace.contains(found.collection):
            raise invalid_handle(search_id, "unknown")
        return self._strip_namespace(found)

    async def scored(self, collection: str, model: str, judge: str, rubric: str, fewest: int = 1) -> list[Search]:
        """Load the searches that a judge scored, some of each query."""
        found = await self._journal.scored(self._namespace.qualify(collection), model, judge, rubric, fewest)
        return [self._strip_namespace(search) for search in found]

    async def scored_after(
        self, collection: str, model: str, judge: str, rubric: str, after: float
    ) -> tuple[list[Scored], float]:
        """Give searches that a judge scored after a time, and until when it was read."""
        return await self._journal.scored_after(self._namespace.qualify(collection), model, judge, rubric, after)

    async def recall(self, search_id: str, judge: str) -> Search | None:
        """Load a search with a judge's scores; None for searches of other namespaces and owners."""
        if self._owner and not is_owned_by(search_id, self._owner):
            return None
        found = await self._journal.recall(search_id, judge)
        return self._strip_namespace(found) if found and self._namespace.contains(found.collection) else None

    async def known(self, collection: str, query: str, judge: str, rubric: str) -> dict[str, float]:
        """Load every score that a judge gave for a query."""
        return await self._journal.known(self._namespace.qualify(collection), query, judge, rubric)

    async def queries(self, collection: str) -> list[str]:
        """List the distinct queries of a collection."""
        return await self._journal.queries(self._namespace.qualify(collection))

    def _strip_namespace(self, search: Search) -> Search:
        return replace(search, collection=self._namespace.strip(search.collection))


class TenantParameters:
    """Parameters limited to a namespace."""

    def __init__(self, parameters: Parameters, namespace: Namespace) -> None:
        self._parameters = parameters
        self._namespace = namespace

    async def add(self, trained: Trained) -> None:
        """Store a set."""
        await self._parameters.add(_with_collection(trained, self._namespace.qualify(trained.key.collection)))

    async def all(self) -> list[Trained]:
        """List the newest set of each key in this namespace."""
        return [
            _with_collection(trained, self._namespace.strip(trained.key.collection))
            for trained in await self._parameters.all()
            if self._namespace.contains(trained.key.collection)
        ]


class TenantJobs:
    """Jobs limited to a namespace."""

    def __init__(self, jobs: Jobs, namespace: Namespace) -> None:
        self._jobs = jobs
        self._namespace = namespace
        self.ran = jobs.ran
        self.settle = jobs.settle
        self.claim = jobs.claim
        self.beat = jobs.beat
        self.release = jobs.release

    async def create(self, collection: str, judge: str, hits: int, queries: Sequence[str], status: Status) -> Job:
        """Store a new job."""
        return self._strip_namespace(
            await self._jobs.create(self._namespace.qualify(collection), judge, hits, queries, status)
        )

    async def find(self, job_id: str) -> Job:
        """Load a job; jobs of other namespaces are unknown."""
        job = await self._jobs.find(job_id)
        if not self._namespace.contains(job.collection):
            raise unknown_job(job_id)
        return self._strip_namespace(job)

    def _strip_namespace(self, job: Job) -> Job:
        return replace(job, collection=self._namespace.strip(job.collection))


def _with_collection(trained: Trained, collection: str) -> Trained:
    return replace(trained, key=replace(trained.key, collection=collection))
