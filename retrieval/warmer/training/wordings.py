"""Fit of what a passage, other wordings and earlier scores count, beside the first wording.

A thread's scored hits are ranked by its words alone, mixed with the weights that are tried, and moved by what an
earlier thread says; nDCG@10 by the thread's own scores tells how well. That needs no seeds: it is the first list that
these weights are for. Words score as they did: their mix would take a query of the engine for each weight.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np

from warmer.steering.feedback import trusted, weigh
from warmer.steering.params import Params
from warmer.steering.target import target
from warmer.training.cross_validation import FEWEST_QUERIES, held_out_gains
from warmer.training.fit import FEWEST_HITS, Floats, Sample, Table, by_query, dcg, standard, usable
from warmer.vectors import own_vector, unit

_CONFIDENCE = 0.975  # a weight may go up or down: of fits to noise, one in twenty is taken
_PASSAGE, _REWORDING, _EARLIER = (0.0, 0.25, 0.5, 1.0), (0.0, 0.25, 0.5), (0.0, 0.5, 1.0)


def fit_wordings(samples: Sequence[Sample], served: Params, share: float) -> Params | None:
    """Fit the weights of a passage, of rewordings and of earlier threads.

    Args:
        samples: Scored searches with their wordings, the first wording first.
        served: What is served without this fit.
        share: The share of the words that is served.

    Returns:
        `served` with other weights; None if none are better on held-out queries in 97.5% of bootstrap samples, or if
        fewer than ten queries can tell.
    """
    table = tabulate_wordings(samples, served, share)
    told = usable(table)
    told = told[np.ptp(table.ndcg[:, told], axis=0) > 0]
    if told.size < FEWEST_QUERIES:
        return None
    gains, resampled = held_out_gains(table, told)
    if gains.mean() <= 0 or (resampled > 0).mean() < _CONFIDENCE:
        return None
    best = table.grid[table.best(told)]
    return None if best == table.grid[table.default] else best


def tabulate_wordings(samples: Sequence[Sample], served: Params, share: float) -> Table:
    """Rank every sample by every weight that some sample can tell of."""
    kinds = {wording.kind for sample in samples for wording in sample.wordings[1:]}
    passage = sorted({*_PASSAGE, served.passage}) if "passage" in kinds else (served.passage,)
    rewording = sorted({*_REWORDING, served.rewording}) if kinds & {"query", "rewording"} else (served.rewording,)
    earlier = sorted({*_EARLIER, served.earlier}) if any(sample.earlier for sample in samples) else (served.earlier,)
    grid = [replace(served, passage=p, rewording=r, earlier=e) for p, r, e in product(passage, rewording, earlier)]
    ndcg = by_query(np.stack([_measure(sample, grid, share) for sample in samples], axis=1), samples)
    unknown = np.full_like(ndcg, np.nan)
    shape = len(passage), len(rewording), len(earlier)
    return Table(grid, shape, ndcg, unknown, unknown, unknown[0], default=grid.index(served))


def _measure(sample: Sample, grid: Sequence[Params], share: float) -> Floats:
    """Give the nDCG@10 of a sample with each of some parameters; NaN where scores do not differ."""
    if not sample.wordings or sample.scores.size < FEWEST_HITS or np.ptp(sample.scores) == 0:
        return np.full(len(grid), np.nan)
    hits = unit(sample.vectors)
    aims = unit(np.stack([own_vector(target(sample.wordings, params)) for params in grid]))
    scores = standard(aims @ hits.T + [_moves(sample, params) for params in grid])
    if sample.lexical is not None:
        scores = (1 - share) * scores + share * standard(sample.lexical)
    order = np.argsort(-scores, axis=-1, kind="stable")
    return np.asarray(dcg(sample.scores[order]) / dcg(-np.sort(-sample.scores)))


def _moves(sample: Sample, params: Params) -> Floats:
    """Say what an earlier thread adds to the similarity of each hit."""
    feedback = weigh(trusted(sample.earlier, params), params)
    if feedback.silent:
        return np.zeros(len(sample.vectors))
    vectors = unit(np.stack([example.vector for example in feedback.examples]))
    return np.asarray(unit(sample.vectors) @ (feedback.weights @ vectors))
