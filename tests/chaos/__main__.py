"""`python -m chaos REPORT [KIND ...]`: inject faults of all or some kinds and write a report.

The folder CHAOS_WORK keeps the figures of each kind, so that a single kind can be run again.
"""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from time import monotonic

from environment import forget_settings

from chaos import Skipped, Trial, damage, disks, kills, messages, servers
from chaos.report import write

KINDS: dict[str, Callable[[Path], Trial | Skipped | Sequence[Trial | Skipped]]] = {
    "first": kills.first,
    "further": kills.further,
    "scoring": kills.scoring,
    "training": kills.training,
    "expiry": kills.expiry,
    "generation": damage.generation,
    "journal": damage.journal,
    "disks": disks.run,
    "load": servers.load,
    "clock": servers.clock,
    "connection": servers.connection,
    "machine": servers.machine,
    "stdio": messages.stdio,
    "http": messages.http,
}


def main() -> None:
    forget_settings()
    report, *requested = sys.argv[1:]
    work = Path(os.environ.get("CHAOS_WORK") or tempfile.mkdtemp(prefix="chaos-"))
    figures = work / "figures"
    figures.mkdir(parents=True, exist_ok=True)
    started = monotonic()
    for kind in requested or KINDS:
        folder = work / kind
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        began = monotonic()
        result = KINDS[kind](folder)
        trials = list(result) if isinstance(result, Sequence) else [result]
        (figures / f"{kind}.json").write_text(json.dumps([asdict(trial) for trial in trials], indent=1))
        shutil.rmtree(folder, ignore_errors=True)
        sys.stderr.write(f"{kind}: {monotonic() - began:.0f} s\n")
    kept = [json.loads((figures / f"{kind}.json").read_text()) for kind in KINDS if (figures / f"{kind}.json").exists()]
    trials = [Trial(**raw) if "survived" in raw else Skipped(**raw) for one in kept for raw in one]
    write(Path(report), trials, "" if requested else f"All of it in {(monotonic() - started) / 60:.0f} minutes")
    broken = [trial for trial in trials if isinstance(trial, Trial) and trial.broken and not trial.known]
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
