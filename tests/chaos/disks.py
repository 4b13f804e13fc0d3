"""Fill disks or make them read-only: earlier data stays readable, errors name the cause, and space mends it."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stdio_server import EndedError, StdioServer

from chaos import Skipped, Trial, testbed

_MEGABYTES = 8
_FREE = (0, 4, 16, 64, 256, 512)  # KB left


def run(work: Path) -> list[Trial | Skipped]:
    """Fill a small disk before indexing and under a running server, and remount it read-only."""
    disk = work / "disk"
    disk.mkdir()
    mounted = os.geteuid() == 0 and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={_MEGABYTES}m", "tmpfs", disk], check=False
    )
    if not mounted or mounted.returncode:
        return [Skipped("full and read-only disks", "mounting a small one takes root")]
    try:
        notes = testbed.documents(work / "notes")
        testbed.index(notes, disk / "data").check_returncode()
        return [_index_full_disk(notes, disk), _score_full_disk(work, disk), _use_read_only_disk(work, notes, disk)]
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


@contextmanager
def _filled(disk: Path, room: int) -> Iterator[None]:
    """Fill the disk but for `room` KB."""
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize - room * 1024
    ballast = disk / "ballast"
    try:
        ballast.write_bytes(bytes(max(free, 0)))
        yield
    finally:
        ballast.unlink()


def _index_full_disk(notes: Path, disk: Path) -> Trial:
    trial = Trial("`warmer index` on a disk that is full", note=f"with {', '.join(map(str, _FREE))} KB left")
    for room in _FREE:
        before = len(testbed.all_hits(disk / "data"))
        (notes / f"room{room}.md").write_text(f"# New\n\nWritten with {room} KB left.\n")
        with _filled(disk, room):
            done = testbed.index(notes, disk / "data")
            found = testbed.all_hits(disk / "data")
        # The engine writes to its files even when it only loads them.
        full = isinstance(found, str) and "No space left" in found
        wrong = "" if full or len(found) in {before, before + 1} else f"a reader gets {found}"
        if done.returncode and ("Traceback" in done.stderr or "warmer:" not in done.stderr):
            wrong = wrong or f"it says {done.stderr[-200:]}"
        again = testbed.index(notes, disk / "data")
        if again.returncode or len(testbed.all_hits(disk / "data")) != before + 1:
            wrong = wrong or f"with room again it fails: {again.stderr[-200:]}"
        outcome = "refused with the reason, as are readers" if full else "refused with the reason"
        trial.add(f"{room} KB", outcome if done.returncode else "published", wrong)
    return trial


def _score_full_disk(work: Path, disk: Path) -> Trial:
    trial = Trial("`search` and `give_feedback` while the disk is full", note="by a server that runs already, and anew")
    for room in _FREE:
        kept: dict[int, float] = {}
        try:
            with StdioServer(work / "log", testbed.environment(disk / "data")) as server:
                server.initialize()
                handle = server.call("search", query="bread", limit=20)["search_id"]
                refused = ""
                with _filled(disk, room):
                    for hit in range(1, 15):
                        said = server.refusal("give_feedback", search_id=handle, scores={str(hit): hit % 11}, limit=20)
                        refused = refused or said
                        if not said:
                            kept[hit] = hit % 11
                reply = server.call("give_feedback", search_id=handle, scores={"15": 3})
        except EndedError as error:
            trial.add(f"{room} KB", "broken", f"the server ended: {error}")
            continue
        ranking = {ranked["hit"]: ranked["score"] for ranked in reply["ranking"]}
        wrong = "" if kept.items() <= ranking.items() else "acknowledged scores are lost"
        if refused and "disk" not in refused:
            wrong = wrong or f"it says {refused}"
        trial.add(f"{room} KB", "refused with the reason, later kept" if refused else "kept", wrong)
    return trial


def _use_read_only_disk(work: Path, notes: Path, disk: Path) -> Trial:
    trial = Trial("a data directory that can only be read")
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    try:
        (notes / "more.md").write_text("# More\n\nWritten later.\n")
        env = {**os.environ, **testbed.environment(disk / "data")}
        index = ["index", str(notes), "--collection", testbed.NAME]
        for arguments in (index, ["serve"], ["status"], ["delete", testbed.NAME]):
            done = subprocess.run(
                [*testbed.WARMER, *arguments],
                env=env,
                input="",
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
            )
            said = done.stdout + done.stderr
            plain = "Traceback" not in said and ("written" in said or "write" in said or "read-only" in said.lower())
            trial.add(arguments[0], "refused with the reason", "" if plain else f"it says {said[-200:]}")
    finally:
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
    with StdioServer(work / "log", testbed.environment(disk / "data")) as server:
        trial.add(
            "afterwards", "goes on", "" if server.initialize().call("search", query="bread")["hits"] else "no hits"
        )
    return trial
