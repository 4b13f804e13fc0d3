"""Try SDKs and coding agents, and write their tables: `python -m clients.sdks docs/clients.md [WORK]`.

Each SDK is in an environment of its own in WORK, made with pip; the agents are installed by npm, and have a home of
their own, where `warmer setup` writes their configuration.
"""

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from command import run_check
from http_server import environment_of

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PATH = os.pathsep.join(str(ROOT / part) for part in ("retrieval", "tools", "server", "evals"))
TESTS = HERE.parents[1]
WARMER = [sys.executable, "-m", "warmer_server.cli"]
SDKS: dict[str, list[str]] = {
    "google_genai": ["google-genai==3.6.1", "mcp==2.3.0"],
    "openai_agents": ["openai-agents==0.24.0"],
    "langchain": ["langchain-mcp-adapters==0.3.2", "langchain-google-genai==4.4.3", "langchain-openai==1.7.4"],
    "pydantic_ai": ["pydantic-ai-slim[mcp]==2.68.0"],
    "llama_index": ["llama-index-tools-mcp==0.6.0"],
    "smolagents": ["smolagents[mcp]==1.26.0", "mcp[ws]==1.30.0"],
}
AGENTS = {  # client of `warmer setup`: package, command, and what its list of servers says of one that answers
    "claude-code": ("@anthropic-ai/claude-code@2.1.197", "claude", "Connected"),
    "codex": ("@openai/codex@0.171.0", "codex", "enabled"),
    "gemini": ("@google/gemini-cli@0.61.0", "gemini", "Connected"),
    "opencode": ("opencode-ai@1.18.33", "opencode", "connected"),
}
COLUMNS = ("search", "schema", "null", "defaults", "additions", "scores", "refusal", "nothing")
BLOCK = re.compile(r"(<!-- sdks -->\n).*(<!-- /sdks -->)", re.DOTALL)


def main(page: Path, work: Path) -> None:
    """Try all and write the tables; exit with status 1 if anything failed."""
    data = work / "data"
    index = [*WARMER, "index", str(ROOT / "README.md"), str(ROOT / "docs"), "--collection", "docs"]
    subprocess.run(index, env=environment_of(data), check=True)
    rows, failed = [], False
    for name, packages in SDKS.items():
        told = drive(name, packages, work, data)
        cells = [outcome(told["told"], column) for column in COLUMNS]
        failed |= set(cells) != {"yes"}
        rows.append(f"| {' | '.join([packages[0].partition('=')[0].partition('[')[0], told['version'], *cells])} |")
        sys.stderr.write(rows[-1] + "\n")
    agents = []
    for client, (package, command, wanted) in AGENTS.items():
        said = list_servers(client, package, command, work, data)
        failed |= wanted not in said
        name, _, number = package.rpartition("@")
        agents.append(f"| `{name}` | {number} | {wanted.lower() if wanted in said else 'fails: ' + said[-200:]} |")
        sys.stderr.write(agents[-1] + "\n")
    table = PAGE.format(when=f"{datetime.now(UTC):%Y-%m-%d}", rows="\n".join(rows), agents="\n".join(agents))
    text = page.read_text(encoding="utf-8")
    page.write_text(BLOCK.sub(lambda found: found[1] + table + found[2], text), encoding="utf-8")
    sys.exit(failed)


def drive(name: str, packages: list[str], work: Path, data: Path) -> dict[str, Any]:
    """Run the script of an SDK in its environment."""
    python = work / name / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", work / name], check=True)
        plain = {name: value for name, value in os.environ.items() if name not in {"PIP_CONSTRAINT", "PYTHONPATH"}}
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True, env=plain)
    environment = {"WARMER_DATA_DIR": str(data), "PYTHONPATH": PATH, "PATH": os.environ["PATH"]}
    server = json.dumps({"command": [*WARMER, "serve"], "env": environment})
    done = subprocess.run(
        [python, HERE / f"drive_{name}.py", server, TESTS],
        cwd=work,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        return {"version": "?", "told": {"search": done.stderr[-200:] or "?"}}
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def outcome(told: dict[str, str], column: str) -> str:
    """Say how one kind of call went."""
    kept = {name: problem for name, problem in told.items() if name.partition(",")[0] == column}
    wrong = [f"{name.partition(', ')[2]} {problem}".strip() for name, problem in kept.items() if problem]
    return "; ".join(wrong).replace("|", "/").replace("\n", " ")[:200] or ("yes" if kept else "not tried")


def list_servers(client: str, package: str, command: str, work: Path, data: Path) -> str:
    """Have `warmer setup` write the configuration of a coding agent, and return its own list of servers."""
    home, folder = work / "home", work / command
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "package.json").exists():
        (folder / "package.json").write_text('{"private": true}')
        npm = ["npm", "install", "--silent", "--no-fund", "--no-audit", package]
        subprocess.run(npm, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    (home / ".gemini").mkdir(parents=True, exist_ok=True)
    (home / ".gemini" / "trustedFolders.json").write_text(json.dumps({str(home): "TRUST_FOLDER"}))
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "WARMER_DATA_DIR": str(data), "NO_COLOR": "1"}
    subprocess.run([*WARMER, "setup", client, "--write"], env={**environment, "PYTHONPATH": PATH}, check=True)
    listed = subprocess.run(
        [folder / "node_modules" / ".bin" / command, "mcp", "list"],
        cwd=home,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
        stdin=subprocess.DEVNULL,
    )
    return " ".join((listed.stdout + listed.stderr).split()).replace("|", "/")


PAGE = (HERE / "tables.md").read_text(encoding="utf-8")

if __name__ == "__main__":
    run_check(main, "sdks")
