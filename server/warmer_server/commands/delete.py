"""`warmer delete`: delete an embedded collection, but not its searches and scores in the journal."""

import argparse

from warmer.errors import WarmerError
from warmer.index.edge.catalog import Catalog
from warmer_server.destination import EMBEDDED
from warmer_server.settings import read_settings
from warmer_server.terminal import echo


def run(arguments: argparse.Namespace) -> None:
    """Delete the named collection."""
    settings = read_settings()
    if settings.qdrant_url and arguments.url != EMBEDDED:
        raise WarmerError(
            "QDRANT_URL is set, so `warmer serve` searches that server, and this deletes embedded collections only: "
            f"pass --url {EMBEDDED} to delete one of those"
        )
    Catalog(settings.data_dir).delete(arguments.collection)
    echo(f"{arguments.collection}: deleted")
