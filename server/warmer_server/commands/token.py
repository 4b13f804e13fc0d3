"""`warmer token`: make a bearer token for `warmer serve --http`."""

import argparse
import json
import sys
from typing import Any

from warmer.errors import WarmerError
from warmer_server.tokens import make_token


def run(arguments: argparse.Namespace) -> None:
    """Print the line for WARMER_TOKENS_FILE on stdout and the token itself, this once, on stderr."""
    secret, token = make_token(
        arguments.name,
        _split(arguments.scopes),
        _split(arguments.collections),
        _parse_filter(arguments),
        arguments.days,
    )
    sys.stdout.write(f"{token.line()}\n")
    sys.stderr.write(f"token of {token.name}, kept nowhere, shown this once: {secret}\n")


def _split(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def _parse_filter(arguments: argparse.Namespace) -> dict[str, Any]:
    try:
        where: dict[str, Any] = json.loads(arguments.filter) if arguments.filter else {}
    except (ValueError, RecursionError) as error:
        raise WarmerError(f"--filter is not JSON: {arguments.filter[:60]!r}") from error
    if arguments.filter and not where:
        raise WarmerError("--filter has no condition, so it would hide nothing: add one, or leave it out")
    return where
