"""Set up what faults are injected into: a data directory with a collection of 36 passages."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import anyio
import numpy as np

from warmer.errors import WarmerError
from warmer.index import DenseQuery, Hit
from warmer.index.edge.catalog import Catalog
from warmer.journal.sqlite.database import Database
from warmer.steering.ranking import nearest

NAME = "notes"
WARMER = [sys.executable, "-m", "warmer_server.cli"]
REFERENCE = Path(__file__).parents[1] / "data" / "reference.json"
QUERIES = [f"{a} {b}" for a in ("how", "why") for b in ("bread", "boats", "code", "garden", "stars", "data")]
JUDGE = "judge_of_chaos:Slow"


def documents(folder: Path) -> Path:
    """Write each reference passage to a file."""
    folder.mkdir(parents=True)
    for number, passage in enumerate(json.loads(REFERENCE.read_text(encoding="utf-8"))["passages"]):
        (folder / f"{number:02}.md").write_text(f"# {passage['title']}\n\n{passage['text']}\n", encoding="utf-8")
    return folder


def environment(data: Path, **more: str) -> dict[str, str]:
    paths = [os.environ.get("PYTHONPATH", ""), str(Path(__file__).parent)]
    return {"WARMER_DATA_DIR": str(data), "PYTHONPATH": ":".join(filter(None, paths)), "WARMER_JUDGES": JUDGE, **more}


def index(notes: Path, data: Path, *options: str, more: Mapping[str, str] = {}) -> subprocess.CompletedProcess[str]:
    """Run `warmer index`."""
    command = [*WARMER, "index", str(notes), "--collection", NAME, *options]
    env = {**os.environ, **environment(data), **more}
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=120)


def copy(source: Path, target: Path) -> Path:
    """Copy a folder, keeping sparse files sparse."""
    shutil.rmtree(target, ignore_errors=True)
    subprocess.run(["cp", "-r", source, target], check=True)
    return target


def all_hits(data: Path) -> list[Hit] | str:
    """Open the collection and return all its passages, or the error message if that fails."""

    async def search() -> list[Hit]:
        return await nearest(Catalog(data).open(NAME), DenseQuery(np.ones(384, np.float32)), 100)

    try:
        return anyio.run(search)
    except WarmerError as error:
        return str(error)


def sources(hits: list[Hit] | str) -> set[str] | str:
    return hits if isinstance(hits, str) else {str(hit.payload["source"]).partition("/")[2] for hit in hits}


def journal_faults(data: Path) -> list[str]:
    """Return what SQLite's integrity and foreign key checks find."""
    with closing(Database(data / "journal.sqlite3")) as database, database.transaction("DEFERRED") as connection:
        whole = [row[0] for row in connection.execute("PRAGMA integrity_check")]
        return [*(line for line in whole if line != "ok"), *map(str, connection.execute("PRAGMA foreign_key_check"))]
