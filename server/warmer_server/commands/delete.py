"""`warmer delete`: a collection goes; searches and scores in the journal stay."""

import argparse

from rich.console import Console

from warmer.index.catalog import Catalog
from warmer_server.settings import read_settings


def run(arguments: argparse.Namespace) -> None:
    """Delete the named collection."""
    Catalog(read_settings().data_dir).delete(arguments.collection)
    Console(stderr=True, highlight=False).print(f"{arguments.collection}: deleted")
