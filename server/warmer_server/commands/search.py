"""`warmer search`: try a collection in the terminal, by the search that agents get."""

import argparse
import asyncio
import json

import anyio

from warmer.errors import SearchError
from warmer_server.app import make_workspace
from warmer_server.engine import open_engine
from warmer_server.settings import Settings, read_settings
from warmer_server.terminal import echo
from warmer_tools import search
from warmer_tools.reply import HitReply
from warmer_tools.training import quiet
from warmer_tools.wordings import checked


def run(arguments: argparse.Namespace) -> None:
    """Search once, and print the hits on stdout: a line for the title and place of each, and its text below."""
    reply = asyncio.run(_search(read_settings(arguments.url), arguments))
    if arguments.json:
        echo(json.dumps(reply.model_dump(mode="json", exclude_none=True), ensure_ascii=False), stderr=False)
        return
    if not reply.hits:
        raise SearchError(f"nothing was found in {reply.collection}: try other words, or see `warmer status`")
    named: dict[str, tuple[str, str]] = {}  # title and source of a hit, by what refers to it: "= hit 3"
    for hit in reply.hits:
        name = named.get(hit.title or "", (hit.title or "", hit.source or ""))
        named[f"= hit {hit.hit}"] = name
        echo(_place(hit, *name), *(f"    {line}" for line in hit.text.split("\n")), "", stderr=False)


async def _search(settings: Settings, arguments: argparse.Namespace) -> search.SearchReply:
    if arguments.url:
        settings = settings.model_copy(update={"qdrant_url": "" if arguments.url == "embedded" else arguments.url})
    said = checked(arguments.query, arguments.reword)
    request = search.Request(
        collection=arguments.collection,
        limit=arguments.limit,
        where=_filter(arguments.filter),
        detail="full" if arguments.full else "",
    )
    async with open_engine(settings) as engine, anyio.create_task_group() as background:
        workspace = make_workspace(settings, engine, background)
        reply = await search.run(workspace, said, request, quiet)
        background.cancel_scope.cancel()
    return reply


def _filter(text: str) -> dict[str, object] | None:
    try:
        where = json.loads(text) if text else None
    except ValueError as error:
        raise SearchError(f"--filter {text[:100]!r} is not JSON: {error}") from error
    if where is not None and not isinstance(where, dict):
        raise SearchError(f'--filter {text[:100]!r} is not a filter: write {{"must": [...]}}, Qdrant\'s filter JSON')
    return where


def _place(hit: HitReply, title: str, source: str) -> str:
    line = f":{hit.line}" if hit.line else ""
    return f"{hit.hit:>2}  {'  '.join(filter(None, [title, f'{source}{line}' if source else '']))}"
