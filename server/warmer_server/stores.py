"""The journal on a Qdrant server, and this machine's where that one cannot be used."""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import anyio

from warmer.errors import EngineError, WarmerError
from warmer.index import Hit
from warmer.journal import AGENT, Journal, Search
from warmer.journal.jobs import Jobs
from warmer.journal.parameters import Parameters, Trained
from warmer.steering.wording import Wording

_T = TypeVar("_T")

_AGAIN = 30.0  # seconds after which a server whose journal could not be used is tried again

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stores:
    """Stores of searches and scores, parameters and jobs; `location` describes for `status` where they are."""

    journal: Journal
    parameters: Parameters
    jobs: Jobs
    location: str


class SharedStores:
    """Stores on the server, opened on first use.

    Where the key may not write them, this machine's are used. While they cannot be reached, a new search is kept on
    this machine, and can be scored here. The server is tried again half a minute later. A wrong or expired key is an
    error.
    """

    def __init__(
        self,
        open_server: Callable[[], Awaitable[Stores]],
        open_local: Callable[[], Stores],
        *,
        has_local: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take what opens the stores.

        Args:
            open_server: Opens those on the server; raises EngineError.
            open_local: Opens those of this machine.
            has_local: Tells whether this machine has some already.
            clock: Seconds.
        """
        self._open_server = open_server
        self._open_local = open_local
        self._has_local = has_local
        self._clock = clock
        self._server: Stores | None = None
        self._local: Stores | None = None
        self._fault: EngineError | None = None
        self._again = 0.0
        self._opening = anyio.Lock()
        self.journal = cast("Journal", _SharedJournal(self))
        self.parameters = cast("Parameters", _SharedParameters(self))
        self.jobs = cast("Jobs", _Shared(self, "jobs"))

    @property
    def location(self) -> str:
        """Where the stores are; empty before they are open."""
        if self.aside and self._local:
            return f"{self._local.location}; not on the server, since {self.aside}"
        return self._server.location if self._server else ""

    async def use(self, use: Callable[[Stores], Awaitable[_T]]) -> _T:
        """Use the stores on the server, or this machine's where those cannot be opened."""
        stores = await self._open()
        try:
            return await use(stores)
        except EngineError as error:
            if stores is not self._server or not (error.missing or error.beyond_limit):
                raise
            self._server = None  # somebody deleted the collection, or set limits: it is made again, or they are read
        return await use(await self._open())

    def set_aside(self, fault: EngineError) -> None:
        """Begin no search on the server, and do not try to open the stores there, for a while.

        Raises:
            EngineError: The key is wrong or has expired, which no other journal makes up for.
        """
        if fault.wrong_key:
            raise fault
        if self._fault is None:
            _log.warning("searches and scores are kept on this machine alone: %s", fault)
        self._fault, self._again = fault, self._clock() + _AGAIN

    @property
    def aside(self) -> EngineError | None:
        """Why no search is begun on the server now, if so."""
        return self._fault if self._clock() < self._again else None

    def own(self) -> Stores:
        """Open this machine's stores."""
        self._local = self._local or self._open_local()
        return self._local

    @property
    def has_own(self) -> bool:
        """Whether something may have been kept on this machine."""
        return self._local is not None or self._has_local()

    async def _open(self) -> Stores:
        async with self._opening:
            if self._server:
                return self._server
            if self._fault is None or self._clock() >= self._again:
                try:
                    self._server = await self._open_server()
                except EngineError as error:
                    self.set_aside(error)
                else:
                    self._fault = None
                    return self._server
            assert self._fault
            if self._fault.lacks_right:
                return self.own()
            raise self._fault


class _Shared:
    """One of the stores; all its methods are coroutines."""

    def __init__(self, stores: SharedStores, name: str) -> None:
        self._stores = stores
        self._name = name

    def __getattr__(self, method: str) -> Callable[..., Awaitable[Any]]:
        async def call(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401  as the protocol has them
            return await self._stores.use(
                lambda stores: getattr(getattr(stores, self._name), method)(*arguments, **named)
            )

        return call


class _SharedJournal(_Shared):
    """A journal that keeps a search on this machine if it must, and finds it there again."""

    def __init__(self, stores: SharedStores) -> None:
        super().__init__(stores, "journal")
        self._kept: set[str] = set()

    async def begin(self, search: Search, hits: Sequence[Hit]) -> list[int]:
        """Store a new search with its first hits."""
        if not self._stores.aside:
            try:
                return await self._stores.use(lambda stores: stores.journal.begin(search, hits))
            except EngineError as error:
                self._stores.set_aside(error)
        numbers = await self._stores.own().journal.begin(search, hits)
        self._kept.add(search.id)
        return numbers

    async def find(self, search_id: str, judge: str = AGENT) -> Search:
        """Load a search with a judge's scores, wherever it is kept."""
        if search_id in self._kept:
            return await self._stores.own().journal.find(search_id, judge)
        try:
            return await self._stores.use(lambda stores: stores.journal.find(search_id, judge))
        except WarmerError:
            if not self._stores.has_own:
                raise
            try:
                found = await self._stores.own().journal.find(search_id, judge)
            except WarmerError:
                found = None
            if found is None:
                raise
            self._kept.add(search_id)
            return found

    async def reword(self, search_id: str, more: Sequence[Wording], where: Mapping[str, Any] | None = None) -> None:
        """Keep what a further turn says."""
        await self._of(search_id, lambda journal: journal.reword(search_id, more, where))

    async def show(self, search_id: str, hits: Sequence[Hit]) -> list[int]:
        """Store the hits of a further round."""
        return await self._of(search_id, lambda journal: journal.show(search_id, hits))

    async def score(self, search_id: str, scores: Mapping[int, float], judge: str, rubric: str) -> None:
        """Store scores."""
        await self._of(search_id, lambda journal: journal.score(search_id, scores, judge, rubric))

    async def _of(self, search_id: str, use: Callable[[Journal], Awaitable[_T]]) -> _T:
        if search_id in self._kept:
            return await use(self._stores.own().journal)
        return await self._stores.use(lambda stores: use(stores.journal))


class _SharedParameters(_Shared):
    """Parameters, of which those that were read last serve while the server does not answer."""

    def __init__(self, stores: SharedStores) -> None:
        super().__init__(stores, "parameters")
        self._known: list[Trained] = []

    async def all(self) -> list[Trained]:
        """List the newest set of each key."""
        try:
            self._known = await self._stores.use(lambda stores: stores.parameters.all())
        except EngineError as error:
            if error.wrong_key:
                raise
        return self._known
