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

_COMMANDS = {
    "index": "make or update a collection from files and folders",
    "serve": "serve a coding agent or chat assistant over MCP, on stdin and stdout",
    "train": "fit how far scores may steer, to scores that agents gave or that a model gives",
    "params": "write trained parameters as JSON, or put them back",
    "copy": "copy a collection from the embedded engine to a Qdrant server, or back",
    "delete": "delete an embedded collection",
    "status": "show collections, model, parameters and where the data is",
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
            sys.exit(f"warmer: {cause}")
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
    parsed = _parser().parse_args(arguments)
    command = parsed.command or ("serve" if not sys.stdin.isatty() else "")
    if not command:
        _parser().print_help(sys.stderr)
        sys.exit(2)
    return parsed, importlib.import_module(f"warmer_server.commands.{command}")


def _parser() -> argparse.ArgumentParser:
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
    made["train"].add_argument("--collection", default="", metavar="NAME", help="may be left out if there is only one")
    made["train"].add_argument("--queries", type=Path, metavar="FILE", help="queries to run and score, one a line")
    made["train"].add_argument("--judge", default="agent", help="agent, claude, fastembed:<model> or module:Class")
    made["train"].add_argument("--limit", type=int, default=25, metavar="N", help="hits scored a query (default: 25)")
    made["params"].add_argument("--load", type=Path, metavar="FILE", help="put back what `warmer params` wrote")
    return parser


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
