"""Startup time, latency, memory and size of replies of each server, over stdio."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

from warmer.embedding import minilm
from warmer_evals import EvalError
from warmer_evals.bench import Row, collection
from warmer_evals.bench.process import Process

WARMER, PEER, FLOOR = "warmer", "mcp-server-qdrant", "floor"
_HERE = Path(__file__).parent
_HITS = 10
SCORES = {"1": 9, "2": 0, "3": 4, "4": 7, "5": 1}
_MODEL_REPOSITORY = "Qdrant/all-MiniLM-L6-v2-onnx"  # of the peer's default model in FastEmbed
_REVISION = "0" * 40


@dataclass(frozen=True, slots=True)
class Server:
    """How to start a server and search with it; `texts` extracts the passages from a reply."""

    name: str
    command: Sequence[str]
    tool: str
    arguments: Callable[[str], dict[str, Any]]
    environment: Mapping[str, str] = field(default_factory=dict)
    texts: Callable[[dict[str, Any]], list[str]] | None = None


def warmer(data_dir: Path) -> Server:
    """Describe our own server with its default settings."""
    return Server(
        WARMER,
        [sys.executable, "-m", "warmer_server.cli", "serve"],
        "search",
        lambda query: {"query": query, "limit": _HITS},
        {"WARMER_DATA_DIR": str(data_dir)},
        lambda result: [hit["text"] for hit in result["structuredContent"]["hits"]],
    )


def floor(data_dir: Path) -> Server:
    """Describe the minimal server of `floor.py`."""
    weights = minilm.weights()
    files = collection.shard(data_dir), weights.model, weights.folder / "tokenizer.json"
    command = [sys.executable, str(_HERE / "floor.py"), *map(str, files)]
    return Server(FLOOR, command, "search", lambda query: {"query": query, "limit": _HITS})


def peer(python: str, data_dir: Path, work: Path) -> Server:
    """Describe mcp-server-qdrant in its own environment, with the same passages, vectors and weights.

    Raises:
        EvalError: It is not installed in that environment.
    """
    program = Path(python).parent / PEER
    if not program.is_file():
        raise EvalError(f"there is no {program}: {python} -m pip install {PEER}==0.8.1, or leave out --peer")
    storage = data_dir / "peer"
    if not (storage / "full").exists():
        shutil.rmtree(storage, ignore_errors=True)
        passages, vectors = work / "passages.jsonl", work / "vectors.npy"
        collection.export(data_dir, passages, vectors)
        script = [python, str(_HERE / "peer_fill.py"), str(passages), str(vectors), str(storage), collection.NAME]
        subprocess.run(script, check=True, env=os.environ | {"PYTHONPATH": ""})  # noqa: S603
        (storage / "full").touch()
    environment = {
        "QDRANT_LOCAL_PATH": str(storage),
        "COLLECTION_NAME": collection.NAME,
        "FASTEMBED_CACHE_PATH": str(_fastembed_cache(work / "models")),
        "HF_HUB_OFFLINE": "1",
        "PYTHONPATH": "",
    }
    return Server(PEER, [str(program)], "qdrant-find", lambda query: {"query": query}, environment, _peer_texts)


def _peer_texts(result: dict[str, Any]) -> list[str]:
    return re.findall(r"<content>(.*?)</content>", _reply_text(result), re.DOTALL)


def _reply_text(result: dict[str, Any]) -> str:
    return "".join(block["text"] for block in result["content"])


def _fastembed_cache(folder: Path) -> Path:
    """Lay out the built-in weights as a FastEmbed cache, so that the peer loads them as its default model."""
    weights = minilm.weights()
    repository = folder / f"models--{_MODEL_REPOSITORY.replace('/', '--')}"
    snapshot = repository / "snapshots" / _REVISION
    snapshot.mkdir(parents=True, exist_ok=True)
    (repository / "refs").mkdir(exist_ok=True)
    (repository / "refs" / "main").write_text(_REVISION, encoding="ascii")
    (snapshot / "model.onnx").write_bytes(weights.model.read_bytes())
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (snapshot / name).write_bytes((weights.folder / name).read_bytes())
    for name in ("config.json", "special_tokens_map.json"):
        (snapshot / name).write_text("{}", encoding="ascii")
    return folder


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of the report, in its order."""

    handshake: Row = field(default_factory=lambda: Row("spawn to the reply to initialize", "s"))
    first: Row = field(default_factory=lambda: Row("spawn to the first search result", "s"))
    search: Row = field(default_factory=lambda: Row("search, warm", "ms"))
    worded: Row = field(default_factory=lambda: Row("search with two rewordings and a passage, warm", "ms"))
    feedback: Row = field(default_factory=lambda: Row("give_feedback, 5 scores, warm", "ms"))
    memory: Row = field(default_factory=lambda: Row("resident memory after the first search", "MB"))
    reply: Row = field(default_factory=lambda: Row("reply of 10 hits, beside texts", "characters"))
    structured: Row = field(default_factory=lambda: Row("the same reply as structured content", "characters"))


def measure(servers: Sequence[Server], queries: Sequence[str], *, starts: int, calls: int, work: Path) -> list[Row]:
    """Measure all servers; starts alternate between them, so that none has all the quiet minutes.

    Args:
        servers: The servers.
        queries: Queries, used in turn.
        starts: How often to start each server.
        calls: How many searches to make with each.
        work: Folder for their logs.
    """
    rows = _Rows()
    for _ in range(starts):
        for server in servers:
            _measure_start(rows, server, queries[0], work)
    for server in servers:
        _measure_calls(rows, server, queries, calls, work)
    return [
        rows.handshake,
        rows.first,
        rows.search,
        rows.worded,
        rows.feedback,
        rows.memory,
        rows.reply,
        rows.structured,
    ]


def _measure_start(rows: _Rows, server: Server, query: str, work: Path) -> None:
    with Process(server.command, server.environment, work / f"{server.name}.log") as process:
        process.call(server.tool, server.arguments(query))
        _add(rows.first, server, perf_counter() - process.spawned)
        _add(rows.handshake, server, process.handshake)
        _add(rows.memory, server, process.memory)


def _measure_calls(rows: _Rows, server: Server, queries: Sequence[str], calls: int, work: Path) -> None:
    with Process(server.command, server.environment, work / f"{server.name}.log") as process:
        process.call(server.tool, server.arguments("to load the model"))
        for call in range(calls):
            query = f"{queries[call % len(queries)]} {call}"
            started = perf_counter()
            result = process.call(server.tool, server.arguments(query))
            _add(rows.search, server, 1000 * (perf_counter() - started))
            _measure_reply(rows, server, result)
            if server.name == WARMER:
                started = perf_counter()
                process.call(server.tool, worded(server.arguments(f"{query} so"), queries, call))
                _add(rows.worded, server, 1000 * (perf_counter() - started))
                arguments = {"search_id": result["structuredContent"]["search_id"], "scores": SCORES}
                started = perf_counter()
                process.call("give_feedback", arguments)
                _add(rows.feedback, server, 1000 * (perf_counter() - started))


def worded(arguments: Mapping[str, Any], queries: Sequence[str], call: int) -> dict[str, Any]:
    """Add two other wordings and a passage of some sixty words, none of which was sent before: vectors are kept."""
    others = [f"{queries[(call + n) % len(queries)]} {call}" for n in range(1, 9)]
    return {**arguments, "rewordings": others[:2], "hypothetical_passage": ". ".join(others[2:])}


def _measure_reply(rows: _Rows, server: Server, result: dict[str, Any]) -> None:
    """Count the characters of a reply without those of its passages."""
    if not server.texts:
        return
    passages = sum(map(len, server.texts(result)))
    _add(rows.reply, server, len(_reply_text(result)) - passages)
    if content := result.get("structuredContent"):
        serialised = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        _add(rows.structured, server, len(serialised) - passages)


def _add(row: Row, server: Server, value: float | None) -> None:
    if value is not None:
        row.values.setdefault(server.name, []).append(value)
