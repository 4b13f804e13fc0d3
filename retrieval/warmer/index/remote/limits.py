"""What a collection's strict mode allows, and requests that keep within it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from qdrant_client import models

from warmer.passage import native_id

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Limits:
    """Qdrant's limits; None: no limit.

    Attributes:
        query: Points that one query, or one page of a scroll, may ask for.
        batch: Queries in one request.
        upsert: Points in one write.
        ef: Breadth of a walk through the graph.
        oversampling: Of quantised vectors.
        conditions: Conditions in one filter.
        condition: Values, such as ids, in one condition.
        reads: Tokens of reading per minute: one for a query and one for each condition; one for each point by id.
        writes: Likewise, of writing.
        exact: Whether exact counts are allowed.
        unindexed: Whether a filter may name a field that has no payload index.
    """

    query: int | None = None
    batch: int | None = None
    upsert: int | None = None
    ef: int | None = None
    oversampling: float | None = None
    conditions: int | None = None
    condition: int | None = None
    reads: int | None = None
    writes: int | None = None
    exact: bool = True
    unindexed: bool = True

    @classmethod
    def of(cls, config: models.CollectionConfig) -> "Limits":
        """Read the limits of a collection; those that are set but not enabled are none."""
        strict = config.strict_mode_config
        if strict is None or not strict.enabled:
            return cls()
        return cls(
            query=strict.max_query_limit,
            batch=strict.search_max_batchsize,
            upsert=strict.upsert_max_batchsize,
            ef=strict.search_max_hnsw_ef,
            oversampling=strict.search_max_oversampling,
            conditions=strict.filter_max_conditions,
            condition=strict.condition_max_size,
            reads=strict.read_rate_limit,
            writes=strict.write_rate_limit,
            exact=strict.search_allow_exact is not False,
            unindexed=strict.unindexed_filtering_retrieve is not False,
        )

    def page(self, wanted: int) -> int:
        """Say how many points to ask for at once."""
        return min(wanted, self.query or wanted)

    def named(self, wanted: int) -> int:
        """Say how many points one condition may name that all are to be found by."""
        return max(1, min(self.page(wanted), self.condition or wanted))

    def fits(self, conditions: int) -> bool:
        """Tell whether a filter may have so many conditions."""
        return self.conditions is None or conditions <= self.conditions

    def write(self, wanted: int) -> int:
        """Say how many points to write at once."""
        return max(1, min(wanted, self.upsert or wanted, self.writes or wanted))

    def batches(self, queries: Sequence[models.QueryRequest]) -> list[list[models.QueryRequest]]:
        """Divide queries among as few requests as the size of a batch, and the tokens of a minute, allow."""
        batches: list[list[models.QueryRequest]] = []
        tokens = 0
        for query in queries:
            cost = 1 + conditions(query.filter)
            full = not batches or len(batches[-1]) == self.batch or (self.reads and tokens + cost > self.reads)
            if full:
                batches.append([])
                tokens = 0
            batches[-1].append(query)
            tokens += cost
        return batches

    def excluding(self, ids: Sequence[str], others: int) -> list[models.HasIdCondition]:
        """Name points in conditions that are to hide them, beside `others` conditions; what does not fit is left out.

        Whoever asks leaves the rest out of the answer.
        """
        size = self.condition or len(ids) or 1
        room = None if self.conditions is None else max(0, self.conditions - others)
        return [named_by_id(chunk) for chunk in in_chunks(ids, size)][:room]

    def __str__(self) -> str:
        """Name the limits that are set, in Qdrant's words."""
        named = {
            "max_query_limit": self.query,
            "search_max_batchsize": self.batch,
            "upsert_max_batchsize": self.upsert,
            "search_max_hnsw_ef": self.ef,
            "search_max_oversampling": self.oversampling,
            "filter_max_conditions": self.conditions,
            "condition_max_size": self.condition,
            "read_rate_limit": self.reads,
            "write_rate_limit": self.writes,
            "search_allow_exact": None if self.exact else "false",
            "unindexed_filtering_retrieve": None if self.unindexed else "false",
        }
        return ", ".join(f"{name} {value}" for name, value in named.items() if value is not None)


def conditions(where: models.Filter | None) -> int:
    """Count the conditions of a filter as Qdrant does, those of nested filters one by one."""
    if where is None:
        return 0
    clauses: list[Any] = [where.must, where.should, where.must_not]
    if where.min_should:
        clauses.append(where.min_should.conditions)
    each = [one for clause in clauses for one in (clause if isinstance(clause, list) else [clause] if clause else [])]
    return sum(_weight(one) for one in each)


def named_by_id(ids: Sequence[str]) -> models.HasIdCondition:
    """Name points in a condition."""
    return models.HasIdCondition(has_id=[native_id(id_) for id_ in ids])


def in_chunks(items: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    """Divide into parts of at most `size`."""
    return (items[start : start + size] for start in range(0, len(items), size))


def _weight(condition: object) -> int:
    if isinstance(condition, models.Filter):
        return conditions(condition)
    return conditions(condition.nested.filter) if isinstance(condition, models.NestedCondition) else 1
