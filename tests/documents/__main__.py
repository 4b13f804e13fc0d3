"""`python -m documents REPORT [WORK]`: real documentation and notes become passages, and are looked at.

OLD names the Python of another build, to compare with in turns. PARTS names the parts to do anew, of projects, notes
and speed; the report keeps the others.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from command import run_check
from environment import forget_settings

from documents import report
from documents.indexing import Run, index
from documents.notes import write_notes
from documents.projects import PROJECTS, Project, fetch
from documents.reading import is_balanced, read
from documents.report import Measured, Runs
from documents.search import first_by_name

_HERE = Path(sys.executable)
_TIMES = 3
_NAMED = {project.name: project for project in PROJECTS}
_COMPARED = ("nbsphinx", "pymdown-extensions")


def main(place: Path, work: Path) -> None:
    """Read and index all, and write the report; exit with status 1 if a passage has a fence that nothing closes."""
    forget_settings()
    old = os.environ.get("OLD", "")
    parts = os.environ.get("PARTS", "").split() or ["projects", "notes", *(["speed"] if old else [])]
    if unknown := set(parts) - {"projects", "notes", "speed"}:
        raise SystemExit(f"no part is called {', '.join(sorted(unknown))}; there are projects, notes and speed")
    if "speed" in parts and not old:
        raise SystemExit("speed is compared with another build, whose Python is not named: OLD=path/to/python")
    if "speed" in parts:
        for runs in _compare([_NAMED[name] for name in _COMPARED], work, Path(old)):
            report.rewrite(place, report.speed(runs))
    if "notes" in parts:
        report.rewrite(place, report.notes(list(_notes(work, [_HERE, *([Path(old)] if old else [])]))))
    if "projects" in parts:
        projects = [_measure(project, fetch(project, work)) for project in PROJECTS]
        report.rewrite(place, report.projects(projects))
        sys.exit(any(open_fences for _, _, open_fences in projects))


def _measure(project: Project, folder: Path) -> Measured:
    """Read a project; count the passages in which a fence stays open."""
    reading = read(folder)
    open_fences = [passage for passage in reading.passages if not is_balanced(passage.text)]
    for passage in open_fences:
        sys.stderr.write(f"a fence is open in {passage.source}:\n{passage.text}\n")
    sys.stderr.write(f"{project.name}: {len(reading.passages)} passages, {len(open_fences)} open fences\n")
    return project, reading, len(open_fences)


def _notes(work: Path, builds: Sequence[Path]) -> Iterator[str]:
    """Yield a row for each build: of how many notes a search for the name finds the note first."""
    names = write_notes(work / "notes") if not (work / "notes").is_dir() else None
    names = names or sorted(path.stem for path in (work / "notes").iterdir())
    for python in builds:
        index(python, work / "notes", work / "data")
        found = first_by_name(python, work / "data", names)
        sys.stderr.write(f"{python}: {found} of {len(names)} notes\n")
        yield f"{found} of {len(names)} ({found / len(names):.2f})"


def _compare(compared: Sequence[Project], work: Path, old: Path) -> Iterator[Runs]:
    """Index the same folders by both builds in turns; yield the runs so far after each pair."""
    runs: Runs = {}
    for time in range(_TIMES):
        for project in compared:
            builds: list[tuple[Path, list[Run]]] = list(
                zip((old, _HERE), runs.setdefault(project, ([], [])), strict=True)
            )
            for python, done in builds if time % 2 else builds[::-1]:
                done.append(index(python, fetch(project, work), work / "data"))
                sys.stderr.write(f"{project.name}, {python}: {done[-1]}\n")
            yield runs


if __name__ == "__main__":
    run_check(main, "documents")
