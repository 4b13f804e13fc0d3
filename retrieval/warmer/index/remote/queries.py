"""Queries in Qdrant's own form."""

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
from qdrant_client import models

from warmer.errors import CollectionError, EngineError, ModelMismatchError
from warmer.index import DenseQuery
from warmer.index.formula import most_telling, one_pair
from warmer.index.remote.description import Description, no_feedback
from warmer.index.remote.equivalent import ONE_PAIR, equivalent
from warmer.vectors import QueryVector, SparseVector, TextQuery, own_vector

_MOST_EXAMPLES = 20  # where all pairs must go: the time of a feedback query grows with their square
_LARGEST = float(np.finfo(np.float32).max)


def dense_query(known: Description, query: DenseQuery, *, embeds: bool) -> models.Query:
    """Write a nearest query, or Qdrant's feedback query.

    Examples go as vectors: a point that goes by id vanishes from every part of a request, and one that is gone makes
    all of it fail. Where one pair of examples ranks as all pairs do, that pair goes.

    Args:
        known: The collection.
        query: What is asked.
        embeds: Whether the server may be sent texts.

    Raises:
        CollectionError: Scores cannot steer there.
        EngineError: A number is too large for Qdrant, or the server cannot do what is asked.
        ModelMismatchError: The query's vector is of another length.
    """
    target = _input(known, query.vector, embeds=embeds)
    if not query.items:
        return models.NearestQuery(nearest=target)
    _check_numbers(query)
    if not known.feedback:
        return _equivalent(known, query)
    own = all(isinstance(item.vector, np.ndarray) for item in query.items)
    if own and known.space.distance in ONE_PAIR:
        query = one_pair(query, cosine=known.space.distance == models.Distance.COSINE)
    query = most_telling(query, _MOST_EXAMPLES)
    examples = [
        models.FeedbackItem(example=_input(known, item.vector, embeds=embeds), score=item.score) for item in query.items
    ]
    naive = models.NaiveFeedbackStrategyParams(**asdict(query.coefficients))
    return models.RelevanceFeedbackQuery(
        relevance_feedback=models.RelevanceFeedbackInput(
            target=target, feedback=examples, strategy=models.NaiveFeedbackStrategy(naive=naive)
        )
    )


def words_query(words: SparseVector) -> models.SparseVector:
    """Write a query of words."""
    return models.SparseVector(indices=words.indices, values=words.values)


def _equivalent(known: Description, query: DenseQuery) -> models.NearestQuery:
    if known.space.distance not in ONE_PAIR:
        why = no_feedback(known.version, known.space.distance)
        raise CollectionError(f"scores cannot steer in collection {known.info.name!r}: {why}")
    moved = equivalent(known.space.distance, own_vector(query.vector), query.items, query.coefficients)
    return models.NearestQuery(nearest=moved.tolist())


def _input(known: Description, vector: QueryVector, *, embeds: bool) -> models.VectorInput:
    if isinstance(vector, TextQuery) and embeds:
        if not known.feedback:
            major, minor = known.version
            raise EngineError(
                f"server {major}.{minor} has no feedback query, which queries embedded by {vector.model!r} on the "
                "server need: upgrade Qdrant to 1.17, or choose a model for this collection that runs here"
            )
        return models.Document(text=vector.text, model=vector.model)
    own = own_vector(vector)
    if own.size != known.space.dim:
        vectors = f"vectors {known.space.vector!r}" if known.space.vector else "vectors"
        raise ModelMismatchError(
            f"a query of {own.size} numbers does not fit collection {known.info.name!r}, whose {vectors} have "
            f"{known.space.dim}: embed queries with the model that made them"
        )
    numbers: list[float] = own.tolist()
    _check("a query's vector", numbers)
    return numbers


def _check_numbers(query: DenseQuery) -> None:
    by = query.coefficients
    _check("the parameters a, b and c", [by.a, by.b, by.c])
    _check("the weights of scores", [item.score for item in query.items])


def _check(what: str, numbers: Sequence[float]) -> None:
    """Refuse what is no float32: Qdrant would answer with scores that are null."""
    largest = float(np.abs(numbers).max(initial=0.0))
    if not largest <= _LARGEST:
        raise EngineError(f"{what}: {largest:g} is not a 32-bit number; train the parameters again")
