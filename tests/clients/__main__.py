"""Test each client on both transports and write the table: `python -m clients docs/clients.md [WORK]`.

The environments of the clients are made in WORK, with pip and this machine's install_npm.
"""

import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from command import run_check
from environment import forget_settings
from http_server import environment_of, serving

from clients import inspector

NODE, INSPECTORS = "22.23.3", ("0.15.0", "2.12.0")
TYPESCRIPT = {"@modelcontextprotocol/sdk": "1.32.2", "@modelcontextprotocol/client": "2.4.0"}
PYTHON_1 = "1.30.0"
QUERY, COLLECTION, TOKEN = "How do I make a token?", "docs", "ann"
HERE = Path(__file__).parent
ROOT = HERE.parent.parent
SDKS = re.compile(r"<!-- sdks -->.*<!-- /sdks -->", re.DOTALL)  # what `make sdks` writes
SERVE = [sys.executable, "-m", "warmer_server.cli", "serve"]

Server = dict[str, Any]


@dataclass(frozen=True)
class Client:
    """A client in an environment of its own; `era` is the protocol to use, as the client names it."""

    name: str
    runtime: str
    era: str
    drive: Callable[[Server, dict[str, str]], dict[str, Any]]


def main(table: Path, work: Path) -> None:
    """Test all clients and write the table; exit with status 1 if anything failed."""
    forget_settings()
    data = work / "data"
    index = [sys.executable, "-m", "warmer_server.cli", "index", str(ROOT / "README.md"), str(ROOT / "docs")]
    subprocess.run([*index, "--collection", COLLECTION], env=environment_of(data), check=True)
    rows, failed = [], False
    with servers(work, data) as (stdio, http):
        for client in clients(work):
            said = {name: run_client(client, server) for name, server in (("stdio", stdio), ("HTTP", http))}
            protocols = ", ".join(sorted({protocol for protocol, _ in said.values()}))
            outcomes = [problem or "works" for _, problem in said.values()]
            rows.append(f"| {' | '.join([client.name, client.runtime, protocols, *outcomes])} |")
            failed |= any(problem for _, problem in said.values())
            sys.stderr.write(rows[-1] + "\n")
    text = PAGE.format(rows="\n".join(rows), when=f"{datetime.now(UTC):%Y-%m-%d}")
    kept = SDKS.search(table.read_text(encoding="utf-8")) if table.exists() else None
    table.write_text(SDKS.sub(lambda empty: kept[0] if kept else empty[0], text), encoding="utf-8")
    sys.exit(failed)


@contextmanager
def servers(work: Path, data: Path) -> Iterator[tuple[Server, Server]]:
    """Yield how to start a server over stdio, and how to reach one over HTTP with a token."""
    made = subprocess.run([*SERVE[:-1], "token", TOKEN], capture_output=True, text=True, check=True)
    (work / "tokens").write_text(made.stdout)
    secret = next(word for word in made.stderr.split() if word.startswith("wt_"))
    path = os.pathsep.join([str(ROOT / part) for part in ("retrieval", "tools", "server", "evals")])
    stdio = {"command": SERVE, "env": {"WARMER_DATA_DIR": str(data), "PYTHONPATH": path}}
    guarded = environment_of(data, WARMER_TOKENS_FILE=str(work / "tokens"))
    with serving(guarded) as server, serving(environment_of(data)) as unguarded:
        headers = {"Authorization": f"Bearer {secret}"}
        yield stdio, {"url": server.url, "headers": headers, "unguarded": unguarded.url}


def clients(work: Path) -> Iterator[Client]:
    """Yield the clients, each once its environment is made."""
    system = {"Linux": "linux", "Darwin": "darwin"}[platform.system()]
    machine = {"x86_64": "x64", "arm64": "arm64", "aarch64": "arm64"}[platform.machine()]
    named = f"node-{system}-{machine}"
    node = install_npm(work / "node", f"{named}@{NODE}") / named / "bin" / "node"
    for number in INSPECTORS:
        bin_ = (
            install_npm(work / f"inspector-{number}", f"@modelcontextprotocol/inspector@{number}")
            / ".bin"
            / "mcp-inspector"
        )
        for era in ("legacy", "modern") if number.startswith("2") else ("old",):
            command = [str(node), str(bin_)]
            yield Client(f"Inspector {number}, command line", f"Node {NODE}", era, drive_inspector(command))
    for package, number in TYPESCRIPT.items():
        folder = install_npm(work / package.rpartition("/")[2], f"{package}@{number}").parent
        for era in ("1.x",) if number.startswith("1") else ("legacy", "auto"):
            yield Client(
                f"`{package}` {number}", f"Node {NODE}", era, drive_script([node, HERE / "typescript.mjs"], folder)
            )
    old = work / "python-1" / "bin" / "python"
    if not old.exists():
        subprocess.run([sys.executable, "-m", "venv", work / "python-1"], check=True)
    plain = {name: value for name, value in os.environ.items() if name not in {"PIP_CONSTRAINT", "PYTHONPATH"}}
    subprocess.run([old, "-m", "pip", "install", "--quiet", f"mcp=={PYTHON_1}"], check=True, env=plain)
    python = f"Python {platform.python_version()}"
    yield Client(f"`mcp` {PYTHON_1}", python, "1.x", drive_script([old, HERE / "python_1.py"], work))
    for era in ("legacy", "auto"):
        yield Client(f"`mcp` {version('mcp')}", python, era, drive_script([sys.executable, HERE / "python_2.py"], work))


def run_client(client: Client, server: Server) -> tuple[str, str]:
    """Run a client and return the protocol it spoke, and what is wrong, if anything."""
    asked = {"query": QUERY, "collection": COLLECTION, "era": client.era}
    try:
        told = client.drive(server, asked)
    except (AssertionError, subprocess.SubprocessError, ValueError, KeyError) as error:
        return client.era, f"fails: {str(error)[-300:]}".replace("\n", " ").replace("|", "/")
    expected = {
        "tools": set(told["tools"]) >= {"search", "give_feedback"},
        "outcome": told["outcome"] == "steered",
        "resources": {"warmer://collections", f"warmer://collections/{COLLECTION}"} <= set(told["resources"]),
        "templates": told["templates"] == 3,
        "passage": told["passage"] == told["hit"],
        "prompts": told["prompts"] == ["research"],
        "prompt": QUERY in told["prompt"],
        "completion": told.get("completion", [COLLECTION]) == [COLLECTION],
    }
    wrong = [f"{name} {str(told[name])[:80]}" for name, right in expected.items() if not right]
    return told["protocol"], ", ".join(wrong)


def drive_inspector(command: list[str]) -> Callable[[Server, dict[str, str]], dict[str, Any]]:
    """Return the function that drives an Inspector."""
    return lambda server, asked: inspector.drive(command, server, asked)


def drive_script(command: list[str | Path], folder: Path) -> Callable[[Server, dict[str, str]], dict[str, Any]]:
    """Return the function that drives a client by a drive_script, run in a folder."""

    def drive(server: Server, asked: dict[str, str]) -> dict[str, Any]:
        done = subprocess.run(
            [*map(str, command), json.dumps(server), json.dumps(asked)],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode:
            raise AssertionError(done.stderr.strip())
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    return drive


def install_npm(folder: Path, *packages: str) -> Path:
    """Install install_npm packages into a folder and return its node_modules."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "package.json").exists():
        (folder / "package.json").write_text('{"private": true}')
        subprocess.run(
            ["npm", "install", "--silent", "--no-fund", "--no-audit", "--force", *packages],
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )
    return folder / "node_modules"


PAGE = (HERE / "page.md").read_text(encoding="utf-8")

if __name__ == "__main__":
    run_check(main, "clients")
