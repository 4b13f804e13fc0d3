"""Code blocks in README and docs: place, language, and why some are not run."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# Reasons that a marker before a block may give for not running it:
NOT_RUN = {
    "installs from the package index; `make package` does it in CI",
    "takes uv, which installs from the package index",
    "fetches a model from a hub",
    "asks a paid service",
    "takes Docker",
    "tests/evals run it",
    "tests/server run it",
    "asks a server of yours",
    "takes hours, and the datasets",
    "builds an environment; CI does it",
    "publishes",
    "takes Codex",
    "takes an authorization server",
}
MADE = {"make demo", "make test"}  # CI runs the second, and a test runs the demo
KINDS = {"sh", "python", "json", "text"}
_MARKER = re.compile(r"<!-- not run: (.*?) -->")


@dataclass(frozen=True)
class Block:
    """A fenced block, which begins with ```language name."""

    page: Path
    line: int
    language: str
    name: str
    text: str
    reason: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks(page: Path) -> Sequence[Block]:
    found: list[Block] = []
    reason = ""
    for token in MarkdownIt().parse(page.read_text(encoding="utf-8")):
        if token.type == "fence":
            language, _, name = token.info.strip().partition(" ")
            line = (token.map or [0])[0] + 1
            found.append(Block(page, line, language, name, token.content, reason))
        marked = _MARKER.match(token.content) if token.type == "html_block" else None
        reason = marked[1] if marked else ""
    return found


ALL = [block for page in PAGES for block in blocks(page)]
