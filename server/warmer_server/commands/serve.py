"""`warmer serve`: MCP on stdin and stdout."""

import argparse
import logging
import sys

from warmer.journal import SqliteJournal
from warmer_server.app import build_server, journal_path
from warmer_server.settings import read_settings


def run(_: argparse.Namespace) -> None:
    """Serve until the client closes the input; logs go to stderr, stdout carries the protocol alone."""
    settings = read_settings()
    logging.basicConfig(level=settings.log_level, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    SqliteJournal(
        journal_path(settings), 1
    ).close()  # a data directory that cannot be used is said before the handshake
    build_server(settings).run("stdio")
