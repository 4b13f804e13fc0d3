"""The fit of what wordings, a passage and earlier threads count."""

from dataclasses import replace

import numpy as np
import pytest

from warmer.steering.feedback import Example
from warmer.steering.params import Params
from warmer.steering.target import target
from warmer.steering.wording import Kind, Wording
from warmer.training.fit import Sample, dcg, usable
from warmer.training.wordings import fit_wordings, tabulate_wordings
from warmer.vectors import own_vector, unit

DIM, HITS, SHARE = 24, 25, 0.3


def make_sample(seed: int, kind: Kind = "passage", good: float = 1.0) -> Sample:
    """Make a thread whose second wording is as near to what is wanted as `good` says; the first is not near."""
    rng = np.random.default_rng(seed)
    wanted, query = rng.normal(size=DIM), rng.normal(size=DIM)
    other = good * wanted + (1 - good) * rng.normal(size=DIM)
    vectors = 0.6 * query + 0.4 * wanted + rng.normal(size=(HITS, DIM))
    scores = np.clip(np.round(5 + vectors @ wanted / 2) / 10, 0, 1)
    wordings = (
        Wording("query", f"q{seed}", query.astype(np.float32)),
        Wording(kind, "p", other.astype(np.float32), int(kind == "query")),
    )
    return Sample(query.astype(np.float32), vectors.astype(np.float32), scores, query=f"q{seed}", wordings=wordings)


def with_earlier(sample: Sample, *, right: bool) -> Sample:
    """Give a thread without rewordings the scores that it gave itself, or their reverse, as an earlier thread's."""
    scores = sample.scores if right else 1 - sample.scores
    hits = zip(sample.vectors[:8], scores[:8].tolist(), strict=True)
    earlier = [Example(str(n), vector, score) for n, (vector, score) in enumerate(hits)]
    return replace(sample, wordings=sample.wordings[:1], earlier=earlier)


@pytest.mark.parametrize("kind", ["passage", "rewording", "query"])
def test_a_wording_that_tells_much_counts_more_and_one_that_misleads_less(kind: Kind) -> None:
    name = "passage" if kind == "passage" else "rewording"
    telling = fit_wordings([make_sample(seed, kind) for seed in range(30)], Params(), SHARE)
    misleading = fit_wordings([make_sample(seed, kind, -1.0) for seed in range(30)], Params(), SHARE)
    assert telling
    assert misleading
    assert getattr(misleading, name) < getattr(Params(), name) < getattr(telling, name)
    others = {"passage", "rewording", "earlier"} - {name}
    assert all(getattr(telling, other) == getattr(Params(), other) for other in others)


def test_earlier_scores_that_mislead_count_less() -> None:
    samples = [make_sample(seed) for seed in range(30)]
    assert fit_wordings([with_earlier(one, right=True) for one in samples], Params(), SHARE) is None, "1 is the most"
    misled = fit_wordings([with_earlier(one, right=False) for one in samples], Params(), SHARE)
    assert misled
    assert misled.earlier == 0


def test_what_tells_nothing_changes_nothing() -> None:
    alone = [replace(sample, wordings=sample.wordings[:1]) for sample in map(make_sample, range(30))]
    assert fit_wordings(alone, Params(), SHARE) is None
    assert fit_wordings([make_sample(seed) for seed in range(9)], Params(), SHARE) is None
    assert fit_wordings([replace(one, wordings=()) for one in alone], Params(), SHARE) is None


def test_noise_is_seldom_taken() -> None:
    taken = 0
    for start in range(0, 200, 20):
        samples = [make_sample(seed, good=0.0) for seed in range(start, start + 20)]
        shuffled = [
            replace(one, scores=np.random.default_rng(seed).permutation(one.scores)) for seed, one in enumerate(samples)
        ]
        taken += fit_wordings(shuffled, Params(), SHARE) is not None
    assert taken <= 2


def test_the_table_ranks_as_a_thread_is_ranked() -> None:
    sample = make_sample(3)
    table = tabulate_wordings([sample], Params(), SHARE)
    assert table.grid[table.default] == Params()
    assert usable(table).size == 1
    for params, ndcg in zip(table.grid, table.ndcg[:, 0], strict=True):
        similarity = unit(sample.vectors) @ unit(own_vector(target(sample.wordings, params)))
        gains = sample.scores[np.argsort(-similarity, kind="stable")]
        assert ndcg == pytest.approx(float(dcg(gains) / dcg(-np.sort(-sample.scores))))
