"""`warmer serve`: MCP on stdin and stdout, or over HTTP."""

import argparse
import logging
import sys

from warmer.errors import WarmerError
from warmer.journal.sqlite.database import Database
from warmer_server import logs, stdio
from warmer_server.app import build_server
from warmer_server.engine import journal_path
from warmer_server.settings import Settings, read_settings

_log = logging.getLogger(__name__)


def run(asked: argparse.Namespace) -> None:
    """Serve until the client closes the input, or over HTTP until SIGTERM.

    Logs go to stderr, stdout carries the protocol alone.
    """
    settings = read_settings()
    logs.configure(settings.log_level, settings.log_format, queries=settings.log_queries)
    if settings.journal == "sqlite":
        Database(journal_path(settings)).close()  # a data directory that cannot be used is said before the handshake
    if getattr(asked, "http", False):
        _http(asked, settings)
    else:
        stdio.serve(build_server(settings))


def _http(asked: argparse.Namespace, settings: Settings) -> None:
    from warmer_server.http.address import bind, is_local, url  # noqa: PLC0415  stdio starts without
    from warmer_server.http.worker import Listening, serve, tokens_of  # noqa: PLC0415
    from warmer_server.http.workers import supervise  # noqa: PLC0415

    if not (tokens_of(settings) or is_local(asked.host) or asked.open_to_everyone):
        raise WarmerError(
            f"--host {asked.host} can be reached from other machines, and there are no tokens, so that anybody may "
            "search and score: set WARMER_TOKENS_FILE (`warmer token` makes its lines), or say --open-to-everyone"
        )
    if not (settings.allowed_hosts or is_local(asked.host)):
        _log.warning(
            "WARMER_ALLOWED_HOSTS is not set: clients that call this server by another name than localhost or %s are "
            "answered 421 Invalid Host header",
            asked.host,
        )
    listening = Listening(bind(asked.host, asked.port), asked.host)
    at = url(listening.sock)

    def ready() -> None:
        sys.stderr.write(f"warmer: serving {at}\n")
        sys.stderr.flush()

    if asked.workers > 1:
        supervise(settings, listening, asked.workers, ready)
    else:
        serve(settings, listening, ready)
