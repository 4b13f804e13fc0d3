"""The picture in how-it-works.md: the first question of `warmer demo`, its first hits and next hits with their scores.

`python -m generate.picture` records the demo again, all questions; `warmer demo` must have made its collection.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from statistics import fmean
from typing import Any

import anyio
from mcp import Client

from warmer.errors import WarmerError
from warmer_server.commands.demo import (
    COLLECTION,
    Rounds,
    demo_server,
    demo_settings,
    passage_key,
    play,
    recorded_rewordings,
    recorded_scores,
)
from warmer_tools.titles import shorten_title

RECORD = Path(__file__).parents[1] / "loop.json"
_KEPT_TEXT = 120  # characters of a passage in the record

_WIDTH, _HEIGHT, _ROW, _TOP = 860, 338, 44, 98
_PANEL, _GAP = 392, 76
_TITLE, _SNIPPET = 34, 44  # characters that fit
_STYLE = """\
text{font:13px system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif;fill:#1f2328}
.t{font-weight:600}.s{font-size:11.5px;fill:#59636e}.h{font-size:14px;font-weight:600}.q{font-size:15px}
.n{font-size:12px;fill:#59636e;text-anchor:end}.v{font-weight:600;text-anchor:middle}
.card{fill:#fff;stroke:#d1d9e0}.arrow{fill:none;stroke:#59636e;stroke-width:1.5}
.low{fill:#eef1f4}.mid{fill:#fde3b5}.high{fill:#f9a25f}.low+.v{fill:#59636e}.mid+.v,.high+.v{fill:#3b1d00}
@media (prefers-color-scheme:dark){text{fill:#f0f6fc}.s,.n{fill:#9198a1}.card{fill:#151b23;stroke:#3d444d}
.arrow{stroke:#9198a1}.low{fill:#2a313c}.low+.v{fill:#9198a1}.mid{fill:#6b4a16}.mid+.v{fill:#ffe2b0}
.high{fill:#d9691f}.high+.v{fill:#fff}}"""

Shown = Sequence[Mapping[str, Any]]


def draw(run: Mapping[str, Any]) -> str:
    """Draw a recorded run as SVG, in light and dark colours."""
    right = _PANEL + _GAP
    middle, half = _PANEL + _GAP / 2, _TOP + 2.5 * _ROW
    parts = [
        _text(0, 18, "q", f"“{run['query']}”"),
        _text(0, 52, "h", "1. search: first hits"),
        _text(0, 71, "s", "the agent reads them and scores each from 0 to 10"),
        _text(right, 52, "h", "2. give_feedback: next hits"),
        _text(right, 71, "s", "the scores and two rewordings steered it"),
        *_panel(0, run["before"]),
        *_panel(right, run["after"]),
        f'<path class="arrow" d="M{middle - 22} {half}h44m-7-6 7 6-7 6"/>',
        f'<text class="s" x="{middle}" y="{half - 12}" text-anchor="middle">scores</text>',
        f'<text class="s" x="{middle}" y="{half + 22}" text-anchor="middle">and words</text>',
        _text(0, _HEIGHT - 6, "s", _summary(run)),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" '
        f'height="{_HEIGHT}" role="img" aria-label="{escape(_summary(run))}"><style>{_STYLE}</style>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _summary(run: Mapping[str, Any]) -> str:
    def mean(hits: Shown) -> str:
        return f"{fmean(hit['score'] for hit in hits):.1f}"

    return f"Mean score: {mean(run['before'])} of the first five, {mean(run['after'])} of the next five."


def _panel(x: float, hits: Shown) -> list[str]:
    height = _ROW * len(hits)
    rows = [f'<rect class="card" x="{x + 0.5}" y="{_TOP - 13.5}" width="{_PANEL - 1}" height="{height}" rx="6"/>']
    for place, hit in enumerate(hits):
        y = _TOP + place * _ROW
        rows += [
            _text(x + 24, y + 6, "n", str(hit["hit"])),
            _text(x + 34, y + 6, "t", shorten_title(hit["title"], _TITLE)),
            _text(x + 34, y + 22, "s", _truncated(hit["text"], _SNIPPET)),
            f'<rect class="{_shade(hit["score"])}" x="{x + _PANEL - 46}" y="{y - 5}" width="34" height="26" rx="5"/>'
            + _text(x + _PANEL - 29, y + 12, "v", f"{hit['score']:g}"),
        ]
    return rows


def _shade(score: float) -> str:
    return "high" if score >= 7 else "mid" if score >= 3 else "low"  # noqa: PLR2004  the rubric's anchors


def _truncated(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def _text(x: float, y: float, kind: str, text: str) -> str:
    return f'<text class="{kind}" x="{x}" y="{y}">{escape(text)}</text>'


async def record() -> list[dict[str, Any]]:
    """Play all questions of the demo.

    Raises:
        KeyError: A passage has no recorded score, since this Python's documentation differs.
    """
    try:
        async with Client(demo_server(demo_settings())) as client:
            return [
                _run(query, await play(client, COLLECTION, query, scores), scores)
                for query, scores in recorded_scores().items()
            ]
    except WarmerError as error:
        raise SystemExit(f"{error}. Has `warmer demo` been run?") from error


def _run(query: str, rounds: Rounds, scores: Mapping[str, float]) -> dict[str, Any]:
    lists = {"before": rounds.first, "after": rounds.next, "read on": rounds.read_on, "new searches": rounds.reworded}
    return {
        "query": query,
        "rewordings": recorded_rewordings()[query],
        **{name: _scored(hits, scores) for name, hits in lists.items()},
        "shown by new searches": rounds.reworded_shown,
    }


def _scored(hits: Shown, scores: Mapping[str, float]) -> list[dict[str, Any]]:
    return [
        {
            "hit": hit["hit"],
            "title": hit["title"],
            "text": " ".join(hit["text"].split())[:_KEPT_TEXT],
            "score": scores[passage_key(hit)],
        }
        for hit in hits
    ]


if __name__ == "__main__":
    if sys.argv[1:]:
        sys.exit("usage: python -m generate.picture")
    RECORD.write_text(json.dumps(anyio.run(record), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
