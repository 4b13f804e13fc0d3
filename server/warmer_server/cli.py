"""Command line of `warmer`."""

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
    "search": "search a collection in the terminal",
    "serve": "serve a coding agent or chat assistant over MCP, on stdin and stdout, or over HTTP",
    "setup": "show how a coding agent or chat assistant starts this server, or write it into its configuration",
    "token": "make a bearer token for `warmer serve --http`",
    "train": "fit how far scores may steer, from the scores of agents or of a model",
    "params": "print trained parameters as JSON, or load them again",
    "journal": "show, export, import or delete searches and scores, or make a test set or a report of them",
    "copy": "copy a collection from the embedded engine to a Qdrant server, or back",
    "delete": "delete an embedded collection",
    "status": "show collections, model, parameters and where the data is",
    "doctor": "check what works, and try the whole loop",
    "demo": "show on Python's own documentation how scores steer a search",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command. Errors that a user can fix end it with one line on stderr and exit status 1."""
    try:
        with _gc_paused():
            parsed, command = _parse(arguments)
        command.run(parsed)
    except (WarmerError, KeyboardInterrupt, BaseExceptionGroup) as error:
        cause = innermost(error)
        if isinstance(cause, KeyboardInterrupt):
            sys.exit(130)
        if isinstance(cause, WarmerError):
            sys.exit(f"warmer: {one_line(error_text(str(cause)))}")
        raise cause from None


@contextmanager
def _gc_paused() -> Iterator[None]:
    """Pause garbage collection during imports, which it would slow down by scanning objects that live on anyway."""
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()


def _parse(arguments: Sequence[str] | None) -> tuple[argparse.Namespace, ModuleType]:
    """Parse the command line and import the module of its command."""
    parsed = make_parser().parse_args(arguments)
    command = parsed.command or ("serve" if not sys.stdin.isatty() else "")
    if not command:
        make_parser().print_help(sys.stderr)
        sys.exit(2)
    return parsed, importlib.import_module(f"warmer_server.commands.{command}")


def make_parser() -> argparse.ArgumentParser:
    """Build the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="warmer",
        description="Retrieval that gets warmer: an agent's scores steer a second Qdrant retrieval.",
        epilog="Without a command it serves, if its input is not a terminal.",
    )
    parser.add_argument("--version", action="version", version=f"warmer {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command")
    parsers = {
        name: commands.add_parser(
            name, help=text, description=text, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        for name, text in _COMMANDS.items()
    }
    _add_serve_options(parsers["serve"])
    _add_setup_options(parsers["setup"])
    _add_token_options(parsers["token"])
    _add_index_options(parsers["index"])
    _add_search_options(parsers["search"])
    _add_copy_options(parsers["copy"])
    _add_train_options(parsers["train"])
    _add_journal_actions(parsers["journal"])
    parsers["demo"].add_argument("--all", action="store_true", help="index all of it, which takes minutes")
    parsers["delete"].add_argument("--url", default="", choices=["embedded"], help="needed where QDRANT_URL is set")
    parsers["delete"].add_argument("collection", metavar="NAME", help="collection to delete")
    parsers["status"].add_argument(
        "--verify", action="store_true", help="read all collections and the journal to find damage"
    )
    parsers["doctor"].add_argument("--json", action="store_true", help="print JSON")
    parsers["doctor"].add_argument(
        "--deep", action="store_true", help="read all collections, large ones too, to find damage"
    )
    parsers["doctor"].add_argument(
        "--ask-claude", action="store_true", help="try the key with one short call, which costs a little"
    )
    parsers["params"].add_argument("--load", type=Path, metavar="FILE", help="load what `warmer params` wrote")
    return parser


def _add_serve_options(parser: argparse.ArgumentParser) -> None:
    from warmer_server.settings import describe_settings  # noqa: PLC0415  imports pydantic, while collection is paused

    parser.epilog = describe_settings()
    parser.add_argument("--http", action="store_true", help="serve streamable HTTP, at /mcp")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8765, help="port; 0 takes a free one (default: %(default)s)")
    parser.add_argument("--workers", type=_process_count, default=1, metavar="N", help="processes (default: 1)")
    parser.add_argument(
        "--open-to-everyone", action="store_true", help="let other machines call, although there are no tokens"
    )


def _add_setup_options(parser: argparse.ArgumentParser) -> None:
    from warmer_server.setup.clients import CLIENTS  # noqa: PLC0415

    parser.add_argument("client", metavar="CLIENT", choices=CLIENTS, help=", ".join(CLIENTS))
    parser.add_argument("--write", action="store_true", help="write the entry into the client's file; the rest stays")
    parser.add_argument("--name", default="", help="what the client calls the server (default: WARMER_NAME, or warmer)")


def _add_token_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="its owner; tokens of one name share searches")
    for option, default, help_ in (
        ("--scopes", "search,feedback", "tools: search, feedback, train (default: %(default)s)"),
        ("--collections", "", "collections that it may search, separated by commas (default: all)"),
        ("--filter", "", "filter added to each of its queries, as Qdrant's filter JSON"),
    ):
        parser.add_argument(option, default=default, help=help_)
    parser.add_argument("--days", type=float, metavar="N", help="days until it expires (default: never)")


def _add_index_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="file or folder")
    parser.add_argument("--collection", required=True, metavar="NAME", help="collection to fill")
    parser.add_argument("--replace", action="store_true", help="drop what was indexed from other paths")
    for option, help_ in (
        ("--include", "read only files that match, written as in a .gitignore; may be repeated"),
        ("--exclude", "leave out files and folders that match, written as in a .gitignore; may be repeated"),
    ):
        parser.add_argument(option, action="append", default=[], metavar="GLOB", help=help_)
    parser.add_argument(
        "--as",
        dest="kinds",
        action="append",
        default=[],
        metavar="KIND=FILES",
        help="read more files, or some as another kind: text=.log,README or data=.yaml; may be repeated",
    )
    parser.add_argument(
        "--image-model",
        default="",
        metavar="MODEL",
        help="index pictures instead of texts: a model that FastEmbed knows, such as Qdrant/clip-ViT-B-32-vision, or a "
        "folder with the folders vision and text",
    )
    parser.add_argument(
        "--encoding", default="", help="of files that are not UTF-8 and do not name theirs (default: Windows-1252)"
    )
    parser.add_argument(
        "--max-size", type=_megabytes, default=_megabytes("20"), metavar="MB", help="largest file to read (default: 20)"
    )
    parser.add_argument(
        "--url", default="", help="Qdrant server to put it on (key: QDRANT_API_KEY), or embedded (the default)"
    )


def _add_search_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("query", metavar="QUERY", help="what you are looking for, in natural language")
    parser.add_argument("--collection", default="", metavar="NAME", help="collection (default: the only one)")
    parser.add_argument(
        "--reword", action="append", default=[], metavar="TEXT", help="the same in other words; may be repeated"
    )
    parser.add_argument("--limit", type=_hit_count, default=10, metavar="N", help="most hits to show (default: 10)")
    parser.add_argument("--filter", default="", metavar="JSON", help="Qdrant filter that hits must pass")
    parser.add_argument("--full", action="store_true", help="show whole passages, not excerpts")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--url", default="", help="Qdrant server to search (default: QDRANT_URL), or embedded")


def _add_copy_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("collection", metavar="NAME", help="collection to copy")
    for option, name, help_ in (("--from", "source", "where it is"), ("--to", "target", "where it goes")):
        where = f"{help_}: the URL of a Qdrant server, or embedded"
        parser.add_argument(option, dest=name, required=True, metavar="URL", help=where)
    parser.add_argument("--as", dest="new_name", default="", metavar="NEWNAME", help="name of the copy")
    parser.add_argument("--model", default="", help="model that made the vectors, if the collection does not say")
    parser.add_argument("--replace", action="store_true", help="overwrite an existing collection")


def _add_train_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--collection", default="", metavar="NAME", help="collection (default: the only one)")
    parser.add_argument("--queries", type=Path, metavar="FILE", help="queries to run and score, one per line")
    parser.add_argument("--judge", default="agent", help="agent, claude, fastembed:<model> or module:Class")
    parser.add_argument("--limit", type=int, default=25, metavar="N", help="hits to score per query (default: 25)")


def _add_journal_actions(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="action", required=True)
    for action, help_ in (
        ("export", "write searches, scores and trained parameters to a new file"),
        ("import", "add an exported file, unless it is damaged; newer entries stay"),
    ):
        actions.add_parser(action, help=help_, description=help_).add_argument("file", type=Path, metavar="FILE")
    help_ = "delete expired searches without scores; those of unfinished trainings stay"
    actions.add_parser("prune", help=help_, description=help_).add_argument(
        "--older-than", type=_days, metavar="DAYS", help="delete all searches older than this instead, scored or not"
    )

    help_ = "delete the searches, scores and trainings of one owner"
    actions.add_parser("forget", help=help_, description=help_).add_argument(
        "owner",
        type=_owner,
        metavar="OWNER",
        help="a token's name; a login's issuer, client and subject as a JSON list",
    )
    help_ = "show a thread: what was said and found, the scores, and what they moved"
    show = actions.add_parser("show", help=help_, description=help_)
    show.add_argument(
        "search_id",
        nargs="?",
        default="",
        metavar="SEARCH_ID",
        help="thread to show, or the beginning of its id (default: list the newest)",
    )
    show.add_argument("--last", type=_score_count, default=20, metavar="N", help="how many to list (default: 20)")
    show.add_argument("--html", type=Path, metavar="FILE", help="write a self-contained page")
    _add_use_actions(actions)


def _add_use_actions(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    qrels_help = "write scored threads as a test set in BEIR layout, which `warmer-evals run` reads"
    report_help = "list questions that found no good hit even when reworded: what to write next"
    qrels = actions.add_parser("qrels", help=qrels_help, description=qrels_help)
    report = actions.add_parser("report", help=report_help, description=report_help)
    for parser in (qrels, report):
        parser.add_argument("--collection", default="", metavar="NAME", help="collection (default: the only one)")
        parser.add_argument("--owner", default="", metavar="NAME", help="only threads of this owner (a token's name)")
        parser.add_argument("--days", type=_days, metavar="N", help="only threads of the last N days")
        parser.add_argument("--judge", default="", metavar="NAME", help="only scores of this judge, such as agent")
    qrels.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write")
    qrels.add_argument(
        "--min-scores", type=_score_count, default=1, metavar="N", help="scored passages a query needs (default: 1)"
    )
    qrels.add_argument(
        "--wordings", action="store_true", help="make the other wordings queries too, with the same judgments"
    )
    qrels.add_argument("--force", action="store_true", help="write into a folder that is not empty")
    report.add_argument(
        "--below", type=_score, default=5.0, metavar="SCORE", help="a best score below this is not good (default: 5)"
    )
    report.add_argument("--json", action="store_true", help="print JSON")
    report.add_argument("--html", type=Path, metavar="FILE", help="write a self-contained page")


def _owner(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty: name a token, or the JSON list of issuer, client and subject")
    return text


def _score(text: str) -> float:
    try:
        score = float(text)
    except ValueError:
        score = -1
    if not 0 < score <= 10:  # noqa: PLR2004
        raise argparse.ArgumentTypeError(f"{text!r} is not a score above 0 and up to 10")
    return score


def _score_count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= 1000):  # noqa: PLR2004
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 1000")
    return int(text)


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = -1
    if not 0 <= days < sys.maxsize:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of days")
    return days


def _process_count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= 1000):  # noqa: PLR2004
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of processes from 1 to 1000")
    return int(text)


def _hit_count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= 50):  # noqa: PLR2004
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of hits from 1 to 50")
    return int(text)


def _megabytes(text: str) -> int:
    try:
        size = float(text) * 2**20
    except ValueError:
        size = 0
    if not 0 < size < sys.maxsize:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of megabytes")
    return int(size)


if __name__ == "__main__":
    main()
