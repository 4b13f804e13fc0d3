"""Load an embedding model, and embed queries, without blocking the event loop."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from functools import partial
from threading import Thread
from time import monotonic

import anyio.to_thread

from warmer.embedding import Retriever
from warmer.embedding.batch import embed_batch
from warmer.heap import trim
from warmer.recent import Recent
from warmer.vectors import QueryVector

Waiting = Callable[[float], Awaitable[None]]
_KEPT = 1_000  # vectors of texts that were embedded: agents ask the same again, 2 MB


class BackgroundEmbedder:
    """Loads a model once, in a daemon thread; after a failure the next call tries again."""

    def __init__(self, load: Callable[[], Retriever]) -> None:
        self._load = load
        self._loading: Future[Retriever] | None = None
        self._one_at_a_time = anyio.CapacityLimiter(1)
        self._vectors = Recent[tuple[str, bool], QueryVector](_KEPT)  # by text, and whether it is a passage

    def start(self) -> None:
        """Start loading, unless it has started."""
        if self._loading is None:
            self._loading = Future()
            Thread(target=self._load_into, args=(self._loading,), daemon=True).start()

    async def ready(self, waiting: Waiting) -> Retriever:
        """Wait for the model; meanwhile call `waiting` at once and every second, with the seconds waited so far.

        Raises:
            EmbeddingError: The model cannot be loaded.
        """
        self.start()
        assert self._loading
        loading, started = self._loading, monotonic()
        settled = asyncio.wrap_future(loading)
        settled.add_done_callback(lambda future: future.exception())  # asyncio logs exceptions that are never retrieved
        while not loading.done():
            await waiting(monotonic() - started)
            await asyncio.wait([settled], timeout=1)
        if loading.exception() and self._loading is loading:
            self._loading = None
        return loading.result()

    async def embed(
        self, retriever: Retriever, queries: Sequence[str], passages: Sequence[str] = ()
    ) -> list[QueryVector]:
        """Embed in a thread, one search at a time: the model uses all cores for one as it is.

        Raises:
            EmbeddingError: The retriever failed.
        """
        texts = [*((text, False) for text in queries), *((text, True) for text in passages)]
        known = {text: self._vectors[text] for text in texts if text in self._vectors}
        if new := [text for text in dict.fromkeys(texts) if text not in known]:
            by_kind = [text for text, passage in new if not passage], [text for text, passage in new if passage]
            embed = partial(embed_batch, retriever, *by_kind)
            vectors = await anyio.to_thread.run_sync(embed, limiter=self._one_at_a_time)
            known |= zip(new, vectors, strict=True)
        self._vectors.keep(known)
        return [known[text] for text in texts]

    def _load_into(self, loading: Future[Retriever]) -> None:
        try:
            loaded = self._load()
            trim()  # saves 56 MB with the built-in model
            loading.set_result(loaded)
        except BaseException as error:  # noqa: BLE001  reraised in `ready`
            loading.set_exception(error)
