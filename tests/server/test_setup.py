"""Entries in the configurations of clients: what is there stays, and what is written is what the client reads."""

import json
import stat
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from warmer_server.cli import main
from warmer_server.setup import jsonc
from warmer_server.setup.clients import CLIENTS

JSON_CLIENTS = sorted(set(CLIENTS) - {"codex"})
KEYS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.sampled_from('a"\\/*,{}[]: \n'), max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
ENTRY = {"command": "/x/warmer", "args": ["serve"], "env": {"A": "1"}}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("XDG_CONFIG_HOME", "CLAUDE_CONFIG_DIR", "CODEX_HOME", "QDRANT_URL", "WARMER_NAME"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "USERPROFILE", "APPDATA"):
        monkeypatch.setenv(name, str(tmp_path))
    return tmp_path


def entry_in(client: str) -> Any:
    """Read the entry as the client does."""
    text = CLIENTS[client].file().read_text(encoding="utf-8")
    told = tomllib.loads(text) if client == "codex" else jsonc.read(text)
    for key in (*CLIENTS[client].path, "warmer"):
        told = told[key]
    return told


@pytest.mark.parametrize("client", CLIENTS)
def test_an_entry_is_written_once_and_starts_this_server(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], client: str
) -> None:
    wanted = {"QDRANT_URL": "https://q.example.com", "QDRANT_API_KEY": "secret", "COLLECTION_NAME": "m"}
    for name, value in wanted.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("WARMER_ALLOWED_HOSTS", "x.example.com")
    main(["setup", client])
    shown = capsys.readouterr()
    assert "secret" not in shown.out + shown.err
    assert not list(home.rglob("*"))
    main(["setup", client, "--write"])
    entry = entry_in(client)
    command = entry["command"] if client == "opencode" else [entry["command"], *entry["args"]]
    assert Path(command[0]).is_absolute()
    assert Path(command[0]).exists()
    assert command[-1] == "serve"
    environment = entry["environment" if client == "opencode" else "env"]
    assert environment == wanted
    file = CLIENTS[client].file()
    assert home in file.parents
    if sys.platform != "win32":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, "it holds a key"
    before = file.stat().st_mtime_ns
    main(["setup", client, "--write"])
    assert file.stat().st_mtime_ns == before
    assert "secret" not in "".join(capsys.readouterr())


@pytest.mark.parametrize("client", JSON_CLIENTS)
def test_what_a_client_has_stays(home: Path, client: str) -> None:
    file, (servers,) = CLIENTS[client].file(), CLIENTS[client].path
    assert home in file.parents
    file.parent.mkdir(parents=True, exist_ok=True)
    there = (
        '// mine\n{\n    "theme": "dark", // as "it" {was}\n    /* "mcp": {} */\n'
        f'    "{servers}": {{\n        "other": {{"command": "x", "args": ["//", "a,]"],}},\n'
        '        "warmer": {"command": "old", "trust": true, "env": {"MINE": "1"}},\n    },\n}\n'
    )
    file.write_text(there, encoding="utf-8")
    file.chmod(0o644)
    main(["setup", client, "--write"])
    text = file.read_text(encoding="utf-8")
    known, now = jsonc.read(there), jsonc.read(text)
    assert now["theme"] == known["theme"]
    assert now[servers]["other"] == known[servers]["other"]
    assert now[servers]["warmer"]["trust"] is True
    assert now[servers]["warmer"]["command"] != "old"
    assert now[servers]["warmer"]["env"]["MINE"] == "1"
    for kept in ("// mine\n", '// as "it" {was}\n', '/* "mcp": {} */'):
        assert kept in text
    assert stat.S_IMODE(file.stat().st_mode) == 0o644


def test_codex_keeps_its_comments_and_other_servers(home: Path) -> None:
    file = CLIENTS["codex"].file()
    file.parent.mkdir()
    there = '# mine\nmodel = "x"  # why\n\n[mcp_servers.other]\ncommand = "y"\n\n[profiles.a]\nmodel = "z"\n'
    file.write_text(there)
    main(["setup", "codex", "--write", "--name", "pumps"])
    text = file.read_text()
    told = tomllib.loads(text)
    assert text.startswith('# mine\nmodel = "x"  # why\n')
    assert told["profiles"] == {"a": {"model": "z"}}
    assert told["mcp_servers"]["other"] == {"command": "y"}
    assert told["mcp_servers"]["pumps"]["args"] == ["serve"]
    main(["setup", "codex", "--write", "--name", "pumps"])
    assert file.read_text() == text
    assert home


BROKEN = ["{", '{"mcpServers": []}', '{"mcpServers": {"warmer": }}', "[]", '{"a": 1} x', "not json", '"text"']


@pytest.mark.parametrize("there", BROKEN)
def test_what_cannot_be_edited_is_left_alone(home: Path, there: str) -> None:
    file = CLIENTS["cursor"].file()
    file.parent.mkdir()
    file.write_text(there)
    with pytest.raises(SystemExit) as ended:
        main(["setup", "cursor", "--write"])
    assert str(ended.value).startswith(f"warmer: cannot add to {file}: ")
    assert "It is unchanged" in str(ended.value)
    assert file.read_text() == there
    assert [one.name for one in file.parent.iterdir()] == ["mcp.json"]
    assert home


@pytest.mark.parametrize("there", ["", "\n", "// mine\n", "\ufeff{}", "/* mine */"])
def test_a_file_without_settings_is_filled(home: Path, there: str) -> None:
    file = CLIENTS["cursor"].file()
    assert home in file.parents
    file.parent.mkdir()
    file.write_text(there, encoding="utf-8")
    main(["setup", "cursor", "--write"])
    assert entry_in("cursor")["args"] == ["serve"]
    assert "mine" not in there or "mine" in file.read_text(encoding="utf-8")


@pytest.mark.parametrize("client", ["cursor", "codex"])
def test_ends_of_lines_stay(home: Path, client: str) -> None:
    file = CLIENTS[client].file()
    assert home in file.parents
    file.parent.mkdir()
    file.write_bytes(b'{\r\n  "a": 1\r\n}\r\n' if client == "cursor" else b"a = 1\r\n")
    main(["setup", client, "--write"])
    raw = file.read_bytes()
    assert raw.count(b"\n") == raw.count(b"\r\n") > 1
    assert entry_in(client)["args"] == ["serve"]


def test_a_link_stays_a_link(home: Path) -> None:
    (home / "dotfiles.json").write_text("{}")
    file = CLIENTS["cursor"].file()
    file.parent.mkdir()
    file.symlink_to(home / "dotfiles.json")
    main(["setup", "cursor", "--write"])
    assert file.is_symlink()
    assert "warmer" in (home / "dotfiles.json").read_text()


@given(st.dictionaries(KEYS, VALUES, max_size=4), st.sampled_from([None, 2, 4, "\t"]), KEYS, KEYS)
@example({}, None, "mcpServers", "warmer")
@example({"mcpServers": {}}, 2, "mcpServers", "warmer")
@example({"mcpServers": {"warmer": {"a": [1]}}}, "\t", "mcpServers", "warmer")
def test_setting_a_value_changes_that_value_alone(known: dict[str, Any], indent: Any, first: str, second: str) -> None:
    if not isinstance(known.get(first, {}), dict):
        known[first] = {}
    text = json.dumps(known, indent=indent, ensure_ascii=False)
    changed = jsonc.set_value(text, [first, second], ENTRY)
    assert jsonc.read(changed) == {**known, first: {**known.get(first, {}), second: ENTRY}}
    assert jsonc.read(jsonc.set_value(changed, [first, second], {})) == {
        **known,
        first: {**known.get(first, {}), second: {}},
    }


COMMENTS = st.lists(st.sampled_from(["// x\n", "/* y */", "/* } */", '// "z": {\n', "\n", " "]), max_size=3).map(
    "".join
)


@given(VALUES, COMMENTS, COMMENTS, COMMENTS, st.booleans())
def test_comments_and_trailing_commas_are_read_over(value: Any, a: str, b: str, c: str, trailing: bool) -> None:
    inner = json.dumps(value)
    text = f'{a}{{{b}"keep"{c}:{a}{inner}{b}{"," if trailing else ""}{c}}}{a}'
    assert jsonc.read(text) == {"keep": value}
    changed = jsonc.set_value(text, ["servers", "w"], ENTRY)
    assert jsonc.read(changed) == {"keep": value, "servers": {"w": ENTRY}}
    assert f'"keep"{c}:{a}{inner}' in changed
