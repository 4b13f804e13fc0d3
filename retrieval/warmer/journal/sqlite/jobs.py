"""Training jobs in SQLite."""

import json
import secrets
from collections.abc import Sequence
from typing import Any

from warmer.journal.clock import time
from warmer.journal.jobs import ENDED, Job, Status, damaged_job, unknown_job
from warmer.journal.sqlite.database import Database
from warmer.journal.sqlite.sums import is_whole


class SqliteJobs:
    """Jobs in the journal's SQLite file."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._owner = secrets.token_hex(8)

    async def create(self, collection: str, judge: str, hits: int, queries: Sequence[str], status: Status) -> Job:
        """Store a new job."""
        job = Job("t_" + secrets.token_urlsafe(16), collection, judge, hits, list(queries), status)
        row = (job.id, collection, judge, hits, json.dumps(job.queries), status, "{}", time(), 0.0, "")
        with self._database.transaction() as connection:
            connection.execute("INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        return job

    async def find(self, job_id: str) -> Job:
        """Load a job."""
        with self._database.transaction("DEFERRED") as connection:
            if not is_whole(connection, "jobs", job_id):
                raise damaged_job(job_id)
            columns = "id, collection, judge, hits, queries, status, result"
            row = connection.execute(f"SELECT {columns} FROM jobs WHERE id = ?", (job_id,)).fetchone()  # noqa: S608
            searches = connection.execute("SELECT position, search FROM job_searches WHERE job = ?", (job_id,))
            ran = dict(searches.fetchall())
        if row is None:
            raise unknown_job(job_id)
        id_, collection, judge, hits, queries, status, result = row
        return Job(id_, collection, judge, hits, json.loads(queries), status, json.loads(result), ran)

    async def ran(self, job_id: str, position: int, search_id: str) -> None:
        """Record the search that was run for a query."""
        with self._database.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO job_searches VALUES (?, ?, ?)", (job_id, position, search_id))

    async def settle(self, job_id: str, status: Status, result: dict[str, Any]) -> None:
        """Set status and result, unless the job has ended already."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE jobs SET status = ?, result = ?, beat = CASE ? WHEN 'running' THEN beat ELSE 0 END"
                " WHERE id = ? AND status NOT IN (?, ?, ?)",
                (status, json.dumps(result), status, job_id, *ENDED),
            )

    async def claim(self, job_id: str, lease: float) -> bool:
        """Try to become the process that runs a job."""
        now = time()
        with self._database.transaction() as connection:
            # A heartbeat later than now means that a clock was set back.
            updated = connection.execute(
                "UPDATE jobs SET beat = ?, owner = ?, status = 'running'"
                " WHERE id = ? AND status NOT IN (?, ?, ?) AND beat NOT BETWEEN ? AND ?",
                (now, self._owner, job_id, *ENDED, now - lease, now + lease),
            )
            return updated.rowcount == 1

    async def beat(self, job_id: str) -> bool:
        """Send a heartbeat for a claimed job."""
        with self._database.transaction() as connection:
            updated = connection.execute(
                "UPDATE jobs SET beat = ? WHERE id = ? AND owner = ? AND status = 'running'",
                (time(), job_id, self._owner),
            )
            return updated.rowcount == 1

    async def release(self, job_id: str) -> None:
        """Give up a claimed job, so that another process can claim it at once."""
        with self._database.transaction() as connection:
            connection.execute("UPDATE jobs SET beat = 0 WHERE id = ? AND owner = ?", (job_id, self._owner))
