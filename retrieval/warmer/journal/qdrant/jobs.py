"""Training jobs in Qdrant: one document per job, updated by compare-and-set."""

import json
import secrets
from collections.abc import Sequence
from typing import Any

from qdrant_client import models

from warmer.journal.clock import time
from warmer.journal.jobs import ENDED, Job, Status, unknown_job
from warmer.journal.qdrant.searches import JOB_KIND, mark_kept
from warmer.journal.qdrant.store import Store, change, document_id, equals, greater_than, less_than, put

_HAS_ENDED = models.FieldCondition(key="status", match=models.MatchAny(any=list(ENDED)))


class QdrantJobs:
    """Jobs shared by several processes, whose clocks must agree to within a fraction of a lease."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._claims: dict[str, str] = {}  # job -> the owner written when this process claimed it

    async def create(self, collection: str, judge: str, hits: int, queries: Sequence[str], status: Status) -> Job:
        """Store a new job."""
        job = Job("t_" + secrets.token_urlsafe(16), collection, judge, hits, list(queries), status)
        document = {
            "kind": JOB_KIND,
            "collection": collection,
            "judge": judge,
            "hits": hits,
            "queries": job.queries,
            "status": status,
            "result": "{}",
            "created": time(),
            "beat": 0.0,
            "owner": "",
            "searches": {},
        }
        await self._store.write(put(_id(job.id), document))
        return job

    async def find(self, job_id: str) -> Job:
        """Load a job."""
        document = (await self._store.get([_id(job_id)])).get(_id(job_id))
        if document is None:
            raise unknown_job(job_id)
        return Job(
            id=job_id,
            collection=document["collection"],
            judge=document["judge"],
            hits=document["hits"],
            queries=document["queries"],
            status=document["status"],
            result=json.loads(document["result"]),
            searches={int(position): search_id for position, search_id in document["searches"].items()},
        )

    async def ran(self, job_id: str, position: int, search_id: str) -> None:
        """Record the search that was run for a query."""
        await self._store.write(mark_kept(search_id), change(_id(job_id), {str(position): search_id}, at="searches"))

    async def settle(self, job_id: str, status: Status, result: dict[str, Any]) -> None:
        """Set status and result, unless the job has ended already."""
        fields = {"status": status, "result": json.dumps(result)} | ({} if status == "running" else {"beat": 0.0})
        await self._store.write(change(_id(job_id), fields, must_not=[_HAS_ENDED]))

    async def claim(self, job_id: str, lease: float) -> bool:
        """Try to become the process that runs a job, and read the document back to learn who won."""
        now, owner = time(), secrets.token_hex(8)
        claimed = {"beat": now, "status": "running", "owner": owner}
        # A heartbeat later than now means that a clock was set back.
        abandoned = models.Filter(should=[less_than("beat", now - lease), greater_than("beat", now + lease)])
        await self._store.write(change(_id(job_id), claimed, must=[abandoned], must_not=[_HAS_ENDED]))
        if (await self._fields(job_id)).get("owner") != owner:
            return False
        self._claims[job_id] = owner
        return True

    async def beat(self, job_id: str) -> bool:
        """Send a heartbeat for a claimed job."""
        own = {"status": "running", "owner": self._claims.get(job_id, "")}
        if not own["owner"]:
            return False
        conditions = [equals(field, value) for field, value in own.items()]
        await self._store.write(change(_id(job_id), {"beat": time()}, must=conditions))
        return await self._fields(job_id) == own

    async def release(self, job_id: str) -> None:
        """Give up a claimed job, so that another process can claim it at once."""
        if owner := self._claims.pop(job_id, ""):
            await self._store.write(change(_id(job_id), {"beat": 0.0}, must=[equals("owner", owner)]))

    async def _fields(self, job_id: str) -> dict[str, Any]:
        return (await self._store.get([_id(job_id)], ["status", "owner"])).get(_id(job_id), {})


def _id(job_id: str) -> str:
    return document_id(JOB_KIND, job_id)
