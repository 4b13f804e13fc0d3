"""Write YAML, JSON and TOML as lines of path and value, with the comments above them."""

import re
import tomllib
from collections.abc import Iterator, Sequence

import yaml

from warmer.errors import IngestError
from warmer.ingest.noise import without_pictures
from warmer.ingest.rows import Rows
from warmer.ingest.section import Section
from warmer.ingest.text import text_sections

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MAX_LEAVES = 100_000
_MAX_DEPTH = 100
_MAX_ROWS = 200  # between the keys of two values

Leaf = tuple[tuple[str, ...], str | None, int]  # path, value (None: what comes below it), row


def data_sections(text: str, name: str) -> Iterator[Section]:
    """Write each value with the path of keys that leads to it, as "server.port: 8080"; a section a top-level key.

    Args:
        text: The file's text.
        name: The file's name, which is outermost in titles; its suffix selects the language.

    Text that is not in that language stays as it is.

    Raises:
        IngestError: It has too many values, or is nested too deep.
    """
    try:
        leaves = _toml_leaves(text) if name.lower().endswith(".toml") else _yaml_leaves(text)
        return _sections(leaves, text.split("\n"), name)
    except (yaml.YAMLError, ValueError, RecursionError):
        return text_sections(text, name)


def _sections(leaves: Iterator[Leaf], source: Sequence[str], name: str) -> Iterator[Section]:
    rows = Rows()
    top, noted = "", -1
    for count, (path, value, row) in enumerate(leaves):
        if count > _MAX_LEAVES:
            raise IngestError(f"has more than {_MAX_LEAVES:,} values", "too large")
        group = path[0] if len(path) > 1 or value is None else ""
        if group != top:
            rows.add_heading(2, group, row + 1)
        top = group
        for above in _comments_above(source, row, noted):
            rows.add(source[above].strip(), above + 1)
        noted = max(noted, row)
        if value is not None:
            said = without_pictures(value)
            rows.add(f"{'.'.join(path)}: {said}" if path else said, row + 1)
    return rows.sections(name)


def _comments_above(source: Sequence[str], row: int, after: int) -> range:
    first = row
    while first - 1 > after and source[first - 1].lstrip().startswith("#"):
        first -= 1
    return range(first, row)


def _yaml_leaves(text: str) -> Iterator[Leaf]:
    for document in yaml.compose_all(text, _Loader):  # JSON is YAML
        yield from _node_leaves(document, (), 0)


def _node_leaves(node: yaml.Node | None, path: tuple[str, ...], depth: int) -> Iterator[Leaf]:
    if depth > _MAX_DEPTH:
        raise IngestError(f"is nested deeper than {_MAX_DEPTH} levels", "damaged")
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else "?"
            if isinstance(value, yaml.ScalarNode):
                yield (*path, name), " ".join(str(value.value).split()), key.start_mark.line
            else:
                yield (*path, name), None, key.start_mark.line
                yield from _node_leaves(value, (*path, name), depth + 1)
    elif isinstance(node, yaml.SequenceNode):
        for place, value in enumerate(node.value):
            yield from _node_leaves(value, (*path, str(place)), depth + 1)
    elif isinstance(node, yaml.ScalarNode):
        yield path, " ".join(str(node.value).split()), node.start_mark.line


def _toml_leaves(text: str) -> Iterator[Leaf]:
    """Yield the values of TOML, each on the row of its key, which is looked for from the one before on."""
    source = text.split("\n")
    at = 0
    for path, value in _leaves(tomllib.loads(text)):
        key = next((name for name in reversed(path) if not name.isdigit()), "")
        starts = re.compile(rf"[^#]*\b{re.escape(key)}[\"']?\s*[.=\]]")
        at = next((row for row in range(at, min(at + _MAX_ROWS, len(source))) if starts.match(source[row])), at)
        yield path, value, at


def _leaves(value: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _leaves(inner, (*path, str(place)))
    else:
        yield path, " ".join(str(value).split())
