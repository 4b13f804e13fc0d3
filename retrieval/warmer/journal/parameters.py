"""Trained parameters, by what they were trained for."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Protocol, Self

from warmer.errors import WarmerError
from warmer.index import Coefficients
from warmer.journal import AGENT
from warmer.steering.params import OFF, Params


@dataclass(frozen=True, slots=True)
class Key:
    """What parameters hold for: they say nothing about another collection, model, judge or rubric."""

    collection: str
    model: str
    judge: str
    rubric: str


@dataclass(frozen=True, slots=True)
class Trained:
    """A set of parameters.

    Attributes:
        key: What it holds for.
        params: How far scores steer in this server.
        plain: a, b, c for plain use with any Qdrant client: all pairs, nothing added.
        queries: How many scored queries it was fitted on.
        figures: The held-out figures, by name.
        created: When, in UTC, ISO 8601.
    """

    key: Key
    params: Params
    plain: Coefficients
    queries: int
    figures: Mapping[str, Any]
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    def to_json(self) -> dict[str, Any]:
        """Describe for a file; a, b, c at the top are for any other Qdrant client."""
        return {**asdict(self.plain), "warmer": asdict(self)}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote.

        Raises:
            WarmerError: It is something else, or holds numbers that cannot steer.
        """
        try:
            own = raw["warmer"]
            params, plain = Params(**own["params"]), Coefficients(**own["plain"])
            Coefficients(params.a, params.b, params.c)
            figures, queries, created = dict(own["figures"]), int(own["queries"]), str(own["created"])
            return cls(Key(**own["key"]), params, plain, queries, figures, created)
        except (KeyError, TypeError, ValueError) as error:
            raise WarmerError(
                f"these are no exported parameters ({error!r}): export them with `warmer params`"
            ) from error


class Parameters(Protocol):
    """Keeps sets of parameters; the newest of a key counts."""

    async def add(self, trained: Trained) -> None:
        """Keep a set."""
        ...

    async def all(self) -> list[Trained]:
        """List the newest set of each key."""
        ...


def choose(known: list[Trained], key: Key) -> Params:
    """Choose the parameters that serve a judge's scores; `source` says which and why.

    Those trained on the judge's own scores come first. An agent's scores may use another judge's where none
    were trained on agents' scores. Those of another model or rubric are stale and never used.
    """
    here = [trained for trained in known if trained.key.collection == key.collection]
    fresh = [trained for trained in here if trained.key.model == key.model]
    own = [t for t in fresh if (t.key.judge, t.key.rubric) == (key.judge, key.rubric)]
    lent = [t for t in fresh if t.key.judge != AGENT and not t.params.off] if key.judge == AGENT else []
    if usable := own or lent:
        best = max(usable, key=lambda trained: trained.created)
        if best.params.off:
            return replace(OFF, source=f"off: held-out results were worse with scores of {best.key.judge}")
        return replace(best.params, source=f"trained {best.created[:10]} on scores of {best.key.judge}")
    if stale := [t for t in here if t.key.judge in {key.judge, AGENT}]:
        other = stale[-1].key
        return Params(source=f"default; those trained are for {other.model}, rubric {other.rubric}: train again")
    return Params()
