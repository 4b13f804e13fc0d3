"""An embedding model that loads while the server already talks, and embeds beside it."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from threading import Thread
from time import monotonic

import anyio.to_thread

from warmer.embedding import Retriever
from warmer.heap import trim
from warmer.vectors import QueryVector

Waiting = Callable[[float], Awaitable[None]]


class BackgroundEmbedder:
    """Loads a model once, in a daemon thread; a load that failed is tried again by the next call."""

    def __init__(self, load: Callable[[], Retriever]) -> None:
        self._load = load
        self._loading: Future[Retriever] | None = None
        self._one_at_a_time = anyio.CapacityLimiter(1)

    def start(self) -> None:
        """Begin to load, unless that was begun."""
        if self._loading is None:
            self._loading = Future()
            Thread(target=self._run, args=(self._loading,), daemon=True).start()

    async def ready(self, waiting: Waiting) -> Retriever:
        """Wait for the model; `waiting` is called at once and every second, with the seconds waited so far.

        Raises:
            EmbeddingError: The model cannot be loaded.
        """
        self.start()
        assert self._loading
        loading, begun = self._loading, monotonic()
        settled = asyncio.wrap_future(loading)
        settled.add_done_callback(lambda future: future.exception())  # asyncio logs what nobody looks at
        while not loading.done():
            await waiting(monotonic() - begun)
            await asyncio.wait([settled], timeout=1)
        if loading.exception() and self._loading is loading:
            self._loading = None
        return loading.result()

    async def embed_query(self, retriever: Retriever, text: str) -> QueryVector:
        """Embed in a thread, one query at a time: the model uses all cores for one as it is."""
        return await anyio.to_thread.run_sync(retriever.embed_query, text, limiter=self._one_at_a_time)

    def _run(self, loading: Future[Retriever]) -> None:
        try:
            loaded = self._load()
            trim()  # 56 MB for the built-in model
            loading.set_result(loaded)
        except BaseException as error:  # noqa: BLE001  whatever it is, the caller who waits must see it
            loading.set_exception(error)
