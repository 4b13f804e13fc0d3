"""The rooms of the library use each other one way, as the map in CONTRIBUTING.md says."""

import ast
from pathlib import Path

import warmer

LIBRARY = Path(warmer.__file__).parent
LOOSE = ["errors", "passage", "vectors", "sanitize", "heap", "recent"]
ROOMS = [
    "pictures",
    "ingest",
    "embedding",
    "index",
    "judges",
    "steering",
    "training",
    "journal",
    "memory",
    "publishing",
]


def imported(path: Path) -> set[str]:
    """Name the rooms that a file imports from."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    modules = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    return {module.split(".")[1] for module in modules if module.startswith("warmer.")}


def test_a_room_uses_only_rooms_below_it() -> None:
    order = [*LOOSE, *ROOMS]
    for path in LIBRARY.rglob("*.py"):
        own = path.relative_to(LIBRARY).with_suffix("").parts[0]
        allowed = {own, *order[: order.index(own)]} if own != "__init__" else set()
        assert imported(path) <= allowed, path


def test_few_files_lie_loose() -> None:
    assert {path.stem for path in LIBRARY.glob("*.py")} == {"__init__", *LOOSE}
    assert {path.name for path in LIBRARY.iterdir() if (path / "__init__.py").exists()} == set(ROOMS)
