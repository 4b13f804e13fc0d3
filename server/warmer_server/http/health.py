"""Whether a server is alive, and whether it can answer: for proxies and orchestrators, open to all, saying little."""

from time import monotonic

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse

from warmer.errors import WarmerError
from warmer_tools.training import quiet
from warmer_tools.workspace import Workspace

_SECONDS = 5.0
_KEPT = 1.0  # seconds for which an answer holds, so that asking often costs the engine nothing


async def health(_: Request) -> JSONResponse:
    """Say that the process answers."""
    return JSONResponse({"alive": True})


class Readiness:
    """Whether the model is loaded, and journal and engine answer."""

    def __init__(self) -> None:
        self._workspace: Workspace | None = None
        self._missing = "start"
        self._until = 0.0
        self._asking = anyio.Lock()

    def begin(self, workspace: Workspace) -> None:
        """Say what is to be asked."""
        self._workspace = workspace

    async def answer(self, _: Request) -> JSONResponse:
        """Answer 200, or 503 with what is missing."""
        async with self._asking:
            if monotonic() >= self._until:
                self._missing = await self._ask()
                self._until = monotonic() + _KEPT
        return JSONResponse({"ready": not self._missing, "missing": self._missing}, 503 if self._missing else 200)

    async def _ask(self) -> str:
        if self._workspace is None:
            return "start"
        step = "model"
        try:
            with anyio.fail_after(_SECONDS):
                await self._workspace.retrievers.of("").ready(quiet)
                step = "journal"
                await self._workspace.parameters.all()
                step = "engine"
                await self._workspace.collections.names()
        except (WarmerError, TimeoutError):
            return step
        return ""
