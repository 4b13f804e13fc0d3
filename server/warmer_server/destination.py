"""Where a command works: on the embedded engine or on a Qdrant server."""

from warmer.errors import WarmerError
from warmer_server.settings import Settings

EMBEDDED = "embedded"


def server_url(asked: str, settings: Settings) -> str:
    """Give the URL of the server that a command is for; empty for the embedded engine.

    Raises:
        WarmerError: It is not said, and QDRANT_URL leaves two answers.
    """
    if not asked and settings.qdrant_url:
        raise WarmerError(
            "QDRANT_URL is set, so `warmer serve` searches that server: say where the collection is to be, "
            f'--url "$QDRANT_URL" or --url {EMBEDDED}'
        )
    return "" if asked in {"", EMBEDDED} else asked
