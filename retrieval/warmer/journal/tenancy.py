"""One journal for several tenants, of which each finds only what is its own.

Collections are kept under names with a suffix, which nobody outside sees. Handles are checked where they are looked
up: whoever has not found a search or a job has nothing to show, score or settle. Within a tenant handles may have
owners; what their scores teach is the tenant's.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from warmer.index import Hit
from warmer.journal import AGENT, Journal, Search, is_owned, refused
from warmer.journal.jobs import Job, Jobs, Status, unknown_job
from warmer.journal.parameters import Parameters, Trained


@dataclass(frozen=True, slots=True)
class Namespace:
    """What is appended to the names of collections; nothing where everybody may see everything."""

    suffix: str = ""

    def qualify(self, name: str) -> str:
        """Give the name under which a collection is kept."""
        return name + self.suffix

    def contains(self, kept: str) -> bool:
        """Say whether a kept name is of this namespace."""
        return kept.endswith(self.suffix)

    def strip(self, kept: str) -> str:
        """Give the name of a collection that is kept in this namespace."""
        return kept.removesuffix(self.suffix)


def namespace_of(where: Mapping[str, Any]) -> Namespace:
    """Give each filter that is added to every query a namespace of its own; no filter, no namespace."""
    if not where:
        return Namespace()
    canonical = json.dumps(where, sort_keys=True, separators=(",", ":"))
    return Namespace(f"@{sha256(canonical.encode()).hexdigest()[:8]}")


def owner_namespace(owner: str) -> Namespace:
    """Give an owner's jobs a namespace of their own, inside that of the tenant."""
    return Namespace(f"~{sha256(owner.encode()).hexdigest()[:16]}") if owner else Namespace()


class TenantJournal:
    """A journal in a namespace; `prune` and `counts` are for the whole. An owner finds no searches of others."""

    def __init__(self, journal: Journal, namespace: Namespace, owner: str = "") -> None:
        self._journal = journal
        self._namespace = namespace
        self._owner = owner
        self.show = journal.show
        self.score = journal.score
        self.prune = journal.prune
        self.counts = journal.counts

    async def begin(self, search: Search, hits: Sequence[Hit]) -> list[int]:
        """Keep a new search with its first hits."""
        return await self._journal.begin(replace(search, collection=self._namespace.qualify(search.collection)), hits)

    async def find(self, search_id: str, judge: str = AGENT) -> Search:
        """Recall a search with all that was shown and scored; those of other namespaces and owners are unknown."""
        if self._owner and not is_owned(search_id, self._owner):
            raise refused(search_id, "unknown")
        found = await self._journal.find(search_id, judge)
        if not self._namespace.contains(found.collection):
            raise refused(search_id, "unknown")
        return self._unqualified(found)

    async def scored(self, collection: str, model: str, judge: str, rubric: str, fewest: int = 1) -> list[Search]:
        """Recall the searches that a judge scored, one a query."""
        found = await self._journal.scored(self._namespace.qualify(collection), model, judge, rubric, fewest)
        return [self._unqualified(search) for search in found]

    async def known(self, collection: str, query: str, judge: str, rubric: str) -> dict[str, float]:
        """Recall what a judge ever scored for a query."""
        return await self._journal.known(self._namespace.qualify(collection), query, judge, rubric)

    async def queries(self, collection: str) -> list[str]:
        """List the different queries that a collection was ever searched for."""
        return await self._journal.queries(self._namespace.qualify(collection))

    def _unqualified(self, search: Search) -> Search:
        return replace(search, collection=self._namespace.strip(search.collection))


class TenantParameters:
    """Parameters in a namespace."""

    def __init__(self, parameters: Parameters, namespace: Namespace) -> None:
        self._parameters = parameters
        self._namespace = namespace

    async def add(self, trained: Trained) -> None:
        """Keep a set."""
        await self._parameters.add(_renamed(trained, self._namespace.qualify(trained.key.collection)))

    async def all(self) -> list[Trained]:
        """List the newest set of each key of this namespace."""
        return [
            _renamed(trained, self._namespace.strip(trained.key.collection))
            for trained in await self._parameters.all()
            if self._namespace.contains(trained.key.collection)
        ]


class TenantJobs:
    """Jobs in a namespace."""

    def __init__(self, jobs: Jobs, namespace: Namespace) -> None:
        self._jobs = jobs
        self._namespace = namespace
        self.ran = jobs.ran
        self.settle = jobs.settle
        self.claim = jobs.claim
        self.beat = jobs.beat
        self.release = jobs.release

    async def create(self, collection: str, judge: str, hits: int, queries: Sequence[str], status: Status) -> Job:
        """Keep a new job."""
        return self._unqualified(
            await self._jobs.create(self._namespace.qualify(collection), judge, hits, queries, status)
        )

    async def find(self, job_id: str) -> Job:
        """Recall a job; those of other namespaces are unknown."""
        job = await self._jobs.find(job_id)
        if not self._namespace.contains(job.collection):
            raise unknown_job(job_id)
        return self._unqualified(job)

    def _unqualified(self, job: Job) -> Job:
        return replace(job, collection=self._namespace.strip(job.collection))


def _renamed(trained: Trained, collection: str) -> Trained:
    return replace(trained, key=replace(trained.key, collection=collection))
