"""Jobs in Qdrant: a document each, which processes change only in the state that they expect."""

import json
import secrets
from collections.abc import Sequence
from time import time
from typing import Any

from qdrant_client import models

from warmer.journal.jobs import ENDED, Job, Status, unknown_job
from warmer.journal.qdrant.searches import JOB as _KIND
from warmer.journal.qdrant.searches import keep
from warmer.journal.qdrant.store import Store, above, below, change, document_id, equals, put

_HAS_ENDED = models.FieldCondition(key="status", match=models.MatchAny(any=list(ENDED)))


class QdrantJobs:
    """Jobs that several processes share. Their clocks must agree to within a fraction of a lease."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._owners: dict[str, str] = {}  # of the jobs that were claimed here

    async def create(self, collection: str, judge: str, hits: int, queries: Sequence[str], status: Status) -> Job:
        """Keep a new job."""
        job = Job("t_" + secrets.token_urlsafe(16), collection, judge, hits, list(queries), status)
        document = {
            "kind": _KIND,
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
        """Recall a job."""
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
        """Keep the search that was run for a query."""
        await self._store.write(keep(search_id), change(_id(job_id), {str(position): search_id}, at="searches"))

    async def settle(self, job_id: str, status: Status, result: dict[str, Any]) -> None:
        """Set the status, unless the job has ended already."""
        fields = {"status": status, "result": json.dumps(result)} | ({} if status == "running" else {"beat": 0.0})
        await self._store.write(change(_id(job_id), fields, must_not=[_HAS_ENDED]))

    async def claim(self, job_id: str, lease: float) -> bool:
        """Become the process that runs a job; who won is what the document then says."""
        now, owner = time(), secrets.token_hex(8)
        taken = {"beat": now, "status": "running", "owner": owner}
        left = models.Filter(should=[below("beat", now - lease), above("beat", now + lease)])  # a clock was set back
        await self._store.write(change(_id(job_id), taken, must=[left], must_not=[_HAS_ENDED]))
        if (await self._fields(job_id)).get("owner") != owner:
            return False
        self._owners[job_id] = owner
        return True

    async def beat(self, job_id: str) -> bool:
        """Say that the job is still being run."""
        mine = {"status": "running", "owner": self._owners.get(job_id, "")}
        if not mine["owner"]:
            return False
        conditions = [equals(field, value) for field, value in mine.items()]
        await self._store.write(change(_id(job_id), {"beat": time()}, must=conditions))
        return await self._fields(job_id) == mine

    async def release(self, job_id: str) -> None:
        """Let another go on at once with what is unfinished."""
        if owner := self._owners.pop(job_id, ""):
            await self._store.write(change(_id(job_id), {"beat": 0.0}, must=[equals("owner", owner)]))

    async def _fields(self, job_id: str) -> dict[str, Any]:
        return (await self._store.get([_id(job_id)], ["status", "owner"])).get(_id(job_id), {})


def _id(job_id: str) -> str:
    return document_id(_KIND, job_id)
