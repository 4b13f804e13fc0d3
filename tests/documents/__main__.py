"""`python -m documents REPORT [WORK]`: real documentation and notes become passages, and are looked at.

OLD names the Python of another build, to compare with in turns.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from command import run_check
from environment import forget_settings

from documents.indexing import Run, index
from documents.notes import write_notes
from documents.projects import PROJECTS, Project, fetch
from documents.reading import Reading, is_balanced, read
from documents.search import first_by_name

_HERE = Path(sys.executable)
_TIMES = 3
_COMPARED = ("nbsphinx",)


def main(report: Path, work: Path) -> None:
    """Read and index all, and write the report; exit with status 1 if a passage has a fence that nothing closes."""
    forget_settings()
    folders = {project: fetch(project, work) for project in PROJECTS}
    old = os.environ.get("OLD", "")
    speed = list(_compare({p: folders[p] for p in PROJECTS if p.name in _COMPARED}, work, Path(old))) if old else []
    notes = _notes(work, [_HERE, *([Path(old)] if old else [])])
    projects = [_measure(project, folder) for project, folder in folders.items()]
    report.write_text(_page(projects, notes, speed), encoding="utf-8")
    sys.exit(any(open_fences for _, _, open_fences in projects))


Measured = tuple[Project, Reading, int]


def _measure(project: Project, folder: Path) -> Measured:
    """Read a project; count the passages in which a fence stays open."""
    reading = read(folder)
    open_fences = [passage for passage in reading.passages if not is_balanced(passage.text)]
    for passage in open_fences:
        sys.stderr.write(f"a fence is open in {passage.source}:\n{passage.text}\n")
    sys.stderr.write(f"{project.name}: {len(reading.passages)} passages, {len(open_fences)} open fences\n")
    return project, reading, len(open_fences)


def _notes(work: Path, builds: Sequence[Path]) -> list[str]:
    """Return a row for each build: of how many notes a search for the name finds the note first."""
    names = write_notes(work / "notes") if not (work / "notes").is_dir() else None
    names = names or sorted(path.stem for path in (work / "notes").iterdir())
    rows = []
    for python in builds:
        index(python, work / "notes", work / "data")
        found = first_by_name(python, work / "data", names)
        sys.stderr.write(f"{python}: {found} of {len(names)} notes\n")
        rows.append(f"{found} of {len(names)} ({found / len(names):.2f})")
    return rows


def _compare(folders: dict[Project, Path], work: Path, old: Path) -> Iterator[tuple[str, list[Run], list[Run]]]:
    """Index the same folders by both builds in turns."""
    for project, folder in folders.items():
        runs: dict[Path, list[Run]] = {old: [], _HERE: []}
        for time in range(_TIMES):
            for python in (old, _HERE) if time % 2 else (_HERE, old):
                runs[python].append(index(python, folder, work / "data"))
                last = runs[python][-1]
                sys.stderr.write(f"{python}: {last.passages} in {last.seconds:.1f} s, {last.memory / 1e6:.0f} MB\n")
        yield f"{project.name} {project.version}", runs[old], runs[_HERE]


def _page(projects: Sequence[Measured], notes: Sequence[str], speed: Sequence[tuple[str, list[Run], list[Run]]]) -> str:
    rows = [(project, reading, *reading.by_kind(), open_fences) for project, reading, open_fences in projects]
    kinds = sorted({kind for _, _, files, _, _ in rows for kind in files})
    return "\n".join(
        [
            "# Documents as they are",
            "",
            "Made by `make documents`, which gets source archives of ten projects by pip and reads each, or the folder",
            "of its documentation, as `warmer index` does, without its tests. `OLD=PYTHON` compares another build.",
            "",
            "## Projects",
            "",
            "No project ended in an error. A fence is open where a passage has only the beginning or the end of code.",
            "",
            "| project | written in | files read | passages | open fences |",
            "| --- | --- | --- | --- | --- |",
            *(
                f"| {p.name} {p.version} | {p.what} | {files.total()} | {passages.total():,} | {open_fences} |"
                for p, _, files, passages, open_fences in rows
            ),
            "",
            "## What each kind yields",
            "",
            "Files with passages, and passages, of each project.",
            "",
            f"| project | {' | '.join(kinds)} |",
            f"| --- |{' --- |' * len(kinds)}",
            *(
                f"| {p.name} | "
                + " | ".join(f"{files[kind]}: {passages[kind]:,}" if files[kind] else "" for kind in kinds)
                + " |"
                for p, _, files, passages, _ in rows
            ),
            "",
            "## What was left out, and why",
            "",
            *(row for p, reading, *_ in rows for row in _left_out(p, reading)),
            "## Notes",
            "",
            "160 notes without headings, in four languages, linked to each other, some with front matter. A search for",
            "a note's name finds that note first:",
            "",
            *(f"- {build}: {found}" for build, found in zip(("this build", "the other"), notes, strict=False)),
            "",
            *(_speed(speed) if speed else []),
        ]
    )


def _left_out(project: Project, reading: Reading) -> list[str]:
    lines = [f"- {line.replace('*', chr(92) + '*')}" for line in reading.left_out]
    return [f"{project.name} {project.version}:", "", *(lines or ["- nothing"]), ""]


def _speed(compared: Sequence[tuple[str, list[Run], list[Run]]]) -> Iterator[str]:
    yield from [
        "## Speed and memory",
        "",
        f"{_TIMES} runs by each build in turns: median, and the least and the most. Seconds compare the same folder,",
        "and so the same text; passages a second also depend on how many passages a build makes of it. Memory is the",
        "peak of the command with its children, as proportional set size.",
        "",
        "| folder | build | passages | seconds | passages a second | peak MB |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, old, new in compared:
        for build, runs in (("other", old), ("this", new)):
            seconds = _spread([run.seconds for run in runs], 1)
            rate = _spread([run.passages / run.seconds for run in runs], 0)
            memory = _spread([run.memory / 1e6 for run in runs], 0)
            yield f"| {name} | {build} | {runs[0].passages:,} | {seconds} | {rate} | {memory} |"
        ratios = (
            median(run.seconds for run in old) / median(run.seconds for run in new),
            median(run.passages / run.seconds for run in new) / median(run.passages / run.seconds for run in old),
            median(run.memory for run in new) / median(run.memory for run in old),
        )
        yield f"| {name} | ratio | | {ratios[0]:.2f}x as fast | {ratios[1]:.2f}x | {ratios[2]:.2f}x |"
    yield ""


def _spread(values: Sequence[float], digits: int) -> str:
    return f"{median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


if __name__ == "__main__":
    run_check(main, "documents")
