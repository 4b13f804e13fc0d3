"""Disks that are full or can only be read: earlier data answers, what fails says why, and room mends it."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from pipes import EndedError, Pipes

from chaos import Skipped, Trial, bed

_MEGABYTES = 8
_ROOM = (0, 4, 16, 64, 256, 512)  # KB


def run(work: Path) -> list[Trial | Skipped]:
    """Fill a small disk before a publish and under a server, and take away the right to write."""
    disk = work / "disk"
    disk.mkdir()
    mounted = os.geteuid() == 0 and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={_MEGABYTES}m", "tmpfs", disk], check=False
    )
    if not mounted or mounted.returncode:
        return [Skipped("full and read-only disks", "mounting a small one takes root")]
    try:
        notes = bed.documents(work / "notes")
        bed.index(notes, disk / "data").check_returncode()
        return [_publishes(notes, disk), _scores(work, disk), _read_only(work, notes, disk)]
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


@contextmanager
def _filled(disk: Path, room: int) -> Iterator[None]:
    """Leave so many KB."""
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize - room * 1024
    ballast = disk / "ballast"
    try:
        ballast.write_bytes(bytes(max(free, 0)))
        yield
    finally:
        ballast.unlink()


def _publishes(notes: Path, disk: Path) -> Trial:
    trial = Trial("`warmer index` on a disk that is full", note=f"with {', '.join(map(str, _ROOM))} KB left")
    for room in _ROOM:
        before = len(bed.all_hits(disk / "data"))
        (notes / f"room{room}.md").write_text(f"# New\n\nWritten with {room} KB left.\n")
        with _filled(disk, room):
            done = bed.index(notes, disk / "data")
            found = bed.all_hits(disk / "data")
        full = isinstance(found, str) and "No space left" in found  # the engine notes at each load that it was here
        wrong = "" if full or len(found) in {before, before + 1} else f"a reader gets {found}"
        if done.returncode and ("Traceback" in done.stderr or "warmer:" not in done.stderr):
            wrong = wrong or f"it says {done.stderr[-200:]}"
        again = bed.index(notes, disk / "data")
        if again.returncode or len(bed.all_hits(disk / "data")) != before + 1:
            wrong = wrong or f"with room again it fails: {again.stderr[-200:]}"
        outcome = "refused with the reason, as are readers" if full else "refused with the reason"
        trial.add(f"{room} KB", outcome if done.returncode else "published", wrong)
    return trial


def _scores(work: Path, disk: Path) -> Trial:
    trial = Trial("`search` and `give_feedback` while the disk is full", note="by a server that runs already, and anew")
    for room in _ROOM:
        kept: dict[int, float] = {}
        try:
            with Pipes(work / "log", bed.environment(disk / "data")) as server:
                server.greet()
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


def _read_only(work: Path, notes: Path, disk: Path) -> Trial:
    trial = Trial("a data directory that can only be read")
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    try:
        (notes / "more.md").write_text("# More\n\nWritten later.\n")
        env = {**os.environ, **bed.environment(disk / "data")}
        for name in (["index", str(notes), "--collection", bed.NAME], ["serve"], ["status"], ["delete", bed.NAME]):
            done = subprocess.run(
                [*bed.WARMER, *name], env=env, input="", capture_output=True, text=True, check=False, timeout=60
            )
            said = done.stdout + done.stderr
            plain = "Traceback" not in said and ("written" in said or "write" in said or "read-only" in said.lower())
            trial.add(name[0], "refused with the reason", "" if plain else f"it says {said[-200:]}")
    finally:
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
    with Pipes(work / "log", bed.environment(disk / "data")) as server:
        trial.add("afterwards", "goes on", "" if server.greet().call("search", query="bread")["hits"] else "no hits")
    return trial
