"""`python -m warmer_evals.tokens DATASET`: what a loop costs a language model to read and write.

Characters are counted here, tokens by a tokenizer in an environment of its own, since no part of the product needs one:
o200k_base, of OpenAI's models. That of other models differs; how the parts compare hardly does.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from platformdirs import user_cache_path

from warmer import __version__
from warmer.embedding.fastembedder import load
from warmer.errors import WarmerError
from warmer_evals import EvalError
from warmer_evals.bench import collection, servers
from warmer_evals.bench.process import Process
from warmer_evals.cli import count

TOKENIZER = "bpe-openai==0.1.4"
_COUNT = """
import json, sys
from bpe_openai import get_encoding
encoding = get_encoding("o200k_base")
print(json.dumps([len(encoding.encode(text)) for text in json.load(sys.stdin)]))
"""
_SCORES = (9, 0, 4, 7, 1, 3, 0, 2, 8, 1, 0, 3, 2, 0, 5)
_TEXT, _STRUCTURED, _PEER = "warmer, as text", "warmer, as structured content", servers.PEER
_DECLARED, _SAID = "sent once: the tools' names, descriptions and arguments", "sent once: instructions"
_TEN, _OWN = "search, 10 hits", "of these, the hits' own texts"
_FIRST = "search, 15 hits"
_CALL = "scores of these"
_ROUND = "give_feedback: 15 new hits, 15 ranked"
_READ = "two of them read whole"
_LOOP = "the loop: search, scores, 15 new hits, two read whole"
_ROWS = (_DECLARED, _SAID, _TEN, _OWN, _FIRST, _CALL, _ROUND, _READ, _LOOP)

Texts = dict[tuple[str, str], list[str]]  # (row, column) -> what was sent, an entry a query


def main(arguments: Sequence[str] | None = None) -> None:
    """Run; exits with status 1 and one line on stderr for what a user can mend."""
    asked = _parser().parse_args(arguments)
    try:
        _counted({""}, asked.tokenizer)  # one that cannot count is named before the work
        texts = _gather(asked)
        tokens = _counted({text for sent in texts.values() for text in sent}, asked.tokenizer)
        asked.out.parent.mkdir(parents=True, exist_ok=True)
        asked.out.write_text(_page(asked, texts, tokens), encoding="utf-8")
    except WarmerError as error:
        sys.exit(f"tokens: {error}")
    sys.stdout.write(f"{asked.out}\n")


def _gather(asked: argparse.Namespace) -> Texts:
    """Run the loop for each query, and keep all that goes to a language model or comes from it."""
    work = asked.work / f"{asked.dataset.resolve().name}-{asked.points}"
    collection.make(asked.dataset, asked.points, work / "data", load())
    queries = collection.queries(asked.dataset)[: asked.queries]
    texts: Texts = {}
    ours = servers.warmer(work / "data")
    with Process(ours.command, ours.environment, work / "tokens.log") as process:
        for column in (_TEXT, _STRUCTURED):
            texts[_DECLARED, column] = [_declared(process)]
            texts[_SAID, column] = [process.instructions]
        for query in queries:
            _loop(process, query, texts)
    if asked.peer:
        theirs = servers.peer(asked.peer, work / "data", work)
        with Process(theirs.command, theirs.environment, work / "tokens.log") as process:
            texts[_DECLARED, _PEER] = [_declared(process)]
            texts[_SAID, _PEER] = [process.instructions]
            for query in queries:
                reply = process.call(theirs.tool, theirs.arguments(query))
                _add(texts, _TEN, _PEER, _said(reply))
                _add(texts, _OWN, _PEER, "".join(theirs.texts(reply) if theirs.texts else []))
    return texts


def _loop(process: Process, query: str, texts: Texts) -> None:
    ten = process.call("search", {"query": query, "limit": 10})
    _both(texts, _TEN, ten)
    own = "".join(hit["text"] for hit in ten["structuredContent"]["hits"])
    for column in (_TEXT, _STRUCTURED):
        _add(texts, _OWN, column, own)
    reply = process.call("search", {"query": query})
    _both(texts, _FIRST, reply)
    content = reply["structuredContent"]
    scores = {str(hit["hit"]): score for hit, score in zip(content["hits"], _SCORES, strict=False)}
    arguments = {"search_id": content["search_id"], "scores": scores}
    for column in (_TEXT, _STRUCTURED):
        _add(texts, _CALL, column, json.dumps(arguments))
    _both(texts, _ROUND, process.call("give_feedback", arguments))
    best = sorted(scores, key=lambda hit: -scores[hit])[:2]
    _both(texts, _READ, process.call("search", {"search_id": content["search_id"], "read": [int(hit) for hit in best]}))
    for column in (_TEXT, _STRUCTURED):
        _add(texts, _LOOP, column, "\n".join(texts[row, column][-1] for row in (_FIRST, _CALL, _ROUND, _READ)))


def _both(texts: Texts, row: str, reply: dict[str, Any]) -> None:
    """Keep both forms of a reply; a client shows its model one of them."""
    _add(texts, row, _TEXT, _said(reply))
    _add(texts, row, _STRUCTURED, _compact(reply["structuredContent"]))


def _add(texts: Texts, row: str, column: str, text: str) -> None:
    texts.setdefault((row, column), []).append(text)


def _said(reply: dict[str, Any]) -> str:
    return "\n".join(block["text"] for block in reply["content"])


def _declared(process: Process) -> str:
    """Write the tools as a client gives them to a model, without the schemas of what they answer."""
    told = ({name: tool.get(name) for name in ("name", "description", "inputSchema")} for tool in process.tools())
    return _compact(list(told))


def _compact(value: Any) -> str:  # noqa: ANN401  any JSON
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _counted(texts: set[str], python: str) -> dict[str, int]:
    """Count the tokens of each text; nothing without a tokenizer.

    Raises:
        EvalError: There is none in the environment that is named.
    """
    if not python:
        return {}
    ordered = sorted(texts)
    done = subprocess.run(  # noqa: S603
        [python, "-c", _COUNT],
        input=json.dumps(ordered),
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": ""},
    )
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["nothing"])[-1]
        raise EvalError(f"{python} cannot count tokens ({said}): {python} -m pip install {TOKENIZER}")
    return dict(zip(ordered, json.loads(done.stdout), strict=True))


def _page(asked: argparse.Namespace, texts: Texts, tokens: dict[str, int]) -> str:
    columns = [column for column in (_TEXT, _STRUCTURED, _PEER) if any(of == column for _, of in texts)]
    rows = [" | ".join([row, *(_cell(texts.get((row, column), []), tokens) for column in columns)]) for row in _ROWS]
    counted = f"and after the stroke in tokens (o200k_base, by {TOKENIZER}; for other models an estimate)."
    return "\n".join(
        [
            "# What a loop costs a language model",
            "",
            f"`python -m warmer_evals.tokens` wrote this, with warmer {__version__}: medians over "
            f"{asked.queries} queries of {asked.dataset.resolve().name}",
            f"on a collection of {asked.points:,} passages, in characters{',' if tokens else '.'}",
            *([counted] if tokens else []),
            "Clients show their model a reply as text or as structured content, not both.",
            "",
            f"| | {' | '.join(columns)} |",
            f"| --- |{' --- |' * len(columns)}",
            *(f"| {row} |" for row in rows),
            "",
        ]
    )


def _cell(sent: list[str], tokens: dict[str, int]) -> str:
    if not sent:
        return ""
    counted = f" / {median(tokens[text] for text in sent):,.0f}" if tokens else ""
    return f"{median(map(len, sent)):,.0f}{counted}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m warmer_evals.tokens", description="Count what a loop costs.")
    parser.add_argument("dataset", type=Path, metavar="DATASET", help="folder in BEIR layout")
    parser.add_argument("--points", type=count, default=10_000, metavar="N", help="passages (default: %(default)s)")
    parser.add_argument("--queries", type=count, default=50, metavar="N", help="default: %(default)s")
    parser.add_argument("--peer", default="", metavar="PYTHON", help="of an environment with mcp-server-qdrant")
    parser.add_argument("--tokenizer", default="", metavar="PYTHON", help=f"of an environment with {TOKENIZER}")
    parser.add_argument(
        "--work",
        type=Path,
        default=user_cache_path("warmer", appauthor=False) / "bench",
        metavar="DIR",
        help="where the collection is kept for the next run (default: %(default)s)",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("evals/results/tokens.md"), metavar="FILE", help="default: %(default)s"
    )
    return parser


if __name__ == "__main__":
    main()
