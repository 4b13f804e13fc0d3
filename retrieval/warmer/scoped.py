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
from warmer.jobs import Job, Jobs, Status, unknown_job
from warmer.journal import AGENT, Journal, Search, is_owned, refused
from warmer.parameters import Parameters, Trained


@dataclass(frozen=True, slots=True)
class Scope:
    """What is appended to the names of collections; nothing where everybody may see everything."""

    suffix: str = ""

    def kept(self, name: str) -> str:
        """Give the name under which a collection is kept."""
        return name + self.suffix

    def has(self, kept: str) -> bool:
        """Say whether a kept name is of this scope."""
        return kept.endswith(self.suffix)

    def plain(self, kept: str) -> str:
        """Give the name of a collection that is kept in this scope."""
        return kept.removesuffix(self.suffix)


def scope_of(where: Mapping[str, Any]) -> Scope:
    """Give each filter that is added to every query a scope of its own; no filter, no scope."""
    if not where:
        return Scope()
    canonical = json.dumps(where, sort_keys=True, separators=(",", ":"))
    return Scope(f"@{sha256(canonical.encode()).hexdigest()[:8]}")


def owner_scope(owner: str) -> Scope:
    """Give an owner's jobs a scope of their own, inside that of the tenant."""
    return Scope(f"~{sha256(owner.encode()).hexdigest()[:16]}") if owner else Scope()


class ScopedJournal:
    """A journal in a scope; `prune` and `counts` are for the whole. An owner finds no searches of others."""

    def __init__(self, journal: Journal, scope: Scope, owner: str = "") -> None:
        self._journal = journal
        self._scope = scope
        self._owner = owner
        self.show = journal.show
        self.score = journal.score
        self.prune = journal.prune
        self.counts = journal.counts

    async def begin(self, search: Search, hits: Sequence[Hit]) -> list[int]:
        """Keep a new search with its first hits."""
        return await self._journal.begin(replace(search, collection=self._scope.kept(search.collection)), hits)

    async def find(self, search_id: str, judge: str = AGENT) -> Search:
        """Recall a search with all that was shown and scored; those of other scopes and owners are unknown."""
        if self._owner and not is_owned(search_id, self._owner):
            raise refused(search_id, "unknown")
        found = await self._journal.find(search_id, judge)
        if not self._scope.has(found.collection):
            raise refused(search_id, "unknown")
        return self._plain(found)

    async def scored(self, collection: str, model: str, judge: str, rubric: str, fewest: int = 1) -> list[Search]:
        """Recall the searches that a judge scored, one a query."""
        found = await self._journal.scored(self._scope.kept(collection), model, judge, rubric, fewest)
        return [self._plain(search) for search in found]

    async def known(self, collection: str, query: str, judge: str, rubric: str) -> dict[str, float]:
        """Recall what a judge ever scored for a query."""
        return await self._journal.known(self._scope.kept(collection), query, judge, rubric)

    async def queries(self, collection: str) -> list[str]:
        """List the different queries that a collection was ever searched for."""
        return await self._journal.queries(self._scope.kept(collection))

    def _plain(self, search: Search) -> Search:
        return replace(search, collection=self._scope.plain(search.collection))


class ScopedParameters:
    """Parameters in a scope."""

    def __init__(self, parameters: Parameters, scope: Scope) -> None:
        self._parameters = parameters
        self._scope = scope

    async def add(self, trained: Trained) -> None:
        """Keep a set."""
        await self._parameters.add(_renamed(trained, self._scope.kept(trained.key.collection)))

    async def all(self) -> list[Trained]:
        """List the newest set of each key of this scope."""
        return [
            _renamed(trained, self._scope.plain(trained.key.collection))
            for trained in await self._parameters.all()
            if self._scope.has(trained.key.collection)
        ]


class ScopedJobs:
    """Jobs in a scope."""

    def __init__(self, jobs: Jobs, scope: Scope) -> None:
        self._jobs = jobs
        self._scope = scope
        self.ran = jobs.ran
        self.settle = jobs.settle
        self.claim = jobs.claim
        self.beat = jobs.beat
        self.release = jobs.release

    async def create(self, collection: str, judge: str, hits: int, queries: Sequence[str], status: Status) -> Job:
        """Keep a new job."""
        return self._plain(await self._jobs.create(self._scope.kept(collection), judge, hits, queries, status))

    async def find(self, job_id: str) -> Job:
        """Recall a job; those of other scopes are unknown."""
        job = await self._jobs.find(job_id)
        if not self._scope.has(job.collection):
            raise unknown_job(job_id)
        return self._plain(job)

    def _plain(self, job: Job) -> Job:
        return replace(job, collection=self._scope.plain(job.collection))


def _renamed(trained: Trained, collection: str) -> Trained:
    return replace(trained, key=replace(trained.key, collection=collection))
