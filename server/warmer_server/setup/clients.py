"""Which clients there are, where each keeps its servers, and in which words."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platformdirs import user_config_path


@dataclass(frozen=True, slots=True)
class Server:
    """How a client is to start the server.

    Attributes:
        command: The program, an absolute path.
        arguments: Its arguments.
        environment: The settings that it is to have.
    """

    command: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Client:
    """A client and its configuration.

    Attributes:
        title: Its name.
        file: Where its configuration is.
        path: The keys that lead to its servers there.
        entry: Makes the entry of a server.
        then: What to do after that.
    """

    title: str
    file: Callable[[], Path]
    path: tuple[str, ...]
    entry: Callable[[Server], dict[str, Any]]
    then: str


def _standard(server: Server) -> dict[str, Any]:
    env = {"env": dict(server.environment)} if server.environment else {}
    return {"command": server.command, "args": list(server.arguments), **env}


def _typed(server: Server) -> dict[str, Any]:
    return {"type": "stdio", **_standard(server)}


def _opencode(server: Server) -> dict[str, Any]:
    env = {"environment": dict(server.environment)} if server.environment else {}
    return {"type": "local", "command": [server.command, *server.arguments], **env}


def _home(*parts: str) -> Path:
    return Path.home().joinpath(*parts)


def _application(*parts: str) -> Path:
    """Find a file of a desktop application, wherever the system keeps them."""
    return user_config_path(appauthor=False, roaming=True).joinpath(*parts)


def _dot_config(*parts: str) -> Path:
    """Find a file of a program that uses ~/.config on macOS too."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or _home(".config")).joinpath(*parts)


def _opencode_file() -> Path:
    with_comments = _dot_config("opencode", "opencode.jsonc")
    return with_comments if with_comments.exists() else _dot_config("opencode", "opencode.json")


def _zed_file() -> Path:
    return _application("Zed", "settings.json") if sys.platform == "win32" else _dot_config("zed", "settings.json")


CLIENTS: Mapping[str, Client] = {
    "claude-code": Client(
        "Claude Code",
        lambda: Path(os.environ.get("CLAUDE_CONFIG_DIR") or Path.home()) / ".claude.json",
        ("mcpServers",),
        _typed,
        "`claude mcp list` says whether it connects",
    ),
    "claude-desktop": Client(
        "Claude Desktop",
        lambda: _application("Claude", "claude_desktop_config.json"),
        ("mcpServers",),
        _standard,
        "quit Claude Desktop and start it again",
    ),
    "codex": Client(
        "Codex",
        lambda: Path(os.environ.get("CODEX_HOME") or _home(".codex")) / "config.toml",
        ("mcp_servers",),
        _standard,
        "`codex mcp list` shows it",
    ),
    "cursor": Client(
        "Cursor",
        lambda: _home(".cursor", "mcp.json"),
        ("mcpServers",),
        _standard,
        "Settings, MCP shows it",
    ),
    "gemini": Client(
        "Gemini CLI",
        lambda: _home(".gemini", "settings.json"),
        ("mcpServers",),
        _standard,
        "`gemini mcp list` says whether it connects, in a folder that you trust; "
        '"trust": true in the entry lets it be called without asking',
    ),
    "opencode": Client(
        "OpenCode",
        _opencode_file,
        ("mcp",),
        _opencode,
        "`opencode mcp list` says whether it connects",
    ),
    "vscode": Client(
        "VS Code",
        lambda: _application("Code", "User", "mcp.json"),
        ("servers",),
        _typed,
        '"MCP: List Servers" starts it',
    ),
    "windsurf": Client(
        "Windsurf",
        lambda: _home(".codeium", "windsurf", "mcp_config.json"),
        ("mcpServers",),
        _standard,
        "refresh the servers in Cascade's settings",
    ),
    "zed": Client(
        "Zed",
        _zed_file,
        ("context_servers",),
        _standard,
        "the agent panel's settings show it",
    ),
}
