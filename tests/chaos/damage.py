"""Damage every file of a data directory: reads must be right, or be refused by a message that helps."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random

import anyio
import numpy as np
from stdio_server import StdioServer

from chaos import Trial, testbed
from warmer.errors import WarmerError
from warmer.journal.sqlite.database import Database
from warmer.journal.sqlite.searches import SqliteJournal

Damage = Callable[[Path, Random], None]


def _empty(file: Path, _: Random) -> None:
    file.write_bytes(b"")


def _halve(file: Path, _: Random) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def _delete(file: Path, _: Random) -> None:
    file.unlink()


def _flip(file: Path, random: Random) -> None:
    """Flip one bit of a byte that is not zero."""
    content = bytearray(file.read_bytes())
    places = np.flatnonzero(np.frombuffer(content, np.uint8))
    if content:
        content[int(random.choice(places)) if places.size else 0] ^= 1 << random.randrange(8)
    file.write_bytes(content)


def _garble(file: Path, random: Random) -> None:
    file.write_bytes(random.randbytes(min(file.stat().st_size, 100_000) or 100))


_DAMAGES: dict[str, tuple[Damage, int]] = {
    "emptied": (_empty, 1),
    "cut in half": (_halve, 1),
    "deleted": (_delete, 1),
    "one bit flipped": (_flip, 8),
    "replaced by garbage": (_garble, 1),
}


def generation(work: Path) -> list[Trial]:
    """Damage each file of a published collection; then index again with --replace."""
    notes = testbed.documents(work / "notes")
    testbed.index(notes, work / "data").check_returncode()
    right = _passages(testbed.all_hits(work / "data"))
    trials, random = [], Random(0)
    files = _files(work / "data" / "collections" / testbed.NAME)
    for name, (damage, times) in _DAMAGES.items():
        trial = Trial(f"a file of a collection {name}", note=f"{len(files)} files")
        for file in files * times:
            data = testbed.copy(work / "data", work / "damaged")
            damage(data / "collections" / testbed.NAME / file, random)
            try:
                found = _passages(testbed.all_hits(data))
            except Exception as error:  # noqa: BLE001  any error is a result of the trial
                trial.add(file, "broken", f"{type(error).__name__}: {error}")
                continue
            if isinstance(found, str):
                helps = "--replace" in found or "make one with" in found
                trial.add(file, "refused with what to do", "" if helps else f"it says only: {found}")
            else:
                trial.add(file, "no harm: answered in full", "" if found == right else "answered from a part")
        trials.append(trial)
    trial = Trial("`warmer index --replace` of a damaged collection")
    for file in files:
        data = testbed.copy(work / "data", work / "damaged")
        _garble(data / "collections" / testbed.NAME / file, random)
        done = testbed.index(notes, data, "--replace")
        mended = done.returncode == 0 and _passages(testbed.all_hits(data)) == right
        trial.add(file, "mended", "" if mended else done.stderr[-300:])
    return [*trials, trial]


def journal(work: Path) -> list[Trial]:
    """Damage the journal and its write-ahead log."""
    testbed.index(testbed.documents(work / "notes"), work / "data").check_returncode()
    with StdioServer(work / "log", testbed.environment(work / "data")) as server:
        server.initialize()
        handles = [server.call("search", query=query, limit=20)["search_id"] for query in testbed.QUERIES]
        for handle in handles:
            server.call("give_feedback", search_id=handle, scores={str(n): n % 11 for n in range(1, 12)}, limit=5)
        server.kill()  # a regular exit would remove the write-ahead log
    right = _read_journal(testbed.copy(work / "data", work / "right"), handles)
    trials, random = [], Random(0)
    for file in ("journal.sqlite3", "journal.sqlite3-wal"):
        for name, (damage, times) in _DAMAGES.items():
            trial = Trial(f"`{file}` {name}", known=_KNOWN.get((file, name), ""))
            for n in range(times * 5 if times > 1 else 1):
                data = testbed.copy(work / "data", work / "damaged")
                if file == "journal.sqlite3":
                    _checkpoint(data)
                damage(data / file, random)
                try:
                    found = _read_journal(data, handles)
                except WarmerError as error:
                    helps = "damaged" in str(error) or "call search again" in str(error)
                    trial.add(n, "refused by name", "" if helps else str(error))
                except Exception as error:  # noqa: BLE001  any error is a result of the trial
                    trial.add(n, "broken", f"{type(error).__name__}: {error}")
                else:
                    trial.add(n, "no harm: read in full", "" if found == right else "read otherwise, in silence")
            trials.append(trial)
    return trials


_KNOWN = {
    ("journal.sqlite3-wal", "emptied"): "what was not yet moved into the journal is gone, as after a loss of power",
    ("journal.sqlite3-wal", "cut in half"): "SQLite reads up to the last whole transaction",
    ("journal.sqlite3-wal", "deleted"): "as when it is emptied",
    ("journal.sqlite3-wal", "one bit flipped"): "SQLite reads up to the last transaction whose checksum is right",
    ("journal.sqlite3-wal", "replaced by garbage"): "as when it is emptied",
}


def _read_journal(data: Path, handles: list[str]) -> list[object]:
    async def read() -> list[object]:
        kept = SqliteJournal(database, 1e6)
        found = [await kept.find(handle) for handle in handles]
        return [await kept.counts(), [(one.query, one.where, list(map(str, one.shown.values()))) for one in found]]

    with closing(Database(data / "journal.sqlite3")) as database:
        database.verify()
        return anyio.run(read)


def _checkpoint(data: Path) -> None:
    Database(data / "journal.sqlite3").close()


def _files(folder: Path) -> list[Path]:
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in found if path.name not in {"writer.lock", "edge_config.json"})


def _passages(hits: object) -> object:
    return {hit.passage for hit in hits} if isinstance(hits, list) else hits
