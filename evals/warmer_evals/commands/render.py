"""`warmer-evals render`: write the pages of a report anew, from its figures."""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console

from warmer_evals import EvalError, beir, report
from warmer_evals.agent.summary import excerpts


def run(arguments: argparse.Namespace) -> None:
    """Read report.json of each folder, and write it with its pages again; nothing is evaluated.

    Raises:
        EvalError: A folder has no report, or the dataset cannot be read.
    """
    dataset = beir.load(arguments.dataset) if arguments.dataset else None
    for folder in arguments.reports:
        made = _read(folder / "report.json")
        report.write(_with_texts(made, dataset) if dataset else made, folder)
        Console(highlight=False, soft_wrap=True).print(str(folder / "report.html"), markup=False)


def _read(file: Path) -> dict[str, Any]:
    try:
        made = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise EvalError(f"cannot read {file}: {error.strerror}. Name the folder that --out named") from error
    except ValueError as error:
        raise EvalError(f"{file} is not JSON: {error}. Run the evaluation again") from error
    if not isinstance(made, dict) or made.get("kind") not in {"run", "agent"}:
        raise EvalError(f"{file} is not a report of `warmer-evals run` or `warmer-evals agent`")
    return made


def _with_texts(made: dict[str, Any], dataset: beir.Dataset) -> dict[str, Any]:
    """Add what the dataset says of the ids in the report.

    Raises:
        EvalError: The report is of another dataset.
    """
    asked = [
        entry | {"text": dataset.queries[entry["id"]]} if entry["id"] in dataset.queries else entry
        for entry in made["per_query"]
    ]
    known = {id_ for entry in asked for id_ in _shown(entry) if id_ in dataset.documents}
    if made["per_query"] and not known:
        raise EvalError(f"no passage of the report on {made.get('dataset')!r} is in {dataset.name}: name its dataset")
    return made | {"per_query": asked, "texts": excerpts(dataset, known)}


def _shown(entry: dict[str, Any]) -> Iterator[str]:
    """Yield the ids of all documents that a question shows."""
    rounds = [hits for arm in entry.get("arms", {}).values() for hits in arm.get("rounds", [])]
    for hits in [entry.get("seeds", []), *entry.get("hits", {}).values(), *rounds]:
        yield from (str(document) for document, _ in hits)
