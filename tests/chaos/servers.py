"""Servers that are killed under load, that see another clock, and that lose the Qdrant server they ask."""

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from pipes import EndedError, Pipes
from random import Random
from threading import Timer
from typing import Any

from qdrant_server import QdrantServer

from chaos import Skipped, Trial, bed
from chaos.proxy import Proxy
from warmer.journal.sqlite.database import Database

_KILLS = int(os.environ.get("CHAOS_KILLS", "10"))


def load(work: Path) -> Trial:
    """Kill one of two servers that are scored as fast as they can, at a random moment; the other goes on."""
    bed.index(bed.documents(work / "notes"), work / "data").check_returncode()
    trial, random = Trial("kill -9 of a server under load, beside another on the same data"), Random(0)
    for n in range(_KILLS):
        with ThreadPoolExecutor(2) as pool:
            doomed = pool.submit(_busy, work, f"doomed{n}", random.uniform(0.05, 1.0))
            other = pool.submit(_busy, work, f"other{n}", 0.0)
            told = doomed.result() | other.result()
        lost = _lost(work / "data", told)
        wrong = f"{lost} of {len(told)} acknowledged scores are lost" if lost else ""
        trial.add(n, "killed", wrong or "; ".join(bed.journal_faults(work / "data")[:1]))
        trial.note = "hundreds of acknowledged scores looked up in the journal"
    return trial


def _busy(work: Path, name: str, killed_after: float) -> dict[tuple[str, int], float]:
    """Search and score, up to a kill or thirty times; gives the scores that were acknowledged."""
    told: dict[tuple[str, int], float] = {}
    with suppress(EndedError), Pipes(work / name, bed.environment(work / "data")) as server:
        server.greet().call("search", query="bread")
        timer = Timer(killed_after, server.process.kill) if killed_after else None
        if timer:
            timer.start()
        for n in range(30 if not timer else 10_000):
            handle = server.call("search", query=bed.QUERIES[n % 12], limit=5)["search_id"]
            server.call("give_feedback", search_id=handle, scores={"1": n % 11, "2": 0})
            told |= {(handle, 1): n % 11, (handle, 2): 0}
    return told


def _lost(data: Path, told: dict[tuple[str, int], float]) -> int:
    with closing(Database(data / "journal.sqlite3")) as database, database.transaction("DEFERRED") as connection:
        kept = {
            (search, hit): score for search, hit, score in connection.execute("SELECT search, hit, score FROM scores")
        }
    return sum(kept.get(key) != score for key, score in told.items())


def clock(work: Path) -> Trial | Skipped:
    """Move the clock of a server, by libfaketime."""
    if not shutil.which("faketime"):
        return Skipped("a clock that is moved", "it takes Debian's package faketime")
    bed.index(bed.documents(work / "notes"), work / "data").check_returncode()
    trial = Trial("a clock that is moved", note="by faketime")
    with Pipes(work / "log", bed.environment(work / "data")) as server:
        handle = server.greet().call("search", query="bread")["search_id"]
        server.call("give_feedback", search_id=handle, scores={"1": 9})
        server.call("search", query="boats")
    with _at("+8d", work) as server:
        said = server.greet().refusal("give_feedback", search_id=handle, scores={"2": 1})
        trial.add(
            "a week later", "the search has expired", "" if "expired: call search again" in said else said or "kept"
        )
    with _at("-30d", work) as server:
        reply = server.greet().call("give_feedback", search_id=handle, scores={"2": 1})
        wrong = "" if {r["hit"]: r["score"] for r in reply["ranking"]} == {1: 9, 2: 1} else "scores are lost"
        trial.add("a month back", "the search can be scored", wrong)
    more = {"CHAOS_CALLS": str(work / "calls")}
    with suppress(EndedError), _at("+1d", work, **more) as server:
        server.greet()
        begun = {"queries": bed.QUERIES, "judge": bed.JUDGE, "limit": 8, "wait_seconds": 0}
        job = server.call("train_params", **begun)["job_id"]
        while not (work / "calls").exists():
            server.call("train_params", job_id=job, wait_seconds=0)
        server.kill()
    with Pipes(work / "log", bed.environment(work / "data", **more)) as server:
        reply = server.greet().call("train_params", job_id=job, wait_seconds=60)
        ended = reply["status"] in {"applied", "rejected"}
        trial.add("a training begun a day ahead", "goes on", "" if ended else f"it is {reply['status']} after a minute")
    return trial


def _at(when: str, work: Path, **more: str) -> Pipes:
    """Start a server at another time; `faketime` itself would stand between it and a kill."""
    told = subprocess.run(["faketime", "-f", when, "env"], capture_output=True, text=True, check=True).stdout
    variables = dict(line.split("=", 1) for line in told.splitlines() if "=" in line)
    moved = {name: variables[name] for name in ("LD_PRELOAD", "FAKETIME")}
    return Pipes(work / "log", bed.environment(work / "data", **more, **moved))


def connection(work: Path) -> list[Trial]:
    """Stall and close the connection to a Qdrant server, before and within a request, and let it through again."""
    notes = bed.documents(work / "notes")
    trials = []
    with QdrantServer() as qdrant, Proxy(qdrant.url) as proxy:
        bed.index(notes, work / "data", "--url", qdrant.url).check_returncode()
        more = {"QDRANT_URL": proxy.url, "QDRANT_TIMEOUT": "2", "NO_PROXY": "127.0.0.1"}
        with Pipes(work / "log", bed.environment(work / "data", **more)) as server:
            handle = server.greet().call("search", query="bread", limit=30)["search_id"]
            for mode in ("refused", "stalled", "closed within an answer"):
                trial = Trial(f"connection to a Qdrant server {mode}")
                for n, (tool, arguments) in enumerate(_requests(handle)):
                    proxy.treat(mode)
                    said = server.refusal(tool, **arguments)
                    proxy.treat("")
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
    """Walk through the state machine of `rounds` at length."""
    from hypothesis import settings
    from hypothesis.stateful import run_state_machine_as_test
    from rounds import machine as rounds

    bed.index(bed.documents(work / "notes"), work / "data").check_returncode()
    examples = int(os.environ.get("CHAOS_EXAMPLES", "40"))
    trial = Trial("walks through searches, scores, trainings and restarts", note="of up to 40 steps")
    try:
        run_state_machine_as_test(
            rounds(work / "data"), settings=settings(max_examples=examples, stateful_step_count=40, deadline=None)
        )
        trial.survived, trial.outcomes = examples, {"all as documented": examples}
    except AssertionError as error:
        trial.add("a walk", "broken", str(error)[:500])
    return trial
