"""The docstrings of Python code to sections; the code is never run."""

import ast
import copy
import warnings
from collections.abc import Iterator
from pathlib import Path

from warmer.errors import IngestError
from warmer.ingest.files import printable
from warmer.ingest.section import Section

_LONGEST_DEFAULT = 40

_Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
_Block = (ast.stmt, ast.ExceptHandler, ast.match_case)


def python_sections(text: str, module: str) -> list[Section]:
    """Take each docstring of a module and of its public classes, functions and methods.

    Titles are like "json.decoder > JSONDecoder > decode"; a text begins with the signature.

    Args:
        text: The code.
        module: The name of the module.

    Raises:
        IngestError: The code cannot be parsed; the message names the line.
    """
    try:
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(text)
        return [*_section(tree, module), *_definitions(tree, module)]
    except SyntaxError as error:
        raise IngestError(f"line {error.lineno}: {printable(error.msg)}", "damaged") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise IngestError(f"cannot be parsed as Python: {error}", "damaged") from error


def module_name(path: Path) -> str:
    """Name a module as an import would: its packages are the folders around it with an `__init__.py`."""
    path = path.absolute()
    names = [] if path.stem == "__init__" else [path.stem]
    for folder in path.parents:
        if not (folder / "__init__.py").exists():
            break
        names.append(folder.name)
    return printable(".".join(reversed(names)))


def _definitions(parent: ast.AST, title: str) -> Iterator[Section]:
    for node in ast.iter_child_nodes(parent):
        if not isinstance(node, _Definition):
            if isinstance(node, _Block):
                yield from _definitions(node, title)
        elif not node.name.startswith("_") or (node.name.startswith("__") and node.name.endswith("__")):
            path = f"{title} > {node.name}"
            yield from _section(node, path)
            if isinstance(node, ast.ClassDef):
                yield from _definitions(node, path)


def _section(node: ast.Module | _Definition, title: str) -> Iterator[Section]:
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
        yield Section(title, f"{_signature(node)}\n{docstring}", [node.lineno, *lines])


def _signature(node: _Definition) -> str:
    bare = copy.copy(node)
    bare.body, bare.decorator_list = [], []
    if not isinstance(bare, ast.ClassDef):
        arguments = bare.args
        arguments.defaults = [_short(default) for default in arguments.defaults]
        arguments.kw_defaults = [default and _short(default) for default in arguments.kw_defaults]
    return ast.unparse(bare).strip().removesuffix(":")


def _short(default: ast.expr) -> ast.expr:
    long = default.end_lineno != default.lineno
    long = long or (default.end_col_offset or 0) - default.col_offset > _LONGEST_DEFAULT
    return ast.Constant(...) if long else default
