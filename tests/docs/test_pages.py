"""README and docs agree with the code, the reports and the files they link to."""

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import pytest
from generate.figures import fill
from generate.pages import pages
from snippets import PAGES, ROOT

from warmer.steering.lexical import ADDED
from warmer.steering.params import Params
from warmer.steering.ranking import PROSE
from warmer.steering.regularization import POOL
from warmer.steering.scores import SCALE

LINKING_PAGES = [
    *PAGES,
    *sorted((ROOT / "evals" / "results").glob("*.md")),
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    ROOT / "CHANGELOG.md",
]
PLACEHOLDER = "…"


@pytest.mark.parametrize("path", pages().keys(), ids=lambda path: path.name)
def test_generated_pages_are_current(path: Path) -> None:
    """Fails if code or reports changed without `make docs`."""
    assert path.read_text(encoding="utf-8") == pages()[path], "run `make docs`"


def test_a_missing_block_is_named() -> None:
    assert fill("a <!-- x -->old<!-- /x --> b", {"x": ["new"]}) == "a <!-- x -->\n\nnew\n\n<!-- /x --> b"
    with pytest.raises(ValueError, match="<!-- y -->"):
        fill("a", {"y": []})


def test_the_picture_has_light_and_dark_colours() -> None:
    picture = (ROOT / "docs" / "loop.svg").read_text(encoding="utf-8")
    assert ElementTree.fromstring(picture).tag.endswith("svg")
    assert "prefers-color-scheme:dark" in picture


def test_the_description_of_the_picture_matches_its_scores() -> None:
    run, *_ = json.loads((ROOT / "docs" / "loop.json").read_text(encoding="utf-8"))
    described = (ROOT / "docs" / "how-it-works.md").read_text(encoding="utf-8").partition("](loop.svg)")[0]
    for hits in run["before"], run["after"]:
        *most, last = [str(hit["score"]) for hit in hits]
        assert f"scores {', '.join(most)} and {last}" in described


@pytest.mark.parametrize("page", LINKING_PAGES, ids=lambda page: page.name)
def test_links_have_targets(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if not target.startswith(("https://", "http://")):
            name, _, heading = target.partition("#")
            file = page.parent / name if name else page
            assert file.exists(), f"{page.name} links to {target}"
            assert not heading or heading in _headings(file), f"{page.name} links to {target}"


def _headings(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_numbers_in_the_explanation_match_the_code() -> None:
    page = " ".join((ROOT / "docs" / "how-it-works.md").read_text(encoding="utf-8").split())
    defaults = Params()
    for quoted in (
        f"c = {defaults.c:g}",
        f"ridge {defaults.ridge:g}",
        f"neutral {defaults.neutral * SCALE:g} of 10",
        f"words weigh {PROSE:g}",
        f"the {ADDED} best words",
        f"Of the {POOL} best candidates",
        f"passage weighs {defaults.passage:g}",
        f"each rewording {defaults.rewording:g}",
    ):
        assert quoted in page, quoted


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in PAGES[1:] if page.name != "README.md" and f"]({page.name})" not in index] == []


@cache
def messages() -> str:
    """Return all string literals of the code, one per line, with … for interpolated values."""
    files = (file for room in ("retrieval", "tools", "server") for file in (ROOT / room).rglob("*.py"))
    return "\n".join(" ".join(text.split()) for file in files for text in _texts(ast.parse(file.read_text("utf-8"))))


def _texts(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else PLACEHOLDER for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_messages_on_the_page_of_errors_are_in_the_code() -> None:
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    quoted = re.findall(r"^\| `(.+?)` \|", page, re.MULTILINE)
    assert len(quoted) > 40
    assert [text for text in quoted if not _is_in_code(text)] == []
    assert not _is_in_code("there is no … of this kind anywhere")


def _is_in_code(quoted: str) -> bool:
    parts = map(re.escape, quoted.split(PLACEHOLDER))
    return bool(re.search(".*".join(parts), messages()))
