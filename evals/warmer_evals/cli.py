"""The command `warmer-evals`."""

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from platformdirs import user_cache_path

from warmer import __version__
from warmer.errors import WarmerError, innermost
from warmer_evals.retrieval import DEPTH
from warmer_evals.subject import default_data_dir

_LAYOUT = """\
A dataset is a folder in BEIR layout: corpus.jsonl, queries.jsonl, qrels/test.tsv and, to train on, qrels/train.tsv.
"""
_JUDGES = """
judges:
  qrels              the judgments are the scores: an oracle, or a recorded model
  scores:FILE.npz    recorded scores: scores[query, document], query_ids, corpus_ids
  fastembed:MODEL    a cross-encoder, late-interaction or embedding model
  claude[:MODEL]     needs ANTHROPIC_API_KEY
  module:Class       one of your own; change its attribute `rubric` when the meaning of its scores changes
"""
_AGENTS = """
agents:
  scripted           scores by the judgments: what feedback is worth to a perfect reader
  claude[:MODEL]     needs ANTHROPIC_API_KEY
  recorded:FILE      words and scores that a language model gave before; docs/evals.md has the format
"""
_COMMANDS = [
    ("run", "compare all methods on a dataset, or on a collection with queries of your own", _LAYOUT + _JUDGES),
    ("agent", "let an agent search a dataset over MCP: alone, with feedback, and in threads", _LAYOUT + _AGENTS),
    ("render", "write the pages of reports again, without evaluating", ""),
]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; exit with status 1 and one line on stderr on an error that the user can fix."""
    parser = make_parser()
    parsed = parser.parse_args(arguments)
    if parsed.command == "run" and bool(parsed.collection) != bool(parsed.queries):
        parser.error("--collection NAME and --queries FILE belong together; a dataset has its own queries")
    try:
        importlib.import_module(f"warmer_evals.commands.{parsed.command}").run(parsed)
    except ModuleNotFoundError as error:
        if error.name not in {"ir_measures", "jinja2"}:
            raise
        install = "in the clone of Warmer, pip install -c constraints.txt '.[evals]'"
        sys.exit(f"warmer-evals: the package {error.name} is missing: {install}")
    except (WarmerError, KeyboardInterrupt, BaseExceptionGroup) as error:
        cause = innermost(error)
        if isinstance(cause, KeyboardInterrupt):
            sys.exit(130)
        if isinstance(cause, WarmerError):
            sys.exit(f"warmer-evals: {cause}")
        raise cause from None


def make_parser() -> argparse.ArgumentParser:
    """Build the parser of all commands and their options."""
    parser = argparse.ArgumentParser(
        prog="warmer-evals", description="Is relevance feedback worth having, on data of your own?"
    )
    parser.add_argument("--version", action="version", version=f"warmer-evals {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command", required=True)
    parsers = {
        name: commands.add_parser(
            name, help=what, description=what, epilog=epilog, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        for name, what, epilog in _COMMANDS
    }
    _add_run(parsers["run"])
    _add_agent(parsers["agent"])
    for name in ("run", "agent"):
        _add_shared(parsers[name])
    _add_render(parsers["render"])
    return parser


def _add_run(run: argparse.ArgumentParser) -> None:
    subject = run.add_mutually_exclusive_group(required=True)
    subject.add_argument("--dataset", type=Path, metavar="DIR", help="folder in BEIR layout")
    subject.add_argument("--collection", metavar="NAME", help="collection that `warmer index` made")
    run.add_argument("--queries", type=Path, metavar="FILE", help="queries for --collection, one a line")
    run.add_argument("--judge", default="qrels", help="who scores the hits (default: qrels)")
    run.add_argument("--k", type=list_depth, default=5, help="how many first hits are scored (default: 5)")
    run.add_argument("--budget", type=list_depth, default=15, metavar="B", help="hits read in total (default: 15)")
    run.add_argument(
        "--train-limit", type=list_depth, default=25, metavar="N", help="hits scored per training query (default: 25)"
    )
    run.add_argument(
        "--relevant-from",
        type=count,
        default=1,
        metavar="GRADE",
        help="lowest relevant grade in recall, precision and AP (default: 1)",
    )
    run.add_argument("--limit", type=count, metavar="N", help="maximum number of queries (default: all)")
    run.add_argument("--data-dir", type=Path, default=default_data_dir(), metavar="DIR", help="where --collection is")


def _add_agent(agent: argparse.ArgumentParser) -> None:
    agent.add_argument("--dataset", type=Path, required=True, metavar="DIR", help="folder in BEIR layout")
    agent.add_argument("--agent", default="scripted", help="who searches (default: scripted)")
    agent.add_argument(
        "--scores", choices=["recorded", "perfect", "none"], help="who scores for recorded:FILE (default: recorded)"
    )
    budget = agent.add_mutually_exclusive_group()
    budget.add_argument(
        "--passages",
        "--budget",
        type=list_depth,
        default=15,
        metavar="N",
        help="passages a question (default: 15)",
    )
    budget.add_argument("--characters", type=count, metavar="N", help="or characters of texts and titles, e.g. 8000")
    agent.add_argument("--limit", type=count, metavar="N", help="maximum number of questions (default: all)")


def _add_render(render: argparse.ArgumentParser) -> None:
    render.add_argument("reports", type=Path, nargs="+", metavar="REPORT", help="folder of a report (--out)")
    render.add_argument("--dataset", type=Path, metavar="DIR", help="add the texts of this dataset to the report")


def _add_shared(command: argparse.ArgumentParser) -> None:
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the report")
    command.add_argument("--n", type=list_depth, default=10, help="depth at which lists are judged (default: 10)")
    command.add_argument("--split", default="", help="judgments to evaluate on (default: test)")
    command.add_argument(
        "--text",
        choices=["text", "title and text"],
        default="",
        help="what is indexed (default: decided from the judgments)",
    )
    command.add_argument(
        "--model", default="", help="embedding model: a FastEmbed name or a folder; of pictures, a pair"
    )
    command.add_argument(
        "--ids-only", action="store_true", help="leave all texts out of the report (agents' transcripts keep them)"
    )
    command.add_argument(
        "--cache",
        type=Path,
        default=user_cache_path("warmer", appauthor=False),
        metavar="DIR",
        help="folder for embedded datasets and models' scores (default: %(default)s)",
    )


def list_depth(text: str) -> int:
    """Parse the depth of a list, 1 to DEPTH."""
    if not (text.isdecimal() and 1 <= int(text) <= DEPTH):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to {DEPTH}")
    return int(text)


def count(text: str) -> int:
    """Parse a positive integer."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)


if __name__ == "__main__":
    main()
