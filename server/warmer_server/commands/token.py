"""`warmer token`: make a bearer token for `warmer serve --http`."""

import argparse
import json
import sys
from typing import Any

from warmer.errors import WarmerError
from warmer_server.tokens import make_token


def run(asked: argparse.Namespace) -> None:
    """Print the line for WARMER_TOKENS_FILE on stdout, and the token itself, once, on stderr."""
    secret, token = make_token(asked.name, _names(asked.scopes), _names(asked.collections), _where(asked), asked.days)
    sys.stdout.write(f"{token.line()}\n")
    sys.stderr.write(f"token of {token.name}, kept nowhere, shown this once: {secret}\n")


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def _where(asked: argparse.Namespace) -> dict[str, Any]:
    try:
        where: dict[str, Any] = json.loads(asked.filter) if asked.filter else {}
    except (ValueError, RecursionError) as error:
        raise WarmerError(f"--filter is not JSON: {asked.filter[:60]!r}") from error
    if asked.filter and not where:
        raise WarmerError("--filter has no condition, so it would hide nothing: add one, or leave it out")
    return where
