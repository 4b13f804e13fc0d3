"""Start, answers, memory and replies of each server, over stdio."""

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
_SCORES = {"1": 9, "2": 0, "3": 4, "4": 7, "5": 1}
_MODEL_REPOSITORY = "Qdrant/all-MiniLM-L6-v2-onnx"  # what FastEmbed calls the peer's default model
_REVISION = "0" * 40


@dataclass(frozen=True, slots=True)
class Server:
    """How to start a server and how to search with it; `texts` finds the passages in a reply."""

    name: str
    command: Sequence[str]
    tool: str
    arguments: Callable[[str], dict[str, Any]]
    environment: Mapping[str, str] = field(default_factory=dict)
    texts: Callable[[dict[str, Any]], list[str]] | None = None


def warmer(data_dir: Path) -> Server:
    """Describe our own server, with all its defaults."""
    return Server(
        WARMER,
        [sys.executable, "-m", "warmer_server.cli", "serve"],
        "search",
        lambda query: {"query": query, "limit": _HITS},
        {"WARMER_DATA_DIR": str(data_dir)},
        lambda result: [hit["text"] for hit in result["structuredContent"]["hits"]],
    )


def floor(data_dir: Path) -> Server:
    """Describe the least that could serve."""
    weights = minilm.weights()
    files = collection.shard(data_dir), weights.model, weights.folder / "tokenizer.json"
    command = [sys.executable, str(_HERE / "floor.py"), *map(str, files)]
    return Server(FLOOR, command, "search", lambda query: {"query": query, "limit": _HITS})


def peer(python: str, data_dir: Path, work: Path) -> Server:
    """Describe mcp-server-qdrant in an environment of its own, with the same passages, vectors and weights.

    Raises:
        EvalError: It is not installed there.
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
        "FASTEMBED_CACHE_PATH": str(_cache(work / "models")),
        "HF_HUB_OFFLINE": "1",
        "PYTHONPATH": "",
    }
    return Server(PEER, [str(program)], "qdrant-find", lambda query: {"query": query}, environment, _entries)


def _entries(result: dict[str, Any]) -> list[str]:
    return re.findall(r"<content>(.*?)</content>", _spoken(result), re.DOTALL)


def _spoken(result: dict[str, Any]) -> str:
    return "".join(block["text"] for block in result["content"])


def _cache(folder: Path) -> Path:
    """Lay out the built-in weights as FastEmbed's cache has them, so that the peer loads them as its default model."""
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


def measure(servers: Sequence[Server], queries: Sequence[str], *, starts: int, calls: int, work: Path) -> list[Row]:
    """Measure all servers, taking turns, so that none has the quiet minutes.

    Args:
        servers: What is measured.
        queries: What is searched for, over and over.
        starts: How often each is started.
        calls: How often each is asked.
        work: Folder for their logs.
    """
    handshake, first = Row("spawn to the reply to initialize", "s"), Row("spawn to the first search result", "s")
    search, feedback = Row("search, warm", "ms"), Row("give_feedback, 5 scores, warm", "ms")
    memory, reply = (
        Row("resident memory after the first search", "MB"),
        Row("reply of 10 hits, beside texts", "characters"),
    )
    structured = Row("the same reply as structured content", "characters")

    def note(row: Row, server: Server, value: float | None) -> None:
        if value is not None:
            row.values.setdefault(server.name, []).append(value)

    for _ in range(starts):
        for server in servers:
            with Process(server.command, server.environment, work / f"{server.name}.log") as process:
                process.call(server.tool, server.arguments(queries[0]))
                note(first, server, perf_counter() - process.spawned)
                note(handshake, server, process.handshake)
                note(memory, server, process.memory)
    for server in servers:
        with Process(server.command, server.environment, work / f"{server.name}.log") as process:
            process.call(server.tool, server.arguments("to load the model"))
            for call in range(calls):
                query = f"{queries[call % len(queries)]} {call}"
                begun = perf_counter()
                result = process.call(server.tool, server.arguments(query))
                note(search, server, 1000 * (perf_counter() - begun))
                if server.texts:
                    own = sum(map(len, server.texts(result)))
                    note(reply, server, len(_spoken(result)) - own)
                    if found := result.get("structuredContent"):
                        said = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
                        note(structured, server, len(said) - own)
                if server.name == WARMER:
                    arguments = {"search_id": result["structuredContent"]["search_id"], "scores": _SCORES}
                    begun = perf_counter()
                    process.call("give_feedback", arguments)
                    note(feedback, server, 1000 * (perf_counter() - begun))
    return [handshake, first, search, feedback, memory, reply, structured]
