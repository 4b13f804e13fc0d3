import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from warmer.training.fit import Sample
from warmer_evals.rocchio import Weights, move, tune

VECTORS = arrays(np.float32, (4, 8), elements=st.floats(-1, 1, width=32)).filter(
    lambda v: bool((np.linalg.norm(v, axis=1) > 0.1).all())
)


@given(VECTORS, arrays(np.float64, 3, elements=st.floats(0, 1)))
def test_zero_weights_leave_the_query_unchanged(vectors: np.ndarray, scores: np.ndarray) -> None:
    query, hits = vectors[0], vectors[1:]
    moved = move(query, hits, scores, Weights(0, 0))
    assert np.allclose(moved, query / np.linalg.norm(query), atol=1e-6)


@given(VECTORS, st.floats(0.1, 3), st.floats(0.1, 3))
def test_a_query_moves_towards_the_good_and_away_from_the_bad(vectors: np.ndarray, towards: float, away: float) -> None:
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    query, good, bad = unit[:3]
    moved = move(query, np.stack([good, bad]), np.array([1.0, 0.0]), Weights(towards, away))
    assert np.allclose(moved, query + (towards * good - away * bad) / 2, atol=1e-5)


def test_tuning_moves_towards_informative_scores() -> None:
    """The judge scores by the second axis, to which the query is orthogonal."""
    rng = np.random.default_rng(0)

    def sample() -> Sample:
        vectors = rng.normal(size=(25, 6)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return Sample(np.eye(6, dtype=np.float32)[0], vectors, (vectors[:, 1].astype(np.float64) + 1) / 2)

    tuned = tune([sample() for _ in range(20)])
    assert tuned.towards > 1
    assert tune([]) == Weights(0, 0)
