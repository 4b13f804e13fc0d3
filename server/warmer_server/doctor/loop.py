"""Check the whole loop on a temporary collection."""

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from time import perf_counter

import anyio

from warmer.embedding import DEFAULT_MODEL
from warmer.index.edge.catalog import Catalog
from warmer.passage import Passage
from warmer.publishing.embedded.publish import index_passages
from warmer_server.app import make_workspace
from warmer_server.doctor import Finding
from warmer_server.engine import open_engine
from warmer_server.models import load_embedder
from warmer_server.settings import Settings
from warmer_tools import give_feedback, search
from warmer_tools.training import quiet
from warmer_tools.wordings import Said

_TEXTS = (
    "Bread rises because yeast makes gas in the dough.",
    "Sourdough is raised by wild yeast and bacteria.",
    "A long rise in the cold gives bread more taste.",
    "Boats heel because the wind pushes on the sails.",
    "Tides rise because the Moon pulls at the sea.",
    "Steam in the oven keeps the crust soft while bread rises.",
)


async def loop(settings: Settings) -> AsyncIterator[Finding]:
    """Index, search, score and search again, with the built-in model and the embedded engine."""
    began = perf_counter()
    with tempfile.TemporaryDirectory(prefix="warmer-doctor-") as folder:
        temporary = Settings.model_construct(
            data_dir=Path(folder),
            search_hours=settings.search_hours,
            text_limit=settings.text_limit,
            skim_limit=settings.skim_limit,
        )
        passages = [Passage(text, "", "doctor.md", line) for line, text in enumerate(_TEXTS, start=1)]
        generations = Catalog(temporary.data_dir).generations("doctor")
        index_passages(generations, passages, load_embedder(DEFAULT_MODEL), roots={})
        async with open_engine(temporary) as engine, anyio.create_task_group() as background:
            workspace = make_workspace(temporary, engine, background)
            found = await search.run(workspace, Said("why does dough rise"), search.Request(limit=3), quiet)
            scores = {str(hit.hit): 9 - 4 * place for place, hit in enumerate(found.hits)}
            reply = await give_feedback.run(workspace, give_feedback.Given(found.search_id, scores), 3, quiet)
            background.cancel_scope.cancel()
    if reply.outcome != "steered" or {hit.hit for hit in reply.hits} & {hit.hit for hit in found.hits}:
        yield Finding("loop", "fails", f"scores did not steer as they should ({reply.outcome}): please report it")
        return
    took = f"in {perf_counter() - began:.1f} seconds"
    yield Finding("loop", "ok", f"{len(_TEXTS)} passages indexed, searched, scored and searched again {took}")
