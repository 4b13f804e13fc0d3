"""Kill -9 at calls that change the data directory, during each operation that changes it."""

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
from stdio_server import EndedError, StdioServer

from chaos import Skipped, Trial, testbed
from chaos.dying import Death, build, why_not
from warmer.index.edge.generations import Manifest
from warmer.journal.sqlite.database import Database
from warmer.journal.sqlite.searches import SqliteJournal
from warmer_tools.training import LEASE

_AT_ONCE = 2
_PLACES = 20
Try = Callable[[Path, Path, int], tuple[int, str, str]]


def first(work: Path) -> Trial | Skipped:
    """Kill the first indexing of a collection."""
    return _kill_at_calls(work, "the first `warmer index`", _write_notes, _index_first)


def further(work: Path) -> Trial | Skipped:
    """Kill the update of a collection."""
    return _kill_at_calls(work, "a further `warmer index`", _write_and_index_notes, _index_further)


def scoring(work: Path) -> Trial | Skipped:
    """Kill a server during searches and scores."""
    return _kill_at_calls(work, "`search` and `give_feedback` over stdio", _write_and_index_notes, _score)


def training(work: Path) -> Trial | Skipped:
    """Kill a server during a training."""
    return _kill_at_calls(work, "`train_params` with a judge of one's own", _write_and_index_notes, _run_training)


def expiry(work: Path) -> Trial | Skipped:
    """Kill the deletion of expired searches."""
    return _kill_at_calls(work, "the expiry of searches", _make_expired_searches, _prune)


def _kill_at_calls(work: Path, name: str, prepare: Callable[[Path], None], attempt: Try) -> Trial | Skipped:
    """Count the calls of a command, then kill it at every CHAOS_STRIDE-th, or else at about _PLACES of them."""
    if reason := why_not():
        return Skipped(f"kill -9 in {name}", reason)
    library = build(work)
    template = work / "template"
    template.mkdir(parents=True)
    prepare(template)

    def die(at: int) -> tuple[int, str, str]:
        try:
            return attempt(testbed.copy(template, work / f"at{at}"), library, at)
        except Exception as error:  # noqa: BLE001  any error is a result of the trial
            return at, "broken", f"{type(error).__name__}: {error}"

    trial = Trial(f"kill -9 in {name}")
    steps, outcome, wrong = die(0)
    stride = int(os.environ.get("CHAOS_STRIDE") or max(1, steps // _PLACES))
    trial.note = f"{steps} calls that change the data directory, killed at one in {stride}"
    if wrong:
        trial.add("without a fault", outcome, wrong)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        places = range(1, steps + 1, stride)
        for at, (_, outcome, wrong) in zip(places, pool.map(die, places), strict=True):
            trial.add(f"call {at}", outcome, wrong)
            subprocess.run(["rm", "-rf", work / f"at{at}"], check=True)
    return trial


def _write_notes(folder: Path) -> None:
    testbed.documents(folder / "notes")


def _write_and_index_notes(folder: Path) -> None:
    notes = testbed.documents(folder / "notes")
    testbed.index(notes, folder / "data").check_returncode()


def _index_first(folder: Path, library: Path, at: int) -> tuple[int, str, str]:
    return _index(folder, library, at, before=0, after=36)


def _index_further(folder: Path, library: Path, at: int) -> tuple[int, str, str]:
    subprocess.run(["rm", folder / "notes" / "00.md", folder / "notes" / "01.md"], check=True)
    (folder / "notes" / "new.md").write_text("# New\n\nWritten later.\n")
    # The copy moved the notes. The roots are corrected because --replace would embed all passages again.
    return _index(folder, library, at, before=36, after=35)


def _index(folder: Path, library: Path, at: int, before: int, after: int) -> tuple[int, str, str]:
    notes, data = folder / "notes", folder / "data"
    _correct_roots(data, notes)
    death = Death(library, data, at)
    done = testbed.index(notes, data, more=death.environment)
    calls = death.calls
    found = testbed.all_hits(data)
    points = 0 if isinstance(found, str) and not before else len(found) if not isinstance(found, str) else -1
    outcome = "the new passages are published" if points == after else "the collection is as it was"
    wrong = "" if points in {before, after} else f"a reader gets {found if points < 0 else points}"
    if done.returncode == 0 and points != after:
        wrong = "it said that it was done, and nothing is published"
    again = testbed.index(notes, data)
    if again.returncode or "Traceback" in again.stderr:
        wrong = wrong or f"the next run fails: {again.stderr[-300:]}"
    elif len(testbed.all_hits(data)) != after:
        wrong = wrong or "the next run does not publish what there is"
    elif (left := _count_generations(data)) > 2:
        wrong = wrong or f"{left} generations are left"
    return calls, outcome, wrong


def _correct_roots(data: Path, notes: Path) -> None:
    for file in data.glob("collections/*/generations/*/manifest.json"):
        replace(Manifest.read(file.parent), roots={testbed.NAME: str(notes)}).write(file.parent)


def _count_generations(data: Path) -> int:
    return len(list((data / "collections" / testbed.NAME / "generations").iterdir()))


def _score(folder: Path, library: Path, at: int) -> tuple[int, str, str]:
    data, death = folder / "data", Death(library, folder / "data", at)
    told: dict[str, Any] = {}
    with (
        suppress(EndedError, subprocess.TimeoutExpired),
        StdioServer(folder / "log", testbed.environment(data) | death.environment) as server,
    ):
        server.initialize()
        told["hits"] = server.call("search", query="bread", limit=4)
        handle = told["hits"]["search_id"]
        for hit, score in enumerate((9, 0, 4, 7), start=1):
            reply = server.call("give_feedback", search_id=handle, scores={str(hit): score}, limit=2)
            told["ranking"] = {ranked["hit"]: ranked["score"] for ranked in reply["ranking"]}
            told.setdefault("numbers", {}).update({hit["text"]: hit["hit"] for hit in reply["hits"]})
    calls = death.calls
    if faults := testbed.journal_faults(data):
        return calls, "broken", f"the journal: {faults[0]}"
    with StdioServer(folder / "log2", testbed.environment(data)) as server:
        server.initialize()
        if "hits" not in told:
            server.call("search", query="bread")
            return calls, "killed before the search was answered", ""
        reply = server.call(
            "give_feedback", search_id=told["hits"]["search_id"], scores={"4": 7}, limit=40, include_scored=True
        )
    return calls, f"killed with {len(told.get('ranking', {}))} scores acknowledged", _compare(told, reply)


def _compare(told: dict[str, Any], reply: dict[str, Any]) -> str:
    ranking = {ranked["hit"]: ranked["score"] for ranked in reply["ranking"]}
    lost = [hit for hit, score in told.get("ranking", {}).items() if ranking.get(hit) != score]
    numbers = {hit["text"]: hit["hit"] for hit in reply["hits"]}
    shown = {hit["text"]: hit["hit"] for hit in told["hits"]["hits"]} | told.get("numbers", {})
    moved = [hit for text, hit in shown.items() if numbers.get(text) != hit]
    return f"scores of hits {lost} are lost" if lost else f"the numbers of hits {moved} changed" if moved else ""


def _run_training(folder: Path, library: Path, at: int) -> tuple[int, str, str]:
    data, death = folder / "data", Death(library, folder / "data", at)
    more = {"CHAOS_CALLS": str(folder / "calls")}
    job, status = "", ""
    with (
        suppress(EndedError, subprocess.TimeoutExpired),
        StdioServer(folder / "log", testbed.environment(data, **more) | death.environment) as server,
    ):
        server.initialize()
        job, status = _train(server, job)
    calls = death.calls
    if faults := testbed.journal_faults(data):
        return calls, "broken", f"the journal: {faults[0]}"
    with closing(Database(data / "journal.sqlite3")) as database, database.transaction() as connection:
        connection.execute("UPDATE jobs SET beat = beat - ?", (LEASE,))
    with StdioServer(folder / "log2", testbed.environment(data, **more)) as server:
        server.initialize()
        server.ask("tools/call", name="search", arguments={"query": "bread"})
        if not job:
            _train(server, job)
            return calls, "killed before the training was acknowledged", ""
        _, ended = _train(server, job)
    asked = (folder / "calls").read_text().splitlines() if (folder / "calls").exists() else []
    wrong = "" if ended in {"applied", "rejected"} else f"the training ended as {ended}"
    if status in {"applied", "rejected"} and ended != status:
        wrong = f"it was {status} and is {ended}"
    if len(asked) > len(testbed.QUERIES) + 1 or set(asked) != set(testbed.QUERIES):
        wrong = wrong or f"{len(asked)} scorings of {len(set(asked))} of {len(testbed.QUERIES)} queries"
    return calls, "killed once it had ended" if status else "killed in the middle", wrong


def _train(server: StdioServer, job: str) -> tuple[str, str]:
    """Start or continue a training, wait for its end, and return job and status."""
    begun = {"queries": testbed.QUERIES, "judge": testbed.JUDGE, "limit": 8, "wait_seconds": 0}
    reply = server.call("train_params", **({"job_id": job} if job else begun))
    try:
        while reply["status"] == "running":
            reply = server.call("train_params", job_id=reply["job_id"], wait_seconds=5)
    except EndedError:
        return reply["job_id"], ""
    return reply["job_id"], reply["status"]


_PRUNE = """
import sys, anyio
from pathlib import Path
from warmer.journal.sqlite.database import Database
from warmer.index.edge.generations import Manifest
from warmer.journal.sqlite.searches import SqliteJournal
database = Database(Path(sys.argv[1]) / "journal.sqlite3")
anyio.run(SqliteJournal(database, 1.0).prune)
database.close()
"""


def _make_expired_searches(folder: Path) -> None:
    """Make twenty expired searches, every fourth of them scored."""
    _write_and_index_notes(folder)
    with StdioServer(folder / "log", testbed.environment(folder / "data")) as server:
        server.initialize()
        for n in range(20):
            handle = server.call("search", query=f"bread {n}", limit=5)["search_id"]
            if n % 4 == 0:
                server.call("give_feedback", search_id=handle, scores={"1": 5}, limit=1)
    with closing(Database(folder / "data" / "journal.sqlite3")) as database, database.transaction() as connection:
        connection.execute("UPDATE searches SET expires = 0")


def _prune(folder: Path, library: Path, at: int) -> tuple[int, str, str]:
    data, death = folder / "data", Death(library, folder / "data", at)
    command = [sys.executable, "-c", _PRUNE, str(data)]
    subprocess.run(command, env={**os.environ, **death.environment}, check=False, timeout=60)
    calls = death.calls
    counts = _counts(data)
    outcome = "nothing is deleted" if counts[0] == 20 else "all that expired is deleted"
    wrong = "" if counts in {(20, 5), (5, 5)} else f"{counts} searches and scores are left"
    subprocess.run(command, check=True, timeout=60)
    if _counts(data) != (5, 5):
        wrong = wrong or "the next run does not delete what expired"
    return calls, outcome, wrong or "; ".join(testbed.journal_faults(data)[:1])


def _counts(data: Path) -> tuple[int, int]:
    async def count() -> tuple[int, int]:
        return await SqliteJournal(database, 1.0).counts()

    with closing(Database(data / "journal.sqlite3")) as database:
        return anyio.run(count)
