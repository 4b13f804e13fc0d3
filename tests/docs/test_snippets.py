"""Run the snippets of README and docs."""

import json
import os
import re
import shlex
import stat
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from qdrant_server import QdrantServer
from snippets import ALL, KINDS, MADE, NOT_RUN, ROOT, Block

import warmer
import warmer_evals
import warmer_server
import warmer_tools
from warmer.embedding.fastembedder import load
from warmer.embedding.retrievers import load_retriever
from warmer.index.external_texts import load_texts
from warmer.judges import checked_scores, load_judge
from warmer_evals.cli import make_parser as evals_parser
from warmer_server.cli import make_parser
from warmer_server.settings import Settings

RUN = [block for block in ALL if not block.reason and block.text.strip() not in MADE]
SETTINGS = {str(field.validation_alias) for field in Settings.model_fields.values()}
COMPOSE_VARIABLES = {
    name for file in (ROOT / "docs" / "compose").glob("*.yaml") for name in re.findall(r"\$\{(\w+)", file.read_text())
}
PACKAGE_PATHS = ":".join(
    str(Path(str(package.__file__)).parents[1]) for package in (warmer, warmer_tools, warmer_server, warmer_evals)
)
SERVER = "http://localhost:6333"


def test_every_block_has_a_known_language() -> None:
    assert [str(block) for block in RUN if block.language not in KINDS] == []
    assert {block.reason for block in ALL if block.reason} == NOT_RUN
    assert {block.text.strip() for block in ALL if block.page.name == "README.md" and not block.language} == MADE


def test_variables_in_shell_blocks_are_settings() -> None:
    named = {
        name: str(block)
        for block in ALL
        if block.language == "sh"
        for name in re.findall(r"(?:^|\s)([A-Z][A-Z_]+)=", block.text)
    }
    assert {
        name: where for name, where in named.items() if name not in SETTINGS | COMPOSE_VARIABLES | {"PYTHONPATH"}
    } == {}


SHELL = [block for block in ALL if block.language == "sh" and "warmer" in block.text]
COMMANDS = {"warmer": make_parser(), "warmer-evals": evals_parser()}


@pytest.mark.parametrize("block", SHELL, ids=str)
def test_commands_are_valid(block: Block) -> None:
    """Includes blocks that are not run."""
    for line in block.text.replace("\\\n", "").splitlines():
        words = shlex.split(re.split(" >>? ", _without_venv(line))[0], comments=True)
        if words[:1] == ["uvx"]:
            words = words[3:]
        while words and "=" in words[0]:
            words = words[1:]
        if words and words[0] in COMMANDS:
            COMMANDS[words[0]].parse_args(words[1:])


@pytest.mark.parametrize("block", [block for block in ALL if block.language == "json"], ids=str)
def test_json_blocks_are_valid_client_configurations(block: Block) -> None:
    raw: dict[str, Any] = json.loads(block.text)
    for key, needs in {"mcpServers": set(), "servers": {"type"}}.items():
        for server in raw.get(key, {}).values():
            if "url" in server:
                assert server.keys() == {"url", "headers"} | needs
                assert server.get("type", "http") == "http"
                assert server["headers"]["Authorization"].startswith("Bearer ${")
                continue
            assert server.keys() - {"env"} == {"command", "args"} | needs
            assert server.get("type", "stdio") == "stdio"
            assert Path(server["command"]).parts[-3:] == (".venv", "bin", "warmer")
            assert Path(server["command"]).is_absolute()
            assert server["args"] == ["serve"]
            assert server.get("env", {}).keys() <= SETTINGS


@pytest.fixture
def home(tmp_path: Path, made_once: Path) -> Path:
    """A folder as the docs assume it: commands in .venv, documents, queries, a collection `mine`."""
    data = tmp_path / ".local" / "share" / "warmer"
    data.parent.mkdir(parents=True)
    subprocess.run(["cp", "-r", made_once, data], check=True)
    (data / "collections" / "notes").rename(data / "collections" / "mine")
    documents = tmp_path / "path" / "to" / "docs"
    documents.mkdir(parents=True)
    (documents / "bread.md").write_text("# Bread\n\nKnead the dough.\n\n## Crust\n\nTrap the steam.\n")
    (documents / "boats.rst").write_text("Boats\n=====\n\nReef early.\n")
    words = ("bread", "boats", "code", "garden", "stars", "data")
    (tmp_path / "queries.txt").write_text("".join(f"{how} {word}\n" for how in ("how", "why") for word in words))
    python = f'PYTHONPATH="$PYTHONPATH:{PACKAGE_PATHS}" exec {sys.executable}'
    _command(tmp_path, "warmer", f'{python} -m warmer_server.cli "$@"')
    _command(tmp_path, "python", f'{python} "$@"')
    # Stands in for Claude Code: it starts the added server, which ends as its stdin is empty.
    add_variables = 'shift 5; while [ "$1" = --env ]; do export "$2"; shift 2; done'
    start = '[ "$1" = -- ] && shift && exec "$@" </dev/null'
    _command(
        tmp_path, "claude", f'[ "$1 $2 $3 $4 $5" = "mcp add --scope user warmer" ] || exit 2; {add_variables}; {start}'
    )
    return tmp_path


def _command(folder: Path, name: str, script: str) -> None:
    file = folder / ".venv" / "bin" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


def _script(page: Sequence[Block], folder: Path) -> Iterator[str]:
    """Turn the blocks of a page into one shell script; named blocks become files.

    Lines that are on an earlier page are left out.
    """
    before = [block for block in RUN if block.language == "sh" and block.page.name < page[0].page.name]
    earlier = {_without_venv(line) for block in before for line in block.text.splitlines()}
    for block in page:
        yield f'echo "in {block}" >&2'
        if block.name:
            (folder / block.name).write_text(block.text)
        if block.language == "python":
            name = block.name or f"snippet{block.line}.py"
            (folder / name).write_text(block.text)
            yield f"python {name}"
        elif block.language == "sh":
            yield from (line for line in block.text.splitlines() if _without_venv(line) not in earlier)


def _without_venv(line: str) -> str:
    return line.replace(".venv/bin/", "")


@pytest.mark.parametrize("name", sorted({block.page.name for block in RUN if block.language in {"sh", "python"}}))
def test_a_page_runs_from_top_to_bottom(name: str, home: Path) -> None:
    """In one shell, as a reader would type it."""
    page = [block for block in RUN if block.page.name == name]
    script = "\n".join(["set -euo pipefail", *_script(page, home)])
    kept = {name: os.environ[name] for name in ("LANG", "LD_LIBRARY_PATH") if name in os.environ}
    environment = {**kept, "HOME": str(home), "PATH": f"{home}/.venv/bin:/usr/bin:/bin", "PYTHONPATH": ""}
    with QdrantServer() as server:
        done = subprocess.run(
            ["bash", "-c", script.replace(SERVER, server.url)],
            cwd=home,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    assert done.returncode == 0, done.stdout + done.stderr


def test_classes_in_the_docs_can_be_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for block in ALL:
        if block.page.name == "own.md" and block.name:
            (tmp_path / block.name).write_text(block.text)
    monkeypatch.syspath_prepend(tmp_path)
    judge = load_judge("judges:Longest")
    assert checked_scores(judge, "q", ["x" * 200, "x" * 9000]) == [2, 10]
    retriever = load_retriever("retrievers:Retriever", load)
    assert (retriever.name, retriever.dim) == ("our-model-v2", 9)
    assert load_texts("texts:Texts").texts([{"id": "7", "payload": {}}]) == ["text of 7"]


@pytest.mark.parametrize("target", sorted(MADE))
def test_the_makefile_has_the_targets_of_the_readme(target: str) -> None:
    subprocess.run([*target.split(), "--dry-run"], cwd=ROOT, check=True, capture_output=True)
