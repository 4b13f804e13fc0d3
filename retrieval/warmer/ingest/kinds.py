"""The kinds of files that are read, by suffix or as the user says."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal, get_args

from warmer.errors import IngestError

Kind = Literal[
    "markdown",
    "mdx",
    "rst",
    "asciidoc",
    "org",
    "html",
    "notebook",
    "pdf",
    "docx",
    "epub",
    "man",
    "python",
    "code",
    "data",
    "text",
    "picture",
    "shown",  # a document that is read for what it says of pictures
]

SUFFIXES: dict[str, Kind] = {
    **dict.fromkeys([".md", ".markdown", ".mdown", ".mkd"], "markdown"),
    ".mdx": "mdx",
    **dict.fromkeys([".rst", ".rest"], "rst"),
    **dict.fromkeys([".adoc", ".asciidoc"], "asciidoc"),
    ".org": "org",
    **dict.fromkeys([".html", ".htm", ".xhtml"], "html"),
    ".ipynb": "notebook",
    ".pdf": "pdf",
    ".docx": "docx",
    ".epub": "epub",
    **dict.fromkeys([".man", ".mdoc", *(f".{section}" for section in range(1, 10))], "man"),
    **dict.fromkeys([".txt", ".text"], "text"),
    ".py": "python",
    **dict.fromkeys(
        [".c", ".h", ".cc", ".cpp", ".cxx", ".hh", ".hpp", ".cs", ".java", ".kt", ".kts", ".scala"], "code"
    ),
    **dict.fromkeys([".js", ".cjs", ".mjs", ".jsx", ".ts", ".cts", ".mts", ".tsx", ".php", ".rb", ".dart"], "code"),
    **dict.fromkeys([".go", ".rs", ".swift", ".proto"], "code"),
}
KINDS: tuple[Kind, ...] = tuple(kind for kind in get_args(Kind) if kind not in {"picture", "shown"})  # of texts
DATA_SUFFIXES = (".json", ".toml", ".yaml", ".yml")

Overrides = Mapping[str, Kind]


def kind_of(path: Path, overrides: Overrides | None = None) -> Kind | None:
    """Look up a file's kind by its name or its suffix; None if it is not read."""
    name, suffix = path.name.lower(), path.suffix.lower()
    chosen = overrides or {}
    return chosen.get(name) or (chosen.get(suffix) if suffix else None) or SUFFIXES.get(suffix)


def parse_overrides(specs: Iterable[str]) -> dict[str, Kind]:
    """Read what a user says of kinds, such as "text=.log,README": name or suffix in lower case -> kind.

    Raises:
        IngestError: It names no kind, or no file.
    """
    chosen: dict[str, Kind] = {}
    for spec in specs:
        kind, _, names = spec.partition("=")
        known = next((one for one in KINDS if one == kind.strip().lower()), None)
        wanted = [name.strip().removeprefix("*").lower() for name in names.split(",") if name.strip().removeprefix("*")]
        if known is None or not wanted:
            raise IngestError(
                f"--as {spec!r} cannot be used: write a kind, and suffixes or names, such as text=.log,README. "
                f"Kinds are {', '.join(KINDS)}"
            )
        chosen |= dict.fromkeys(wanted, known)
    return chosen
