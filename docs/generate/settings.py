"""Generate the page of settings and commands."""

import argparse
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from warmer_server.cli import make_parser
from warmer_server.settings import Settings

_HEAD = """\
# Settings and commands

<!-- `make docs` writes this page from server/warmer_server/settings.py and cli.py. -->

## Settings

All settings are environment variables, read once at the start. An empty one counts as unset. A value that does not
fit is refused at the start, by name.

| setting | default | what |
| --- | --- | --- |
"""
_COMMANDS = """
## Commands

Without a command `warmer` serves, if its input is not a terminal. `warmer --version` tells the version.
"""
_DATA_DIR_DEFAULT = "by system; `warmer status` names it"
_BOUNDS = {Ge: "from {0.ge:g}", Gt: "above {0.gt:g}", Le: "to {0.le:g}", Lt: "below {0.lt:g}"}


def settings_page() -> str:
    """Return the whole page as Markdown."""
    rows = [f"| `{field.validation_alias}` | {_default(field)} | {_description(field)} |" for field in _fields()]
    commands = [line for name, command in _subcommands(make_parser()) for line in _command(name, command)]
    return _HEAD + "\n".join(rows) + "\n" + _COMMANDS + "\n".join(commands) + "\n"


def _fields() -> Iterator[FieldInfo]:
    yield from Settings.model_fields.values()


def _default(field: FieldInfo) -> str:
    if field.validation_alias == "WARMER_DATA_DIR":
        return _DATA_DIR_DEFAULT
    default = field.default
    hidden = default is PydanticUndefined or default is None or not str(default).strip("*")
    return "" if hidden else f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _description(field: FieldInfo) -> str:
    description = (field.description or "").replace("|", "\\|")
    if get_origin(field.annotation) is Literal:
        choices = [f"`{choice}`" for choice in get_args(field.annotation)]
        description += f". One of {', '.join(choices)}"
    if bounds := [_BOUNDS[type(one)].format(one) for one in field.metadata if type(one) in _BOUNDS]:
        description += f"; {' '.join(bounds)}"
    return description


def _subcommands(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.items()


def _command(name: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    actions = [action for action in parser._actions if not isinstance(action, argparse._HelpAction)]
    rows = [
        f"| `{_usage(action)}` | {_help(action)} |"
        for action in actions
        if not isinstance(action, argparse._SubParsersAction)
    ]
    what = parser.description or ""
    yield from ["", f"### `warmer {name}`", "", f"{what[:1].upper()}{what[1:]}."]
    if rows:
        yield from ["", "| argument | what |", "| --- | --- |", *rows]
    for inner, sub in _subcommands(parser):
        yield from _command(f"{name} {inner}", sub)


def _usage(action: argparse.Action) -> str:
    value = action.metavar or (f"{{{','.join(action.choices)}}}" if action.choices else action.dest.upper())
    if not action.option_strings:
        return f"{value} ..." if action.nargs == "+" else str(value)
    return action.option_strings[-1] if action.nargs == 0 else f"{action.option_strings[-1]} {value}"


def _help(action: argparse.Action) -> str:
    values: dict[str, Any] = {"default": action.default}
    required = "; required" if action.required and action.option_strings else ""
    return ((action.help or "") % values).replace("|", "\\|") + required
