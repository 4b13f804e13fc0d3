"""Extract the docstrings of Python code without running it."""

import ast
import copy
import warnings
from collections.abc import Iterator
from pathlib import Path

from warmer.errors import IngestError
from warmer.ingest.files import replace_surrogates
from warmer.ingest.section import Section

_MAX_DEFAULT_LENGTH = 40

_Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
_BLOCKS = (ast.stmt, ast.ExceptHandler, ast.match_case)


def python_sections(text: str, module: str) -> list[Section]:
    """Extract the docstrings of a module and of its public classes, functions and methods.

    Titles look like "json.decoder > JSONDecoder > decode"; the text of a definition begins with its signature.

    Args:
        text: The code.
        module: The module's name.

    Raises:
        IngestError: The code cannot be parsed; the message names the line of a syntax error.
    """
    try:
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(text)
        return [*_docstring_section(tree, module), *_definition_sections(tree, module)]
    except SyntaxError as error:
        raise IngestError(f"line {error.lineno}: {replace_surrogates(error.msg)}", "damaged") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise IngestError(f"cannot be parsed as Python: {error}", "damaged") from error


def module_name(path: Path) -> str:
    """Return a module's import name; the folders around it with an `__init__.py` are its packages."""
    path = path.absolute()
    names = [] if path.stem == "__init__" else [path.stem]
    for folder in path.parents:
        if not (folder / "__init__.py").exists():
            break
        names.append(folder.name)
    return replace_surrogates(".".join(reversed(names)))


def _definition_sections(parent: ast.AST, title: str) -> Iterator[Section]:
    for node in ast.iter_child_nodes(parent):
        if not isinstance(node, _Definition):
            if isinstance(node, _BLOCKS):
                yield from _definition_sections(node, title)
        elif not node.name.startswith("_") or (node.name.startswith("__") and node.name.endswith("__")):
            path = f"{title} > {node.name}"
            yield from _docstring_section(node, path)
            if isinstance(node, ast.ClassDef):
                yield from _definition_sections(node, path)


def _docstring_section(node: ast.Module | _Definition, title: str) -> Iterator[Section]:
    raw = ast.get_docstring(node, clean=False) or ""
    docstring = (ast.get_docstring(node) or "").strip()
    if not docstring:
        return
    blank = len(raw) - len(raw.lstrip())
    line = node.body[0].lineno + raw.count("\n", 0, blank)
    lines = range(line, line + docstring.count("\n") + 1)
    if isinstance(node, ast.Module):
        yield Section(title, docstring, lines)
    else:
        yield Section(title, f"{_signature(node)}\n{docstring}", [node.lineno, *lines], head=1)


def _signature(node: _Definition) -> str:
    bare = copy.copy(node)
    bare.body, bare.decorator_list = [], []
    if not isinstance(bare, ast.ClassDef):
        arguments = bare.args
        arguments.defaults = [_shorten(default) for default in arguments.defaults]
        arguments.kw_defaults = [default and _shorten(default) for default in arguments.kw_defaults]
    return ast.unparse(bare).strip().removesuffix(":")


def _shorten(default: ast.expr) -> ast.expr:
    is_long = default.end_lineno != default.lineno
    is_long = is_long or (default.end_col_offset or 0) - default.col_offset > _MAX_DEFAULT_LENGTH
    return ast.Constant(...) if is_long else default
