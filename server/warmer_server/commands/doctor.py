"""`warmer doctor`: report what works, what does not, and how to fix it."""

import argparse
import asyncio
import json
import sys
from dataclasses import asdict

from warmer.errors import WarmerError
from warmer_server.doctor import Check, Finding, examine
from warmer_server.doctor.clients import clients
from warmer_server.doctor.local import collections, contents, data, models, versions
from warmer_server.doctor.loop import loop
from warmer_server.doctor.optional import ask_claude, claude, judges, texts, tokens
from warmer_server.doctor.remote import server
from warmer_server.settings import read_settings
from warmer_server.terminal import echo

_LABELS = {"ok": "ok   ", "note": "note ", "fails": "FAILS"}


def run(arguments: argparse.Namespace) -> None:
    """Print one line per finding, and exit with status 1 if something that is set up does not work."""
    findings = asyncio.run(_examine(arguments))
    failing = sum(finding.state == "fails" for finding in findings)
    if arguments.json:
        report = {"ok": not failing, "findings": [asdict(finding) for finding in findings]}
        echo(json.dumps(report, ensure_ascii=False), stderr=False)
    else:
        summary = f"{failing} of these {'does' if failing == 1 else 'do'} not work."
        echo(summary if failing else "All that is set up works.", stderr=False)
    sys.exit(1 if failing else 0)


async def _examine(arguments: argparse.Namespace) -> list[Finding]:
    try:
        settings = read_settings()
    except WarmerError as error:
        finding = Finding("settings", "fails", str(error))
        _print(finding, arguments)
        return [finding]
    checks: dict[str, Check] = {
        "engine": versions,
        "model": models,
        "data": data,
        "collections": collections,
        **({"contents": contents} if arguments.deep else {}),
        "server": server,
        "claude": ask_claude if arguments.ask_claude else claude,
        "judges": judges,
        "texts": texts,
        "tokens": tokens,
        "clients": clients,
        "loop": loop,
    }
    findings = []
    async for finding in examine(settings, checks):
        _print(finding, arguments)
        findings.append(finding)
    return findings


def _print(finding: Finding, arguments: argparse.Namespace) -> None:
    if not arguments.json:
        echo(f"{_LABELS[finding.state]} {finding.part:<12} {finding.said}", stderr=False)
