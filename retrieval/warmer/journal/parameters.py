"""Trained parameters and the choice between them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Protocol, Self

from warmer.errors import WarmerError
from warmer.index import Coefficients
from warmer.journal import AGENT
from warmer.steering.params import OFF, Params, is_current


class OutdatedParametersError(WarmerError):
    """Parameters were fitted to an earlier formula, and say nothing here."""


@dataclass(frozen=True, slots=True)
class Key:
    """What a set of parameters is valid for, and for nothing else."""

    collection: str
    model: str
    judge: str
    rubric: str


@dataclass(frozen=True, slots=True)
class Trained:
    """A trained set of parameters.

    Attributes:
        key: What the set is valid for.
        params: Parameters of the steering.
        plain: Coefficients a, b, c of Qdrant's own feedback formula, for any Qdrant client.
        queries: Number of scored queries in the fit.
        figures: Held-out figures, by name.
        created: Time of the training, UTC, ISO 8601.
    """

    key: Key
    params: Params
    plain: Coefficients
    queries: int
    figures: Mapping[str, Any]
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    def to_json(self) -> dict[str, Any]:
        """Return the set as JSON, with the plain a, b, c at the top level for other Qdrant clients."""
        return {**asdict(self.plain), "warmer": asdict(self)}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        """Parse the output of `to_json`.

        Raises:
            OutdatedParametersError: The parameters are of an earlier formula.
            WarmerError: The input is something else, or has coefficients out of range.
        """
        try:
            own = raw["warmer"]
            if not is_current(own["params"]):
                raise _outdated()
            params, plain = Params(**own["params"]), Coefficients(**own["plain"])
            figures, queries, created = dict(own["figures"]), int(own["queries"]), str(own["created"])
            return cls(Key(**own["key"]), params, plain, queries, figures, created)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise WarmerError(
                f"these are not exported parameters ({error!r}): export them with `warmer params`"
            ) from error


class Parameters(Protocol):
    """Stores sets of parameters; the newest set of a key is valid.

    Every method raises a WarmerError if the storage fails.
    """

    async def add(self, trained: Trained) -> None:
        """Store a set."""
        ...

    async def all(self) -> list[Trained]:
        """List the newest set of each key."""
        ...


def choose(known: list[Trained], key: Key) -> Params:
    """Choose the parameters for a judge's scores; `Params.source` names the choice and its reason.

    Parameters trained on the same judge's scores come first. For an agent without such parameters, those of another
    judge are used unless they are off. Parameters of another model, or of the same judge with another rubric, are stale
    and never used.
    """
    here = [trained for trained in known if trained.key.collection == key.collection]
    fresh = [trained for trained in here if trained.key.model == key.model]
    own = [t for t in fresh if (t.key.judge, t.key.rubric) == (key.judge, key.rubric)]
    borrowed = [t for t in fresh if t.key.judge != AGENT and not t.params.off] if key.judge == AGENT else []
    if usable := own or borrowed:
        best = max(usable, key=lambda trained: trained.created)
        if best.params.off:
            return replace(OFF, source=f"off: held-out results were worse with scores of {best.key.judge}")
        return replace(best.params, source=f"trained {best.created[:10]} on scores of {best.key.judge}")
    if stale := [t for t in here if t.key.judge in {key.judge, AGENT}]:
        other = stale[-1].key
        return Params(source=f"default; those trained are for {other.model}, rubric {other.rubric}: train again")
    return Params()


def _outdated() -> OutdatedParametersError:
    problem = "these parameters were fitted by an earlier version, to another formula: train again"
    return OutdatedParametersError(problem)
