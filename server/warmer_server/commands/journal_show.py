"""`warmer journal show`: look at threads, in the terminal or as a page."""

import argparse
import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import localtime, strftime

from rich import box
from rich.console import Console
from rich.table import Table

from warmer.errors import SearchError, StorageError, WarmerError
from warmer.journal.transfer.file import read_file
from warmer.journal.transfer.records import SearchRecord
from warmer.journal.use import seen
from warmer.pictures import Bounds
from warmer.pictures.gallery import Gallery
from warmer.sanitize import one_line
from warmer_server.app import make_gallery
from warmer_server.commands.journal import transfer_of
from warmer_server.engine import open_engine
from warmer_server.settings import Settings
from warmer_server.terminal import echo
from warmer_server.use.reading import namespace, opened, present, stored_name
from warmer_server.use.showing import View, view
from warmer_server.use.thread_page import KINDS, summary, thread_page

_THUMBNAIL = Bounds(128, 6000)  # each is on the page twice
_SHORT = 10  # characters of a handle that tell it from others


def run(arguments: argparse.Namespace, settings: Settings) -> None:
    """Show one thread, or the newest."""
    gallery = make_gallery(settings) if arguments.html else None
    views = asyncio.run(_views(settings, arguments.search_id, arguments.last, gallery))
    if not views:
        echo("The journal is empty: searches and scores of agents, and of `warmer search`, are kept here.")
    elif arguments.html:
        _write(arguments.html, thread_page(views))
        echo(f"wrote {arguments.html}")
    elif arguments.search_id:
        _show(views[0])
    else:
        _list(views)


async def _views(settings: Settings, search_id: str, last: int, gallery: Gallery | None) -> list[View]:
    records = await _records(settings, search_id)
    names = {stored_name(settings, name): name for name in await _names(settings)}
    newest = sorted(records, key=lambda one: one.created, reverse=True)[:last]
    return [_view(settings, one, *await _now(settings, one, names.get(one.collection), gallery)) for one in newest]


async def _records(settings: Settings, search_id: str) -> list[SearchRecord]:
    with tempfile.TemporaryDirectory(prefix="warmer-") as folder:
        await transfer_of(settings)(settings, "export", Path(folder) / "journal")
        searches = [one for _, one in read_file(Path(folder) / "journal") if isinstance(one, SearchRecord)]
    mine = [one for one in searches if namespace(settings).contains(one.collection)]
    found = [one for one in mine if one.id.startswith(search_id)]
    if search_id and len(found) > 1:
        raise SearchError(f"{len(found)} threads begin with {search_id[:60]!r}: give more of the search_id")
    if search_id and not found:
        raise SearchError(f"no thread {search_id[:60]!r} is in the journal: `warmer journal show` lists the newest")
    return found


async def _names(settings: Settings) -> list[str]:
    """List the collections; none if they cannot be reached, since a thread can be shown without them."""
    try:
        async with open_engine(settings) as engine:
            return await engine.collections.names()
    except WarmerError:
        return []


async def _now(
    settings: Settings, record: SearchRecord, collection: str | None, gallery: Gallery | None
) -> tuple[dict[str, str], dict[str, bytes]]:
    """Fetch the passages that are still what they were, and pictures from a gallery; none if the collection is gone."""
    if collection is None:
        return {}, {}
    try:
        async with opened(settings, collection) as index:
            there, _, _ = await present(index, [seen(hit) for hit in record.hits])
            roots = (await index.info()).roots
    except WarmerError:
        return {}, {}
    found = {id_: gallery.picture(hit.payload, roots, _THUMBNAIL) for id_, hit in there.items()} if gallery else {}
    texts = {id_: str(hit.payload.get("text") or "") for id_, hit in there.items()}
    return texts, {id_: picture for id_, picture in found.items() if picture}


def _view(settings: Settings, record: SearchRecord, texts: dict[str, str], pictures: dict[str, bytes]) -> View:
    named = record.model_copy(update={"collection": namespace(settings).strip(record.collection)})
    return view(named, texts, pictures)


def _show(thread: View) -> None:
    console = Console(highlight=False, markup=False, emoji=False)
    console.print(one_line(thread.query), style="bold", soft_wrap=True)
    console.print(f"in {one_line(thread.collection)}, {_when(thread.created)}. {summary(thread)}", soft_wrap=True)
    for number, texts in thread.said.items():
        for kind, text in texts:
            console.print(f"call {number}, {KINDS.get(kind, kind)}: {one_line(text)}", soft_wrap=True)
    console.print(_table(thread))


def _table(thread: View) -> Table:
    caption = "place: 1 has the best score. moved: how many places that is above (+) or below (-) the order shown."
    table = Table("hit", "score", "place", "moved", "passage", box=box.SIMPLE, show_edge=False)
    if thread.ranking:
        table.caption, table.caption_justify = caption, "left"
    for line in thread.lines:
        table.add_row(
            str(line.hit),
            "-" if line.score is None else f"{line.score:.3g}",
            str(line.place or "-"),
            f"{line.moved:+d}" if line.moved else "",
            one_line(line.title or line.source or "untitled"),
        )
    return table


def _list(threads: Sequence[View]) -> None:
    console = Console(highlight=False, markup=False, emoji=False)
    for one in threads:
        ranking = one.ranking
        scored = f"{len(ranking)} scored, best {ranking[0].score:.3g}" if ranking else "none scored"
        what = f"{one.id[:_SHORT]}  {_when(one.created)}  {one_line(one.collection)}  {len(one.lines)} shown, {scored}"
        console.print(one_line(one.query), style="bold", soft_wrap=True)
        console.print(f"  {what}", soft_wrap=True)
    echo("`warmer journal show SEARCH_ID` shows one of them, `--html FILE` writes them as a page.")


def _when(created: float) -> str:
    return strftime("%Y-%m-%d %H:%M", localtime(created))


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8", errors="replace")
    except OSError as error:
        raise StorageError(f"cannot write {file}: {error}") from error
