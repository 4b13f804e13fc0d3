"""The generated pages and their content."""

import json
from collections.abc import Mapping
from pathlib import Path

from generate.figures import costs, example, fill, threads
from generate.picture import draw
from generate.results import bi_encoder, one_wording, training
from generate.settings import settings_page

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "evals" / "results"


def pages() -> Mapping[Path, str]:
    """Return path -> current content of every page that is generated in whole or in part."""
    readme, docs = ROOT / "README.md", ROOT / "docs"
    runs = json.loads((docs / "loop.json").read_text(encoding="utf-8"))
    results = docs / "results.md"
    blocks = {"threads": threads(RESULTS), "costs": costs(RESULTS)}
    reports = {
        "one wording": one_wording(RESULTS),
        "bi-encoder": bi_encoder(RESULTS),
        "training": training(RESULTS),
    }
    summary = RESULTS / "README.md"
    return {
        readme: fill(readme.read_text(encoding="utf-8"), {"example": example(runs)}),
        results: fill(results.read_text(encoding="utf-8"), blocks),
        summary: fill(summary.read_text(encoding="utf-8"), reports),
        docs / "settings.md": settings_page(),
        docs / "loop.svg": draw(runs[0]),
    }
