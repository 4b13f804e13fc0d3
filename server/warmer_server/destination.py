"""Choose between the embedded engine and a Qdrant server for a command."""

from warmer.errors import WarmerError
from warmer_server.settings import Settings

EMBEDDED = "embedded"


def server_url(option: str, settings: Settings) -> str:
    """Return the URL of the server that a command works on, or an empty string for the embedded engine.

    Args:
        option: Value of --url.
        settings: Settings.

    Raises:
        WarmerError: QDRANT_URL is set and --url is not, so either could be meant.
    """
    if not option and settings.qdrant_url:
        raise WarmerError(
            "QDRANT_URL is set, so `warmer serve` searches that server: say where to put the collection, "
            f'--url "$QDRANT_URL" or --url {EMBEDDED}'
        )
    return "" if option in {"", EMBEDDED} else option
