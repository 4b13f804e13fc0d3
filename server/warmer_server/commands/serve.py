"""`warmer serve`: serve MCP over stdin and stdout, or over HTTP."""

import argparse
import logging
import sys

from warmer.errors import WarmerError
from warmer.journal.sqlite.database import Database
from warmer_server import logs, stdio
from warmer_server.app import build_server
from warmer_server.engine import journal_path
from warmer_server.settings import Settings, read_settings, read_values

_log = logging.getLogger(__name__)


def run(arguments: argparse.Namespace) -> None:
    """Serve until the client closes stdin, or over HTTP until SIGTERM.

    Logs go to stderr; stdout carries only the protocol.
    """
    over_http = getattr(arguments, "http", False)
    settings = read_settings() if over_http else read_values()
    logs.configure(settings.log_level, settings.log_format, queries=settings.log_queries)
    if settings.journal == "sqlite":
        Database(journal_path(settings)).close()  # report an unusable data directory before the handshake
    if settings.without_server:  # a client would show only that the connection is closed; the tools say why
        _log.error("%s", settings.without_server)
    if over_http:
        _serve_http(arguments, settings)
    else:
        stdio.serve(build_server(settings))


def _serve_http(arguments: argparse.Namespace, settings: Settings) -> None:
    from warmer_server.http.address import bind, is_local, socket_url  # noqa: PLC0415  not needed for stdio
    from warmer_server.http.worker import Listener, authentication  # noqa: PLC0415
    from warmer_server.http.workers import supervise  # noqa: PLC0415

    if not (authentication(settings)[0] or is_local(arguments.host) or arguments.open_to_everyone):
        raise WarmerError(
            f"--host {arguments.host} can be reached from other machines, and there are no tokens, so anybody may "
            "search and score: set WARMER_TOKENS_FILE (`warmer token` makes its lines) or WARMER_OAUTH_ISSUER, or pass "
            "--open-to-everyone"
        )
    if not (settings.allowed_hosts or is_local(arguments.host)):
        _log.warning(
            "WARMER_ALLOWED_HOSTS is not set: clients that call this server by another name than localhost or %s are "
            "answered 421 Invalid Host header",
            arguments.host,
        )
    listener = Listener(bind(arguments.host, arguments.port), arguments.host)
    url = socket_url(listener.sock)

    def announce() -> None:
        sys.stderr.write(f"warmer: serving {url}\n")
        sys.stderr.flush()

    supervise(settings, listener, arguments.workers, announce)
