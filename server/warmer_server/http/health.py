"""Health and readiness probes for proxies and orchestrators. They need no token, so they reveal little."""

from time import monotonic

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse

from warmer.errors import WarmerError
from warmer_tools.training import quiet
from warmer_tools.workspace import Workspace

_TIMEOUT = 5.0  # seconds
_CACHE_SECONDS = 1.0  # so that frequent probes do not load the engine


async def health(_: Request) -> JSONResponse:
    """Answer 200: the process is alive."""
    return JSONResponse({"alive": True})


class Readiness:
    """Readiness probe: checks that the model is loaded and that journal and engine answer."""

    def __init__(self) -> None:
        self._workspace: Workspace | None = None
        self._missing = "start"
        self._expires = 0.0
        self._lock = anyio.Lock()

    def set_workspace(self, workspace: Workspace) -> None:
        """Set the workspace to check; the server is not ready before."""
        self._workspace = workspace

    async def answer(self, _: Request) -> JSONResponse:
        """Answer 200, or 503 with the part that is missing."""
        async with self._lock:
            if monotonic() >= self._expires:
                self._missing = await self._check()
                self._expires = monotonic() + _CACHE_SECONDS
        return JSONResponse({"ready": not self._missing, "missing": self._missing}, 503 if self._missing else 200)

    async def _check(self) -> str:
        if self._workspace is None:
            return "start"
        step = "model"
        try:
            with anyio.fail_after(_TIMEOUT):
                await self._workspace.retrievers.of("").ready(quiet)
                step = "journal"
                await self._workspace.parameters.all()
                step = "engine"
                await self._workspace.collections.names()
        except (WarmerError, TimeoutError):
            return step
        return ""
