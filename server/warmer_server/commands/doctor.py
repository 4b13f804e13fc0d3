"""`warmer doctor`: what works, what does not, and what to do about it."""

import argparse
import asyncio
import json
import shlex
import sys
from dataclasses import asdict
from pathlib import Path

from warmer.errors import WarmerError
from warmer_server.doctor import Check, Finding, examine
from warmer_server.doctor.local import collections, data, models, versions
from warmer_server.doctor.loop import loop
from warmer_server.doctor.named import asked_claude, claude, judges, texts, tokens
from warmer_server.doctor.remote import server
from warmer_server.settings import read_settings
from warmer_server.terminal import echo

_SHOWN = {"ok": "ok   ", "note": "note ", "fails": "FAILS"}


def run(arguments: argparse.Namespace) -> None:
    """Print what was found, a line each; exit status 1 if something that is set up does not work."""
    found = asyncio.run(_examine(arguments))
    failing = sum(finding.state == "fails" for finding in found)
    if arguments.json:
        told = {"ok": not failing, "findings": [asdict(finding) for finding in found]}
        echo(json.dumps(told, ensure_ascii=False), stderr=False)
    else:
        many = f"{failing} of these {'does' if failing == 1 else 'do'} not work."
        echo(many if failing else "All that is set up works.", stderr=False)
        if not failing:
            echo(f"For Claude Code: claude mcp add warmer -- {_command()}", stderr=False)
    sys.exit(1 if failing else 0)


async def _examine(arguments: argparse.Namespace) -> list[Finding]:
    try:
        settings = read_settings()
    except WarmerError as error:
        found = [Finding("settings", "fails", str(error))]
        _tell(found[0], arguments)
        return found
    checks: dict[str, Check] = {
        "engine": versions,
        "model": models,
        "data": data,
        "collections": collections,
        "server": server,
        "claude": asked_claude if arguments.ask_claude else claude,
        "judges": judges,
        "texts": texts,
        "tokens": tokens,
        "loop": loop,
    }
    found = []
    async for finding in examine(settings, checks):
        _tell(finding, arguments)
        found.append(finding)
    return found


def _tell(finding: Finding, arguments: argparse.Namespace) -> None:
    if not arguments.json:
        echo(f"{_SHOWN[finding.state]} {finding.part:<12} {finding.said}", stderr=False)


def _command() -> str:
    started = Path(sys.argv[0]).absolute()
    own = [str(started)] if started.stem == "warmer" else [sys.executable, "-m", "warmer_server.cli"]
    return shlex.join([*own, "serve"])
