"""Check which agents on this machine are told to start the server."""

from collections.abc import AsyncIterator
from pathlib import Path

from warmer_server.doctor import Finding
from warmer_server.settings import Settings
from warmer_server.setup.clients import CLIENTS
from warmer_server.setup.entry import read_command


async def clients(settings: Settings) -> AsyncIterator[Finding]:
    """Look for the server's entry in each client's configuration, and for the program that it names."""
    commands = {key: read_command(client, settings.name) for key, client in CLIENTS.items()}
    for key, command in commands.items():
        if command:
            yield _check(key, command)
    if not any(commands.values()):
        said = f"no agent starts {settings.name} yet: `warmer setup CLIENT --write`, CLIENT being {', '.join(CLIENTS)}"
        yield Finding("clients", "note", said)


def _check(key: str, command: str) -> Finding:
    title, file = CLIENTS[key].title, CLIENTS[key].file()
    if Path(command).is_absolute() and not Path(command).exists():
        return Finding(
            "clients", "fails", f"{title} starts {command}, which does not exist: `warmer setup {key} --write`"
        )
    return Finding("clients", "ok", f"{title} starts {command} ({file})")
