"""`python -m foreign TABLE [WORK]`: packages of others write collections, which are then read, steered and copied.

Each package writes by itself, from an environment of its own in WORK, into the server that QDRANT_URL names, or else
into the stand-in of the tests. Its embedding model is the default one here, behind OpenAI's API.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from command import run_check
from mcp import Client, StdioServerParameters
from qdrant_client import QdrantClient
from qdrant_server import QdrantServer
from support import ask

from foreign.passages import ANSWER, DOCUMENTS, QUERY, SOURCE
from warmer.embedding.fastembedder import load

PACKAGES = {
    "mcp-server-qdrant": "0.8.1",
    "langchain-qdrant": "1.1.0",
    "llama-index-vector-stores-qdrant": "0.10.4",
    "mem0ai": "2.2.0",
    "qdrant-haystack": "13.1.0",
}
HERE = Path(__file__).parent
WARMER = [sys.executable, "-m", "warmer_server.cli"]
COLUMNS = ("written by", "read", "source", "filtered", "steered", "around", "vectors", "copied")


def main(table: Path, work: Path) -> None:
    """Check all packages and write the table; exit with status 1 if anything failed."""
    given = os.environ.get("QDRANT_URL", "")
    rows: list[dict[str, str]] = []
    with serving_model() as openai, nullcontext() if given else QdrantServer() as stand_in:
        url = given or str(getattr(stand_in, "url", ""))
        for package, version in PACKAGES.items():
            name = f"foreign-{package}"
            row = {"written by": f"{package} {version}"}
            try:
                write(work, package, version, {"url": url, "name": name, "documents": DOCUMENTS, "openai": openai})
                row |= asyncio.run(read(url, name, work / "data"))
            except (AssertionError, subprocess.CalledProcessError) as error:
                row["read"] = f"fails: {getattr(error, 'stderr', None) or error}"[-300:].replace("\n", " ")
            finally:
                QdrantClient(url, check_compatibility=False).delete_collection(name)
            sys.stderr.write(f"{row}\n")
            rows.append(row)
    version = "" if given else ", a stand-in for which was used here"
    table.write_text(page(rows, version), encoding="utf-8")
    sys.exit(any(value.startswith("fails") or not value for row in rows for value in row.values()))


def write(work: Path, package: str, version: str, asked: Mapping[str, Any]) -> None:
    """Let a package write its collection."""
    environment = work / package
    python = environment / "bin" / "python"
    plain = {name: value for name, value in os.environ.items() if name not in {"PIP_CONSTRAINT", "PYTHONPATH"}}
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    if not (environment / "done").exists():
        pip = [str(python), "-m", "pip", "install", "--quiet", f"{package}=={version}"]
        subprocess.run(pip, check=True, env=plain)
        (environment / "done").touch()
    script = HERE / "writers" / f"write_{package.replace('-', '_')}.py"
    command = [str(python), str(script), json.dumps(asked)]
    own = plain | {"HOME": str(work)}
    subprocess.run(command, check=True, env=own, cwd=work, capture_output=True, text=True, timeout=300)


async def read(url: str, name: str, data: Path) -> dict[str, str]:
    """Search, filter, steer and copy a collection, by the command line and over MCP."""
    environment = {**os.environ, "QDRANT_URL": url, "COLLECTION_NAME": name, "WARMER_DATA_DIR": str(data)}
    status = run("status", environment=environment)
    row = {"vectors": next((line.split("cosine ")[1][:4] for line in status.splitlines() if "cosine " in line), "")}
    async with Client(StdioServerParameters(command=WARMER[0], args=[*WARMER[1:], "serve"], env=environment)) as client:
        row |= await asked(client)
    copied = run(
        "copy", name, "--from", url, "--to", "embedded", "--model", MODEL, "--replace", environment=environment
    )
    row["copied"] = "works" if "12 passages copied" in copied else f"fails: {copied}"
    there = {key: value for key, value in environment.items() if key != "QDRANT_URL"}
    async with Client(StdioServerParameters(command=WARMER[0], args=[*WARMER[1:], "serve"], env=there)) as client:
        again = await asked(client)
    same = {key: value for key, value in row.items() if key in again}
    row["copied"] = row["copied"] if again == same else f"fails: {again}"
    return {column: row[column] for column in COLUMNS[1:]}


async def asked(client: Client) -> dict[str, str]:
    """Ask for an answer, for those of one source, for better ones, and for what stands beside the first."""
    found = await ask(client, "search", query=QUERY, limit=4, detail="full")
    first = found["hits"][0]
    source = {"must": [{"key": "source", "match": {"value": first.get("source", "")}}]}
    of_source = await ask(client, "search", query=QUERY, filter=source, limit=12)
    sources = {hit.get("source") or SOURCE for hit in of_source["hits"]}
    scores = {str(hit["hit"]): 10 if hit["text"] == ANSWER else 1 for hit in found["hits"]}
    steered = await ask(client, "give_feedback", search_id=found["search_id"], scores=scores)
    beside = await ask(client, "search", search_id=found["search_id"], read=[first["hit"]], detail="around")
    before, after = (beside["hits"][0].get(side, "") for side in ("before", "after"))
    around = DOCUMENTS[SOURCE][0] in before and DOCUMENTS[SOURCE][2] in after
    return {
        "read": "works" if first["text"] == ANSWER else f"fails: {first['text']}",
        "source": "works" if first.get("source") == SOURCE else f"fails: {first.get('source')}",
        "filtered": "works" if sources == {SOURCE} and len(of_source["hits"]) == 4 else f"fails: {sources}",
        "steered": "works" if steered["outcome"] == "steered" else f"fails: {steered['outcome']}",
        "around": "works" if around else "order not stored",
    }


def run(*arguments: str, environment: Mapping[str, str]) -> str:
    """Run a command of Warmer's, and give all that it said."""
    done = subprocess.run([*WARMER, *arguments], env=environment, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    return done.stdout + done.stderr


MODEL = "sentence-transformers/all-MiniLM-L6-v2"


@contextmanager
def serving_model() -> Iterator[str]:
    """Serve the default model as OpenAI's API of embeddings, on 127.0.0.1."""
    embedder = load()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))["input"]
            texts = [asked] if isinstance(asked, str) else asked
            data = [
                {"object": "embedding", "index": n, "embedding": embedder.embed_query(text).tolist()}
                for n, text in enumerate(texts)
            ]
            usage = {"prompt_tokens": 1, "total_tokens": 1}
            body = json.dumps({"object": "list", "model": "m", "data": data, "usage": usage}).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
        server.shutdown()
        thread.join()


def page(rows: list[dict[str, str]], server: str) -> str:
    """Lay the outcomes out as a Markdown table."""
    lines = [f"| {' | '.join(row.get(column, '') for column in COLUMNS)} |" for row in rows]
    return "\n".join(
        [
            "# Collections that other packages write",
            "",
            f"Made by `make foreign`, which writes into the server that `QDRANT_URL` names{server}. Each",
            "package stores twelve passages of three documents by itself. Warmer reads them over MCP without any",
            "setting, filters by the source that it shows, steers, reads what stands beside a hit, and copies the",
            "collection to search it again. `vectors` is the mean cosine between stored vectors and those of the text.",
            "",
            f"| {' | '.join(COLUMNS)} |",
            f"|{' --- |' * len(COLUMNS)}",
            *lines,
            "",
        ]
    )


if __name__ == "__main__":
    run_check(main, "foreign")
