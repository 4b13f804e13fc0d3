"""Measure pictures: `python -m warmer_evals.pictures [FILE]` writes evals/results/pictures.md.

Drawings are indexed by a small pair of models that is made here, and searched over MCP in words. Each query is asked
twice: once the list is read on, once its first ten hits get perfect scores. What counts is the ten hits after those.
"""

import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from warmer.embedding.pair import load_pair
from warmer_evals.bench.process import Process
from warmer_evals.measures import measure, residual
from warmer_evals.pictures.drawn import COLOURS, PLACES, SHAPES, Drawing, drawings
from warmer_evals.pictures.pair import VAGUENESS, make_pair

_OUT = Path("evals/results/pictures.md")
_PICTURES, _DEPTH, _SHOWN = 300, 10, 5
_MANY = 1500  # pictures, to time indexing by
_ROUNDS = 60
_OTHERS = (0.0, 0.3, 0.8)  # of the vagueness of words
_WARMER = [sys.executable, "-m", "warmer_server.cli"]
_SERVE = [*_WARMER, "serve"]
Figures = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Query:
    """A query in words, and what a picture has to show."""

    text: str
    shows: Mapping[str, str]

    def fits(self, drawing: Drawing) -> bool:
        """Tell whether a picture shows it."""
        return all(getattr(drawing, part) == value for part, value in self.shows.items())


def queries() -> dict[str, list[Query]]:
    """List the queries, by which two parts of a picture they name."""
    return {
        "colour and shape": [
            Query(f"a {colour} {shape}", {"colour": colour, "shape": shape})
            for colour, shape in itertools.product(COLOURS, SHAPES)
        ],
        "colour and place": [
            Query(f"{colour} at the {place}", {"colour": colour, "place": place})
            for colour, place in itertools.product(COLOURS, PLACES)
        ],
        "shape and place": [
            Query(f"a {shape} at the {place}", {"shape": shape, "place": place})
            for shape, place in itertools.product(SHAPES, PLACES)
        ],
    }


def main(out: Path, work: Path) -> None:
    """Measure everything in a folder of its own, and write the report."""
    pair = make_pair(work / "pair")
    settings = {"WARMER_DATA_DIR": str(work / "data"), "WARMER_IMAGE_MODEL": str(pair), "QDRANT_URL": ""}
    shown = _draw(work / "photos", _PICTURES)
    texts = work / "texts"
    texts.mkdir()
    for number, drawing in enumerate(shown):
        text = f"A {drawing.colour} {drawing.shape} is at the {drawing.place} of picture {number}."
        (texts / f"{number:04}.txt").write_text(text, encoding="utf-8")
    _index(settings, work / "photos", "photos", pair)
    _index(settings, texts, "texts")
    with Process(_SERVE, settings, work / "server.log") as server:
        feedback = {kind: _feedback(server, asked, shown) for kind, asked in queries().items()}
        times = _times(server)
    vague = {one: _other(work, one, shown) for one in _OTHERS}
    out.write_text(_report(feedback, vague, times, _indexing(settings, work, pair)), encoding="utf-8")


def _other(work: Path, vagueness: float, shown: Sequence[Drawing]) -> Figures:
    """Measure all queries with a pair that knows words better or worse."""
    pair = make_pair(work / f"pair-{vagueness}", vagueness)
    settings = {"WARMER_DATA_DIR": str(pair / "data"), "WARMER_IMAGE_MODEL": str(pair), "QDRANT_URL": ""}
    _index(settings, work / "photos", "photos", pair)
    with Process(_SERVE, settings, pair / "server.log") as server:
        return _feedback(server, [one for kind in queries().values() for one in kind], shown)


def _draw(folder: Path, count: int, seed: int = 0) -> list[Drawing]:
    folder.mkdir()
    shown = []
    for number, (drawing, picture) in enumerate(drawings(count, seed)):
        picture.save(folder / f"{number:04}.png")
        shown.append(drawing)
    return shown


def _index(settings: Mapping[str, str], folder: Path, name: str, pair: Path | None = None) -> float:
    """Index a folder; gives the seconds that it took."""
    model = ["--image-model", str(pair)] if pair else []
    begun = time.perf_counter()
    command = [*_WARMER, "index", str(folder), "--collection", name, *model]
    subprocess.run(command, env={**os.environ, **settings}, check=True, capture_output=True)  # noqa: S603
    return time.perf_counter() - begun


def _feedback(server: Process, asked: Sequence[Query], shown: Sequence[Drawing]) -> Figures:
    """Measure nDCG@10 of first lists, and of the ten hits after them without and with scores."""
    qrels = {one.text: {str(n): 1 for n, drawing in enumerate(shown) if one.fits(drawing)} for one in asked}
    first: dict[str, list[str]] = {}
    read_on: dict[str, list[str]] = {}
    steered: dict[str, list[str]] = {}
    for one in asked:
        found = _search(server, query=one.text)
        first[one.text] = _numbers(found)
        read_on[one.text] = _numbers(_search(server, search_id=found["search_id"]))
        again = _search(server, query=one.text)
        scores = {str(hit["hit"]): 10 if one.fits(shown[_number(hit)]) else 0 for hit in again["hits"]}
        given = {"search_id": again["search_id"], "scores": scores, "limit": _DEPTH}
        steered[one.text] = _numbers(_call(server, "give_feedback", given))
    left = residual(qrels, first)

    def mean(judged: Mapping[str, Mapping[str, int]], lists: Mapping[str, list[str]]) -> float:
        return float(np.mean([one["ndcg"] for one in measure(judged, lists, _DEPTH).values()]))

    return mean(qrels, first), mean(left, read_on), mean(left, steered)


def _search(server: Process, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401
    return _call(server, "search", {"collection": "photos", "limit": _DEPTH, **arguments})


def _call(server: Process, tool: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    reply: dict[str, Any] = server.call(tool, arguments)["structuredContent"]
    return reply


def _number(hit: Mapping[str, Any]) -> int:
    return int(Path(hit["source"]).stem)


def _numbers(reply: Mapping[str, Any]) -> list[str]:
    return [str(_number(hit)) for hit in reply["hits"]]


def _times(server: Process) -> dict[str, float]:
    """Give the median seconds of a search of five hits, of several kinds in turns, each query asked once by each."""
    asked = [one.text for kind in queries().values() for one in kind]
    kinds: dict[str, Callable[[str], dict[str, Any]]] = {
        "texts": lambda text: server.call("search", {"query": text, "collection": "texts", "limit": _SHOWN}),
        "pictures, not shown": lambda text: _search(server, query=text, limit=_SHOWN),
        "pictures, shown": lambda text: _search(server, query=text, limit=_SHOWN, pictures=True),
    }
    taken: dict[str, list[float]] = {kind: [] for kind in kinds}
    for number in range(_ROUNDS):
        for kind, ask in kinds.items():
            begun = time.perf_counter()
            ask(f"{asked[number % len(asked)]} of number {number}")  # no query is asked twice: vectors are kept
            taken[kind].append(time.perf_counter() - begun)
    return {kind: median(seconds) for kind, seconds in taken.items()}


def _indexing(settings: Mapping[str, str], work: Path, pair: Path) -> tuple[float, float]:
    """Give the seconds that many pictures take to index beyond one, and those of their model alone."""
    _draw(work / "one", 1)
    _draw(work / "many", _MANY, seed=1)
    taken = _index(settings, work / "many", "many", pair) - _index(settings, work / "one", "one", pair)
    model, pictures = load_pair(str(pair)), [picture for _, picture in drawings(_MANY, seed=1)]
    begun = time.perf_counter()
    for first in range(0, _MANY, 16):
        model.embed_images(pictures[first : first + 16])
    return taken, time.perf_counter() - begun


def _report(
    feedback: Mapping[str, Figures],
    vague: Mapping[float, Figures],
    times: Mapping[str, float],
    indexing: tuple[float, float],
) -> str:
    rows = [_row(kind, figures) for kind, figures in feedback.items()]
    counts = [len(asked) for asked in queries().values()]
    total = np.average([*feedback.values()], axis=0, weights=counts)
    rows.append(_row("all", (float(total[0]), float(total[1]), float(total[2]))))
    others = {**vague, VAGUENESS: (float(total[0]), float(total[1]), float(total[2]))}
    vaguenesses = [_row(f"{one:g}", others[one]) for one in sorted(others)]
    text = times["texts"]
    speeds = [f"| {kind} | {1000 * one:.1f} | {one / text:.2f} |" for kind, one in times.items()]
    taken, model = indexing
    return "\n".join(
        [
            "# Pictures",
            "",
            f"{_PICTURES} drawings of a shape of one colour in one corner, embedded by a small pair of ONNX models",
            "that `warmer_evals.pictures.pair` makes, whose vectors of words are vague on purpose; searched in words.",
            "Made by `python -m warmer_evals.pictures`. **No weights of CLIP were run**: the",
            "figures say what Warmer does with a pair of models, not how well a pair sees photographs.",
            "",
            "## Scores",
            "",
            f"nDCG@{_DEPTH} over {sum(counts)} queries. The first ten hits get perfect scores; residual is what comes "
            "after them, without",
            "those ten in the judgments: the same list read on, and the list that scores steer.",
            "",
            "| queries name | first list | residual, read on | residual, with scores | |",
            "| --- | --- | --- | --- | --- |",
            *rows,
            "",
            "How much scores give depends on how vague words are: the standard deviation of what is added to their",
            f"vectors, where {VAGUENESS:g} is that of the table above.",
            "",
            "| vagueness | first list | residual, read on | residual, with scores | |",
            "| --- | --- | --- | --- | --- |",
            *vaguenesses,
            "",
            "## Time of a search",
            "",
            f"Median of {_ROUNDS} searches of {_SHOWN} hits over stdio, in turns; {_PICTURES} points each.",
            "",
            "| hits | ms | to texts |",
            "| --- | --- | --- |",
            *speeds,
            "",
            "## Time of indexing",
            "",
            f"{_MANY} pictures of 96 x 96 pixels took {taken:.1f} s beyond what one takes; their model alone, in "
            f"batches as large, {model:.1f} s.",
            f"Beside the model that is {_MANY / max(taken - model, 1e-9):.0f} pictures a second, on {os.cpu_count()} "
            "cores: found, checked in a child process, read",
            "again, decoded, and built into a collection.",
            "",
        ]
    )


def _row(kind: str, figures: Figures) -> str:
    first, without, with_ = figures
    return f"| {kind} | {first:.3f} | {without:.3f} | {with_:.3f} | {100 * (with_ / without - 1):+.0f}% |"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="warmer-pictures-") as folder:
        main(Path(sys.argv[1]) if len(sys.argv) > 1 else _OUT, Path(folder))
