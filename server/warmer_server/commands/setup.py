"""`warmer setup`: tell a client where this server is."""

import argparse
import os
import shlex
import sys

from warmer_server.settings import read_settings
from warmer_server.setup.clients import CLIENTS, Client, Server
from warmer_server.setup.entry import SECRETS, snippet, this_server, without_secrets, write
from warmer_server.terminal import echo

_ADDS = {"claude-code": "claude mcp add --scope user", "codex": "codex mcp add"}  # clients with a command for it


def run(arguments: argparse.Namespace) -> None:
    """Print the entry on stdout, and on stderr what to do with it; or write it."""
    name = arguments.name or read_settings().name
    client, server = CLIENTS[arguments.client], this_server(os.environ)
    if arguments.write:
        done = "added to" if write(client, name, server) else "is in"
        echo(f"{name} {done} {client.file()}: {client.then}")
        return
    sys.stdout.write(snippet(client, name, without_secrets(server)))
    for line in _what_to_do(arguments.client, client, name, server):
        echo(line)


def _what_to_do(key: str, client: Client, name: str, server: Server) -> list[str]:
    lines = [f"{client.title} reads this from {client.file()}; `warmer setup {key} --write` adds it there"]
    if key in _ADDS:
        settings = " ".join(f"--env {_assignment(*pair)}" for pair in server.environment.items())
        started = shlex.join([server.command, *server.arguments])
        lines.append(f"or: {' '.join(filter(None, [_ADDS[key], name, settings]))} -- {started}")
    if secret := sorted(SECRETS & server.environment.keys()):
        lines.append(f"put the key itself in place of <{secret[0]}>; --write does that")
    return [*lines, f"then: {client.then}"]


def _assignment(name: str, value: str) -> str:
    return f'{name}="${name}"' if name in SECRETS else shlex.quote(f"{name}={value}")
