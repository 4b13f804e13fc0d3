"""The report of `make documents`: parts that are written anew, or kept."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median

from documents.indexing import Run
from documents.projects import Project
from documents.reading import Reading

Measured = tuple[Project, Reading, int]  # and how many passages have an open fence
Runs = dict[Project, tuple[list[Run], list[Run]]]  # by the other build, and by this
Sections = dict[str, str]

_HEAD = """# Documents as they are

Made by `make documents`, which gets source archives of ten projects by pip and reads each, or the folder
of its documentation, as `warmer index` does, without its tests. `OLD=PYTHON` compares another build,
`PARTS=speed` does one part anew and keeps the others.
"""
_ORDER = ("Projects", "What each kind yields", "What was left out, and why", "Notes", "Speed and memory")


def rewrite(place: Path, sections: Mapping[str, str]) -> None:
    """Write the report with some sections anew; it keeps its others."""
    text = place.read_text(encoding="utf-8") if place.exists() else ""
    kept = dict(section.split("\n", 1) for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:])
    held = {**kept, **sections}
    parts = [f"## {title}\n\n{held[title].strip()}\n" for title in _ORDER if title in held]
    place.write_text("\n".join([_HEAD, *parts]), encoding="utf-8")


def projects(measured: Sequence[Measured]) -> Sections:
    """Tell what each project yields, and what was left out."""
    rows = [(project, reading, *reading.by_kind(), open_fences) for project, reading, open_fences in measured]
    kinds = sorted({kind for _, _, files, _, _ in rows for kind in files})
    found = [
        "No project ended in an error. A fence is open where a passage has only the beginning or the end of code.",
        "",
        "| project | written in | files read | passages | open fences |",
        "| --- | --- | --- | --- | --- |",
        *(
            f"| {p.name} {p.version} | {p.what} | {files.total()} | {passages.total():,} | {open_fences} |"
            for p, _, files, passages, open_fences in rows
        ),
    ]
    yielded = [
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
    ]
    left_out = [row for project, reading, *_ in rows for row in _left_out(project, reading)]
    return {title: "\n".join(lines) for title, lines in zip(_ORDER[:3], (found, yielded, left_out), strict=True)}


def notes(found: Sequence[str]) -> Sections:
    """Tell how many notes are found by their name."""
    lines = [
        "160 notes without headings, in four languages, linked to each other, some with front matter. A search for",
        "a note's name finds that note first:",
        "",
        *(f"- {build}: {row}" for build, row in zip(("this build", "the other"), found, strict=False)),
    ]
    return {"Notes": "\n".join(lines)}


def speed(compared: Runs) -> Sections:
    """Compare two builds by time and memory."""
    return {"Speed and memory": "\n".join(_speed(compared))}


def _left_out(project: Project, reading: Reading) -> list[str]:
    lines = [f"- {line.replace('*', chr(92) + '*')}" for line in reading.left_out]
    return [f"{project.name} {project.version}:", "", *(lines or ["- nothing"]), ""]


def _speed(compared: Runs) -> Iterator[str]:
    yield from [
        "Runs by both builds in turns: median, and the least and the most. Processor seconds are those of the command",
        "with its children, user and system; other programs on the machine change them less than the seconds on the",
        "clock. Both compare the same folder, and so the same text; passages a second also depend on how many",
        "passages a build makes of it. Memory is the peak of the command with its children, as proportional set size.",
        "",
        "| folder | build | runs | passages | processor seconds | passages a processor second | seconds "
        "| passages a second | peak MB |",
        f"|{' --- |' * 9}",
    ]
    for project, builds in compared.items():
        name = f"{project.name} {project.version}"
        for build, runs in zip(("other", "this"), builds, strict=True):
            cells = " | ".join(_spread([value(run) for run in runs], digits) for value, digits in _COLUMNS)
            yield f"| {name} | {build} | {len(runs)} | {runs[0].passages:,} | {cells} |"
        yield f"| {name} | ratio | | | {' | '.join(_ratio(value, *builds) for value, _ in _COLUMNS)} |"


_COLUMNS: tuple[tuple[Callable[[Run], float], int], ...] = (
    (lambda run: run.processor, 1),
    (lambda run: run.passages / run.processor, 1),
    (lambda run: run.seconds, 1),
    (lambda run: run.passages / run.seconds, 1),
    (lambda run: run.memory / 1e6, 0),
)


def _ratio(value: Callable[[Run], float], old: Sequence[Run], new: Sequence[Run]) -> str:
    return f"{median(map(value, new)) / median(map(value, old)):.2f}x"


def _spread(values: Sequence[float], digits: int) -> str:
    return f"{median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"
