"""The entry for a client, as text to paste or written into its file."""

import json
import os
import stat
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from warmer.errors import WarmerError
from warmer_server.settings import Settings
from warmer_server.setup import jsonc
from warmer_server.setup.clients import Client, Server

SECRETS = {"QDRANT_API_KEY"}
_HTTP_ONLY = ("WARMER_TOKENS", "WARMER_ALLOWED_", "WARMER_CALL_", "WARMER_STOP_", "WARMER_OAUTH_")


def this_server(environment: Mapping[str, str]) -> Server:
    """Describe the server that is installed here, with the settings that are set now."""
    script = Path(sys.executable).with_name("warmer.exe" if sys.platform == "win32" else "warmer")
    command = [str(script)] if script.exists() else [sys.executable, "-m", "warmer_server.cli"]
    names = [str(field.validation_alias) for field in Settings.model_fields.values()]
    wanted = {name: environment[name] for name in names if environment.get(name) and not name.startswith(_HTTP_ONLY)}
    if "WARMER_DATA_DIR" in wanted:
        wanted["WARMER_DATA_DIR"] = str(Path(wanted["WARMER_DATA_DIR"]).expanduser().absolute())
    return Server(command[0], (*command[1:], "serve"), wanted)


def without_secrets(server: Server) -> Server:
    """Put a name in place of each secret, for a text that is shown."""
    shown = {name: f"<{name}>" if name in SECRETS else value for name, value in server.environment.items()}
    return Server(server.command, server.arguments, shown)


def snippet(client: Client, name: str, server: Server) -> str:
    """Write the entry as it stands in the client's file."""
    entry: Any = {name: client.entry(server)}
    for key in reversed(client.path):
        entry = {key: entry}
    if client.file().suffix == ".toml":
        import tomlkit  # noqa: PLC0415  for this command alone

        return tomlkit.dumps(entry)
    return json.dumps(entry, indent=2, ensure_ascii=False) + "\n"


def read_command(client: Client, name: str) -> str:
    """Return the program of the entry in the client's file; empty if there is none, or the file cannot be read."""
    try:
        known = _read(client.file())
    except (OSError, ValueError, RecursionError):
        return ""
    for key in (*client.path, name):
        known = known.get(key) if isinstance(known, dict) else None
    command = known.get("command") if isinstance(known, dict) else None
    return str(next(iter(command), "") if isinstance(command, list) else command or "")


def _read(file: Path) -> Any:  # noqa: ANN401  any JSON
    text = file.read_text(encoding="utf-8")
    return tomllib.loads(text) if file.suffix == ".toml" else jsonc.read(text)


def write(client: Client, name: str, server: Server) -> bool:
    """Write the entry into the client's file; of an entry of that name, what is not said anew stays.

    Returns:
        Whether that changed the file.

    Raises:
        WarmerError: The file cannot be read, edited or written; it is as it was.
    """
    file = client.file()
    try:
        raw = file.read_bytes().decode() if file.exists() else ""
        text = raw.replace("\r\n", "\n")
        changed = (_in_toml if file.suffix == ".toml" else _in_json)(text, (*client.path, name), client.entry(server))
    except (OSError, ValueError, IndexError, RecursionError) as error:
        raise WarmerError(
            f"cannot add to {file}: {error}. It is unchanged; without --write you see the entry, to add by hand"
        ) from error
    if changed == text:
        return False
    _replace(file, changed.replace("\n", "\r\n") if "\r\n" in raw else changed)
    return True


def _in_json(text: str, path: Sequence[str], entry: dict[str, Any]) -> str:
    known = jsonc.read(text)
    for key in path:
        known = known.get(key, {}) if isinstance(known, dict) else {}
    merged = _merged(known, entry)
    return text if merged == known else jsonc.set_value(text, path, merged)


def _in_toml(text: str, path: Sequence[str], entry: dict[str, Any]) -> str:
    import tomlkit  # noqa: PLC0415  for this command alone
    from tomlkit.items import AbstractTable  # noqa: PLC0415

    document = tomlkit.parse(text)
    tables, name = path
    if tables not in document:
        document[tables] = tomlkit.table(is_super_table=True)
    servers = document[tables]
    if not isinstance(servers, AbstractTable | tomlkit.container.OutOfOrderTableProxy):
        raise ValueError(f"{tables} is not a table")  # noqa: TRY004  the caller knows one kind of error
    known = servers.get(name, {})
    if (merged := _merged(dict(known), entry)) == known:
        return text
    if name in servers:
        for key, value in merged.items():
            servers[name][key] = value
    else:
        servers[name] = merged
    return tomlkit.dumps(document)


def _merged(known: object, entry: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(known) if isinstance(known, dict) else {}
    for key, value in entry.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = {**merged[key], **value} if both else value
    return merged


def _replace(file: Path, text: str) -> None:
    """Replace a file at once, or not at all; only its owner may read a new one, since it may hold a key."""
    place = file.resolve()
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        mode = stat.S_IMODE(place.stat().st_mode) if place.exists() else 0o600
        with NamedTemporaryFile("w", encoding="utf-8", dir=place.parent, delete=False, newline="") as new:
            new.write(text)
        Path(new.name).chmod(mode)
        os.replace(new.name, place)  # noqa: PTH105  atomic on Windows too
    except OSError as error:
        raise WarmerError(f"cannot write {file}: {error.strerror}. It is unchanged") from error
