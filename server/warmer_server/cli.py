"""The command `warmer`."""

import argparse
import gc
import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from warmer import __version__
from warmer.errors import WarmerError, innermost
from warmer.sanitize import error_text, one_line

_COMMANDS = {
    "index": "make or update a collection from files and folders",
    "serve": "serve a coding agent or chat assistant over MCP, on stdin and stdout, or over HTTP",
    "token": "make a bearer token for `warmer serve --http`",
    "train": "fit how far scores may steer, to scores that agents gave or that a model gives",
    "params": "write trained parameters as JSON, or put them back",
    "journal": "write searches and scores to a file, bring them back, or delete old ones",
    "copy": "copy a collection from the embedded engine to a Qdrant server, or back",
    "delete": "delete an embedded collection",
    "status": "show collections, model, parameters and where the data is",
    "doctor": "say what works and what does not, and try the whole loop",
    "demo": "search this Python's own documentation in two rounds of feedback",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; exits with status 1 and one line on stderr for what a user can mend."""
    try:
        with _uncollected():
            parsed, command = _read(arguments)
        command.run(parsed)
    except (WarmerError, KeyboardInterrupt, BaseExceptionGroup) as error:
        cause = innermost(error)
        if isinstance(cause, KeyboardInterrupt):
            sys.exit(130)
        if isinstance(cause, WarmerError):
            sys.exit(f"warmer: {one_line(error_text(str(cause)))}")
        raise cause from None


@contextmanager
def _uncollected() -> Iterator[None]:
    """Import without garbage collection: it would look through all that was imported, again and again, for nothing."""
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()


def _read(arguments: Sequence[str] | None) -> tuple[argparse.Namespace, ModuleType]:
    """Read the command line and import the command that it names."""
    parsed = make_parser().parse_args(arguments)
    command = parsed.command or ("serve" if not sys.stdin.isatty() else "")
    if not command:
        make_parser().print_help(sys.stderr)
        sys.exit(2)
    return parsed, importlib.import_module(f"warmer_server.commands.{command}")


def make_parser() -> argparse.ArgumentParser:
    """Describe all commands and their options."""
    from warmer_server.settings import describe_settings  # noqa: PLC0415  pydantic, too, without collection

    parser = argparse.ArgumentParser(
        prog="warmer",
        description="Retrieval that gets warmer: an agent's scores steer a second Qdrant retrieval.",
        epilog="Without a command it serves, if its input is not a terminal.",
    )
    parser.add_argument("--version", action="version", version=f"warmer {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command")
    made = {
        name: commands.add_parser(
            name, help=text, description=text, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        for name, text in _COMMANDS.items()
    }
    made["serve"].epilog = describe_settings()
    made["serve"].add_argument("--http", action="store_true", help="serve streamable HTTP, at /mcp")
    made["serve"].add_argument("--host", default="127.0.0.1", help="where to listen (default: %(default)s)")
    made["serve"].add_argument("--port", type=int, default=8765, help="0: any that is free (default: %(default)s)")
    made["serve"].add_argument("--workers", type=_number, default=1, metavar="N", help="processes (default: 1)")
    made["serve"].add_argument(
        "--open-to-everyone", action="store_true", help="listen beyond this machine although there are no tokens"
    )
    made["token"].add_argument("name", metavar="NAME", help="whose it is; tokens of one name share their searches")
    for option, default, help_ in (
        ("--scopes", "search,feedback", "tools: search, feedback, train (default: %(default)s)"),
        ("--collections", "", "collections that it may search, separated by commas (default: all)"),
        ("--filter", "", "filter that is added to its every query, as Qdrant's filter JSON"),
    ):
        made["token"].add_argument(option, default=default, help=help_)
    made["token"].add_argument("--days", type=float, metavar="N", help="how long it is valid (default: for good)")
    made["index"].add_argument("paths", nargs="+", type=Path, metavar="PATH", help="file or folder")
    made["index"].add_argument("--collection", required=True, metavar="NAME", help="collection to fill")
    made["index"].add_argument(
        "--replace", action="store_true", help="drop what was indexed from other paths than these"
    )
    for option, help_ in (
        ("--include", "read only files like this, as in a .gitignore; may be repeated"),
        ("--exclude", "leave out files and folders like this, as in a .gitignore; may be repeated"),
    ):
        made["index"].add_argument(option, action="append", default=[], metavar="GLOB", help=help_)
    made["index"].add_argument(
        "--max-size", type=_megabytes, default=_megabytes("20"), metavar="MB", help="of a file, at most (default: 20)"
    )
    made["index"].add_argument(
        "--url", default="", help="Qdrant server to fill it on (key: QDRANT_API_KEY), or embedded (the default)"
    )
    made["copy"].add_argument("collection", metavar="NAME", help="collection to copy")
    for option, name, help_ in (("--from", "source", "where it is"), ("--to", "target", "where it is to be")):
        where = f"{help_}: the URL of a Qdrant server, or embedded"
        made["copy"].add_argument(option, dest=name, required=True, metavar="URL", help=where)
    made["copy"].add_argument("--as", dest="new_name", default="", metavar="NEWNAME", help="name of the copy")
    made["copy"].add_argument("--model", default="", help="what the vectors are from, if the collection does not say")
    made["copy"].add_argument("--replace", action="store_true", help="overwrite a collection that is there")
    made["delete"].add_argument("--url", default="", choices=["embedded"], help="say so where QDRANT_URL is set")
    made["delete"].add_argument("collection", metavar="NAME", help="collection to delete")
    made["status"].add_argument(
        "--verify", action="store_true", help="read all of the collections and the journal to tell damage"
    )
    made["doctor"].add_argument("--json", action="store_true", help="print JSON")
    made["doctor"].add_argument(
        "--ask-claude", action="store_true", help="try the key by one short call, which costs a little"
    )
    made["train"].add_argument("--collection", default="", metavar="NAME", help="may be left out if there is only one")
    made["train"].add_argument("--queries", type=Path, metavar="FILE", help="queries to run and score, one a line")
    made["train"].add_argument("--judge", default="agent", help="agent, claude, fastembed:<model> or module:Class")
    made["train"].add_argument("--limit", type=int, default=25, metavar="N", help="hits scored a query (default: 25)")
    made["params"].add_argument("--load", type=Path, metavar="FILE", help="put back what `warmer params` wrote")
    actions = made["journal"].add_subparsers(dest="action", metavar="action", required=True)
    for action, help_ in (
        ("export", "write searches, scores and trained parameters to a new file"),
        ("import", "add what such a file has, unless it is damaged; what is there and newer stays"),
    ):
        actions.add_parser(action, help=help_, description=help_).add_argument("file", type=Path, metavar="FILE")
    help_ = "delete searches that expired unscored; those of unfinished trainings stay"
    actions.add_parser("prune", help=help_, description=help_).add_argument(
        "--older-than", type=_days, metavar="DAYS", help="delete all searches from before that instead, scored or not"
    )
    return parser


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = -1
    if not 0 <= days < sys.maxsize:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of days")
    return days


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= 1000):  # noqa: PLR2004
        raise argparse.ArgumentTypeError(f"{text!r} is no number of processes")
    return int(text)


def _megabytes(text: str) -> int:
    try:
        size = float(text) * 2**20
    except ValueError:
        size = 0
    if not 0 < size < sys.maxsize:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of megabytes")
    return int(size)


if __name__ == "__main__":
    main()
