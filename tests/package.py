"""Build the package, check its contents and use it in an empty environment: `make package`.

Not part of the test suite, since it builds an environment; CI runs it after the tests.
"""

import os
import subprocess
import sys
import tarfile
import venv
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from zipfile import ZipFile

import anyio
from mcp import Client, StdioServerParameters

ROOT = Path(__file__).parents[1]
PACKAGES = {"warmer", "warmer_tools", "warmer_server", "warmer_evals"}
DATA = {
    "warmer/embedding/all-MiniLM-L6-v2/NOTICE",
    "warmer/embedding/all-MiniLM-L6-v2/graph-signed.onnx",
    "warmer/embedding/all-MiniLM-L6-v2/graph.onnx",
    "warmer/embedding/all-MiniLM-L6-v2/probe.onnx",
    "warmer/embedding/all-MiniLM-L6-v2/ranges.json",
    "warmer/embedding/all-MiniLM-L6-v2/tokenizer.json",
    "warmer/embedding/all-MiniLM-L6-v2/tokenizer_config.json",
    "warmer_evals/report/charts.html.j2",
    "warmer_evals/report/page.css",
    "warmer_evals/report/page.html.j2",
    "warmer_evals/report/page.js",
    "warmer_server/commands/demo_scores.json",
    *(f"{package}/py.typed" for package in PACKAGES),
}
LICENSES = {"LICENSE", "retrieval/warmer/embedding/all-MiniLM-L6-v2/NOTICE"}
SOURCES = {"retrieval", "tools", "server", "evals"}
FILES = {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "SECURITY.md", "constraints.txt", "PKG-INFO"}
USER = """\
from warmer.steering.params import Params
from warmer_evals.rounding import *
from warmer_server.destination import EMBEDDED
from warmer_tools.stopwatch import stage
c: str = Params().c
"""


def main() -> None:
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        built, source = build(folder / "built")
        say(f"built {built.name} and {source.name}")
        check_source(source)
        check_wheel(built)
        assert contents(built) == contents(build_from_sdist(source, folder / "rebuilt")), (
            "the sdist builds another wheel"
        )
        say("the sdist builds the same wheel")
        home = install(built, folder / "environment")
        say("installed into an empty environment")
        check_loop(home, folder)
        say("the install commands index, serve, search and take feedback")
        check_types(home, folder)
        say("a user's script sees the types of all four packages")


def say(line: str) -> None:
    sys.stdout.write(f"package: {line}\n")
    sys.stdout.flush()


def run(*command: object, **options: object) -> str:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return str(done.stdout)


def build(folder: Path) -> tuple[Path, Path]:
    run(sys.executable, "-m", "hatchling", "build", "-d", folder, cwd=ROOT)
    return next(folder.glob("*.whl")), next(folder.glob("*.tar.gz"))


def build_from_sdist(source: Path, folder: Path) -> Path:
    """Build a wheel from the sdist with pip, in an isolated build environment."""
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, source)
    return next(folder.glob("*.whl"))


def contents(wheel: Path) -> Mapping[str, bytes]:
    with ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def check_wheel(wheel: Path) -> None:
    names = {PurePosixPath(name) for name in contents(wheel)}
    meta = {name for name in names if name.parts[0].endswith(".dist-info")}
    assert {name.parts[0] for name in names - meta} == PACKAGES
    assert {str(name) for name in names - meta if name.suffix != ".py"} == DATA
    assert {"/".join(name.parts[2:]) for name in meta if name.parts[1] == "licenses"} == LICENSES


def check_source(source: Path) -> None:
    with tarfile.open(source) as archive:
        names = {PurePosixPath(*PurePosixPath(name).parts[1:]) for name in archive.getnames()}
    assert {name.parts[0] for name in names} - SOURCES == FILES | {".gitignore"}, names
    assert {name.parts[1] for name in names if name.parts[0] in SOURCES} == PACKAGES
    assert not [name for name in names if "__pycache__" in name.parts]


def install(wheel: Path, folder: Path) -> Path:
    """Install a wheel with pinned dependencies into a new environment and return its `bin`."""
    venv.create(folder)
    pip = (sys.executable, "-m", "pip", "--python", folder / "bin" / "python")
    run(*pip, "install", "--quiet", "--no-compile", "--constraint", ROOT / "constraints.txt", wheel)
    return folder / "bin"


def check_loop(commands: Path, folder: Path) -> None:
    notes = folder / "notes"
    notes.mkdir()
    (notes / "bread.md").write_text("# Bread\n\nKnead the dough.\n\n## Crust\n\nSteam makes it crisp.\n")
    (folder / "home").mkdir()
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG", "LD_LIBRARY_PATH"}}
    environment = kept | {"HOME": str(folder / "home")}
    run(commands / "warmer", "index", notes, "--collection", "notes", env=environment, cwd=folder)
    anyio.run(run_loop, [str(commands / "warmer"), "serve"], environment)


async def run_loop(command: Sequence[str], environment: Mapping[str, str]) -> None:
    server = StdioServerParameters(command=command[0], args=[*command[1:]], env=dict(environment))
    with anyio.fail_after(120):
        async with Client(server) as client:
            searched = await client.call_tool("search", {"query": "a crisp crust", "limit": 1})
            assert isinstance(searched.structured_content, dict), searched.content
            assert "Steam" in searched.structured_content["hits"][0]["text"]
            handle = searched.structured_content["search_id"]
            steered = await client.call_tool("give_feedback", {"search_id": handle, "scores": {"1": 9}})
            assert isinstance(steered.structured_content, dict), steered.content
            assert steered.structured_content["outcome"] == "steered"


def check_types(commands: Path, folder: Path) -> None:
    (folder / "user.py").write_text(USER)
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "user.py"]
    command += ["--python-executable", str(commands / "python"), f"--cache-dir={os.devnull}"]
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "MYPYPATH"}}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if ": error:" in line]
    assert len(lines) == 1, done.stdout + done.stderr
    assert 'has type "float", variable has type "str"' in lines[0], done.stdout


if __name__ == "__main__":
    main()
