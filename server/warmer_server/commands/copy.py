"""`warmer copy`: copy a collection from the embedded engine to a server, or back."""

import argparse
import asyncio

from warmer.errors import WarmerError
from warmer.index.edge.catalog import Catalog
from warmer.index.remote.address import read_address
from warmer.publishing.copying import CopyResult, copy_to_embedded, copy_to_server
from warmer.publishing.server.collection import ServerCollection
from warmer_server.connection import make_options, open_server
from warmer_server.destination import EMBEDDED
from warmer_server.engine import JOURNAL_COLLECTION
from warmer_server.progress import progress_bar
from warmer_server.settings import Settings, read_settings
from warmer_server.terminal import echo


def run(arguments: argparse.Namespace) -> None:
    """Copy with a progress bar and report on stderr."""
    settings = read_settings(arguments.source if arguments.target == EMBEDDED else arguments.target)
    name = arguments.new_name or arguments.collection
    match arguments.source == EMBEDDED, arguments.target == EMBEDDED:
        case True, False:
            copied = asyncio.run(_to_server(settings, arguments, name))
        case False, True:
            copied = asyncio.run(_to_embedded(settings, arguments, name))
        case _:
            raise WarmerError(
                f"one of --from and --to must be {EMBEDDED!r}, the other the URL of a server; "
                f"{'both are' if arguments.source == EMBEDDED else 'neither is'} {EMBEDDED!r}"
            )
    place = EMBEDDED if arguments.target == EMBEDDED else read_address(arguments.target).url
    echo(f"{name}: {copied.points} passages copied to {place}")
    if copied.left_out:
        echo(f"left out: {copied.left_out} without a text or a vector")


async def _to_server(settings: Settings, arguments: argparse.Namespace, name: str) -> CopyResult:
    catalog = Catalog(settings.data_dir)
    generations = catalog.generations(catalog.resolve(arguments.collection))
    async with open_server(arguments.target, settings) as remote:
        with progress_bar("passages") as progress:
            return await copy_to_server(
                generations, ServerCollection(remote, name), overwrite=arguments.replace, progress=progress
            )


async def _to_embedded(settings: Settings, arguments: argparse.Namespace, name: str) -> CopyResult:
    generations = Catalog(settings.data_dir).generations(name)
    async with open_server(arguments.source, settings) as remote:
        with progress_bar("passages") as progress:
            return await copy_to_embedded(
                remote,
                arguments.collection,
                generations,
                options=make_options(settings, JOURNAL_COLLECTION),
                model=arguments.model,
                overwrite=arguments.replace,
                progress=progress,
            )
