"""Kill servers under load, move their clock, and cut their connection to a Qdrant server."""

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from random import Random
from threading import Timer
from typing import Any

from qdrant_server import QdrantServer
from stdio_server import EndedError, StdioServer

from chaos import Skipped, Trial, testbed
from chaos.proxy import Proxy
from warmer.journal.sqlite.database import Database

_KILLS = int(os.environ.get("CHAOS_KILLS", "10"))


def load(work: Path) -> Trial:
    """Send scores to two servers as fast as they accept them, and kill one at a random moment."""
    testbed.index(testbed.documents(work / "notes"), work / "data").check_returncode()
    trial, random = Trial("kill -9 of a server under load, beside another on the same data"), Random(0)
    for n in range(_KILLS):
        with ThreadPoolExecutor(2) as pool:
            doomed = pool.submit(_score_repeatedly, work, f"doomed{n}", random.uniform(0.05, 1.0))
            other = pool.submit(_score_repeatedly, work, f"other{n}", 0.0)
            acknowledged = doomed.result() | other.result()
        lost = _count_lost(work / "data", acknowledged)
        wrong = f"{lost} of {len(acknowledged)} acknowledged scores are lost" if lost else ""
        trial.add(n, "killed", wrong or "; ".join(testbed.journal_faults(work / "data")[:1]))
        trial.note = "hundreds of acknowledged scores looked up in the journal"
    return trial


def _score_repeatedly(work: Path, name: str, killed_after: float) -> dict[tuple[str, int], float]:
    """Search and score thirty times, or until a kill, and return the acknowledged scores by (search_id, hit)."""
    acknowledged: dict[tuple[str, int], float] = {}
    with suppress(EndedError), StdioServer(work / name, testbed.environment(work / "data")) as server:
        server.initialize().call("search", query="bread")
        timer = Timer(killed_after, server.process.kill) if killed_after else None
        if timer:
            timer.start()
        for n in range(30 if not timer else 10_000):
            handle = server.call("search", query=testbed.QUERIES[n % 12], limit=5)["search_id"]
            server.call("give_feedback", search_id=handle, scores={"1": n % 11, "2": 0})
            acknowledged |= {(handle, 1): n % 11, (handle, 2): 0}
    return acknowledged


def _count_lost(data: Path, acknowledged: dict[tuple[str, int], float]) -> int:
    with closing(Database(data / "journal.sqlite3")) as database, database.transaction("DEFERRED") as connection:
        kept = {
            (search, hit): score for search, hit, score in connection.execute("SELECT search, hit, score FROM scores")
        }
    return sum(kept.get(key) != score for key, score in acknowledged.items())


def clock(work: Path) -> Trial | Skipped:
    """Move the clock of a server with libfaketime."""
    if not shutil.which("faketime"):
        return Skipped("a clock that is moved", "it takes Debian's package faketime")
    testbed.index(testbed.documents(work / "notes"), work / "data").check_returncode()
    trial = Trial("a clock that is moved", note="by faketime")
    with StdioServer(work / "log", testbed.environment(work / "data")) as server:
        handle = server.initialize().call("search", query="bread")["search_id"]
        server.call("give_feedback", search_id=handle, scores={"1": 9})
        server.call("search", query="boats")
    with _start_at("+8d", work) as server:
        said = server.initialize().refusal("give_feedback", search_id=handle, scores={"2": 1})
        trial.add(
            "a week later", "the search has expired", "" if "expired: call search again" in said else said or "kept"
        )
    with _start_at("-30d", work) as server:
        reply = server.initialize().call("give_feedback", search_id=handle, scores={"2": 1})
        wrong = "" if {r["hit"]: r["score"] for r in reply["ranking"]} == {1: 9, 2: 1} else "scores are lost"
        trial.add("a month back", "the search can be scored", wrong)
    more = {"CHAOS_CALLS": str(work / "calls")}
    with suppress(EndedError), _start_at("+1d", work, **more) as server:
        server.initialize()
        begun = {"queries": testbed.QUERIES, "judge": testbed.JUDGE, "limit": 8, "wait_seconds": 0}
        job = server.call("train_params", **begun)["job_id"]
        while not (work / "calls").exists():
            server.call("train_params", job_id=job, wait_seconds=0)
        server.kill()
    with StdioServer(work / "log", testbed.environment(work / "data", **more)) as server:
        reply = server.initialize().call("train_params", job_id=job, wait_seconds=60)
        ended = reply["status"] in {"applied", "rejected"}
        trial.add("a training begun a day ahead", "goes on", "" if ended else f"it is {reply['status']} after a minute")
    return trial


def _start_at(when: str, work: Path, **more: str) -> StdioServer:
    """Start a server at another time, without the process `faketime`, which a kill would hit instead."""
    output = subprocess.run(["faketime", "-f", when, "env"], capture_output=True, text=True, check=True).stdout
    variables = dict(line.split("=", 1) for line in output.splitlines() if "=" in line)
    moved = {name: variables[name] for name in ("LD_PRELOAD", "FAKETIME")}
    return StdioServer(work / "log", testbed.environment(work / "data", **more, **moved))


def connection(work: Path) -> list[Trial]:
    """Refuse, stall or cut the connection to a Qdrant server during a request, then restore it."""
    notes = testbed.documents(work / "notes")
    trials = []
    with QdrantServer() as qdrant, Proxy(qdrant.url) as proxy:
        testbed.index(notes, work / "data", "--url", qdrant.url).check_returncode()
        more = {"QDRANT_URL": proxy.url, "QDRANT_TIMEOUT": "2", "NO_PROXY": "127.0.0.1"}
        with StdioServer(work / "log", testbed.environment(work / "data", **more)) as server:
            handle = server.initialize().call("search", query="bread", limit=30)["search_id"]
            for mode in ("refused", "stalled", "closed within an answer"):
                trial = Trial(f"connection to a Qdrant server {mode}")
                for n, (tool, arguments) in enumerate(_requests(handle)):
                    proxy.set_mode(mode)
                    said = server.refusal(tool, **arguments)
                    proxy.set_mode("")
                    again = server.refusal(tool, **arguments)
                    wrong = "" if not said or "Qdrant" in said or "127.0.0.1" in said else f"it says {said}"
                    if "bug in warmer" in said or again:
                        wrong = wrong or f"afterwards it says {again or said}"
                    trial.add(n, "refused with the reason, later answered" if said else "answered", wrong)
                trials.append(trial)
        if "Traceback" in (work / "log").read_text():
            trials[-1].add("log", "broken", "a traceback on stderr")
    return trials


def _requests(handle: str) -> list[tuple[str, dict[str, Any]]]:
    search: tuple[str, dict[str, Any]] = "search", {"query": "boats"}
    return [search, *(("give_feedback", {"search_id": handle, "scores": {str(n): n}}) for n in (1, 2, 3))]


def machine(work: Path) -> Trial:
    """Take long random walks through the state machine."""
    from hypothesis import settings
    from hypothesis.stateful import run_state_machine_as_test
    from state_machine import make_machine

    testbed.index(testbed.documents(work / "notes"), work / "data").check_returncode()
    examples = int(os.environ.get("CHAOS_EXAMPLES", "40"))
    trial = Trial("walks through searches, scores, trainings and restarts", note="of up to 40 steps")
    try:
        run_state_machine_as_test(
            make_machine(work / "data"), settings=settings(max_examples=examples, stateful_step_count=40, deadline=None)
        )
        trial.survived, trial.outcomes = examples, {"all as documented": examples}
    except AssertionError as error:
        trial.add("a walk", "broken", str(error)[:500])
    return trial
