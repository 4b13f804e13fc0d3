"""`warmer serve`: MCP on stdin and stdout."""

import argparse

from warmer.database import Database
from warmer_server import logs
from warmer_server.app import build_server
from warmer_server.engine import journal_path
from warmer_server.settings import read_settings


def run(_: argparse.Namespace) -> None:
    """Serve until the client closes the input; logs go to stderr, stdout carries the protocol alone."""
    settings = read_settings()
    logs.configure(settings.log_level, settings.log_format, queries=settings.log_queries)
    if settings.journal == "sqlite":
        Database(journal_path(settings)).close()  # a data directory that cannot be used is said before the handshake
    build_server(settings).run("stdio")
