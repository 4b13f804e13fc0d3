import contextlib
import io
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qdrant_client import QdrantClient, models

from warmer.training.fit import Sample
from warmer_evals import EvalError
from warmer_evals.reference_fit import MARGIN, Couples, couple, descend, fit_reference, gradient, loss

REASON = "qdrant-relevance-feedback is not installed: pip install '.[reference]'"
DIM = 12


def make_sample(seed: int, hits: int = 25, digits: int = 1) -> Sample:
    """Make hits near a query, scored by similarity to the query and to a random target."""
    rng = np.random.default_rng(seed)
    query, target = rng.normal(size=DIM), rng.normal(size=DIM)
    vectors = query + 0.6 * rng.normal(size=(hits, DIM))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors = vectors[np.argsort(-(vectors @ query))]
    likeness = vectors @ (target + query) / 5 + rng.normal(size=hits) * 0.05
    scores = np.clip(np.round(0.3 + likeness, digits), 0, 1)
    return Sample(query.astype(np.float32), np.asarray(vectors, np.float32), scores)


def make_opposed_sample(seed: int, hits: int = 25) -> Sample:
    """Make a sample whose scores decrease with similarity to the query."""
    sample = make_sample(seed, hits)
    return Sample(sample.vector, sample.vectors, 1 - sample.scores)


def make_uniform_sample(hits: int = 25) -> Sample:
    """Make a sample whose first five scores are equal."""
    sample = make_sample(0, hits)
    return Sample(sample.vector, sample.vectors, np.concatenate([np.full(5, 0.5), sample.scores[5:]]))


def couples(similarity: Sequence[float], delta: Sequence[float], gap: float = 0.5) -> Couples:
    return Couples(np.array(similarity), np.array(delta), np.full(len(delta), gap))


@given(st.integers(0, 10_000), st.sampled_from([1, 2]), st.integers(6, 14))
@settings(max_examples=50)
def test_couples_match_naive_loops(seed: int, digits: int, hits: int) -> None:
    sample = make_sample(seed, hits, digits=digits)
    scores, vectors = sample.scores, np.asarray(sample.vectors, np.float64)
    query = sample.vector / np.linalg.norm(sample.vector)
    pairs = [(scores[p] - scores[n], n, p) for n in range(5) for p in range(5) if scores[p] > scores[n]]
    if not pairs:
        assert couple(sample) is None
        return
    gap, negative, positive = sorted(pairs, key=lambda pair: -pair[0])[0]  # stable: the first of equal gaps
    similarity, delta = vectors @ query, vectors @ (vectors[positive] - vectors[negative])
    expected = [(w, t) for w in range(5, hits) for t in range(5, hits) if scores[w] < scores[t]]
    found = couple(sample)
    assert found is not None
    assert found.similarity == pytest.approx([similarity[w] - similarity[t] for w, t in expected], abs=1e-6)
    assert found.delta == pytest.approx([delta[w] - delta[t] for w, t in expected], abs=1e-6)
    assert found.gap == pytest.approx([gap] * len(expected))


@given(
    st.integers(0, 10_000),
    st.tuples(st.floats(0.01, 2), st.floats(-0.5, 2.5), st.floats(-1, 2)).map(np.array),
)
@settings(max_examples=100)
def test_the_gradient_matches_finite_differences(seed: int, params: np.ndarray) -> None:
    rng = np.random.default_rng(seed)
    found = Couples(rng.normal(size=30), rng.normal(size=30), rng.uniform(0.1, 1, 30))
    a, b, c = params
    misses = a * found.similarity + c * found.gap**b * found.delta + MARGIN
    smooth = abs(misses) > 1e-3  # finite differences must not cross a kink
    found = Couples(found.similarity[smooth], found.delta[smooth], found.gap[smooth])
    steps = np.eye(3) * 1e-6
    differences = [(loss(found, params + step) - loss(found, params - step)) / 2e-6 for step in steps]
    assert gradient(found, params) == pytest.approx(differences, rel=1e-4, abs=1e-4)


def test_the_loss_sums_margin_violations() -> None:
    assert loss(couples([-0.2, 0.1], [0.0, 0.0]), np.ones(3)) == pytest.approx(0.11)
    assert loss(couples([0.1], [-0.4]), np.array([1.0, 2.0, 1.0])) == pytest.approx(0.1 - 0.4 * 0.25 + MARGIN)
    assert loss(couples([], []), np.ones(3)) == 0


def test_a_couple_exactly_on_its_margin_contributes_to_the_gradient() -> None:
    assert gradient(couples([-MARGIN], [0.0]), np.ones(3)) == pytest.approx([-MARGIN, 0, 0])


def test_the_parameters_that_validate_best_are_kept() -> None:
    training = couples([5.0], [-1.0], gap=1.0)  # no loss from c = 5 a on
    validation = couples([2.0, -20 / 3], [0.0, 4.0], gap=1.0)  # better up to c = 5 / 3 a, then worse
    found = descend(training, validation)
    assert found[2] / found[0] == pytest.approx(5 / 3, abs=0.03)
    assert found[1] == 1  # gaps of one do not depend on b
    overfitted = descend(training, training)
    assert overfitted[2] / overfitted[0] > 4.9


def test_training_ends_when_validation_stops_improving() -> None:
    training = couples([10.0], [-1.0], gap=1.0)  # always decreases a
    early = couples([-1.0], [0.0], gap=1.0)  # no loss until a is near 0
    found = descend(training, early)
    assert found == pytest.approx([0.995, 1.0, 1.005], abs=1e-6)  # the first step; no later one was better


def test_samples_without_a_pair_or_further_hits_are_left_out() -> None:
    samples = [make_sample(n) for n in range(10)]
    assert fit_reference([make_uniform_sample(), *samples[:3], make_sample(20, hits=5), *samples[3:]]) == fit_reference(
        samples
    )


def test_samples_may_differ_in_their_numbers_of_hits() -> None:
    fitted = fit_reference([make_sample(n, hits=8 + n) for n in range(20)])
    assert fitted.a > 0
    assert fitted != fit_reference([make_sample(n, hits=25) for n in range(20)])


def test_vectors_need_not_be_of_unit_length() -> None:
    samples = [make_sample(n) for n in range(10)]
    longer = [Sample(s.vector * 8, s.vectors * 4, s.scores) for s in samples]
    assert fit_reference(longer) == fit_reference(samples)


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ([], "0 of 0 queries are usable, with 0 and 0 couples"),
        ([make_sample(1), make_uniform_sample()], r"1 of 2 queries are usable, with 0 and \d+ couples"),
        ([make_sample(1), make_sample(2, hits=6)], r"2 of 2 queries are usable, with \d+ and 0 couples"),
    ],
)
def test_too_little_data_is_refused(samples: list[Sample], message: str) -> None:
    with pytest.raises(EvalError, match=message) as refused:
        fit_reference(samples)
    assert "untrained a = 1, b = 1, c = 1" in str(refused.value)
    assert "Score more queries" in str(refused.value)


def test_parameters_that_qdrant_cannot_use_are_refused_with_their_values() -> None:
    with pytest.raises(EvalError, match=r"ended at a = -\d\.\d+, b = .*needs a > 0 and b >= 0.*Score more queries"):
        fit_reference([make_opposed_sample(n) for n in range(20)])


def fit_with_package(samples: Sequence[Sample], **options: float) -> dict[str, float]:
    """Fit with the package itself, on a collection in memory in which each query finds only its own hits."""
    package = pytest.importorskip("qdrant_relevance_feedback", reason=REASON)
    client, size = QdrantClient(":memory:"), DIM * len(samples)
    client.create_collection("docs", models.VectorParams(size=size, distance=models.Distance.COSINE))

    def place(vector: np.ndarray, query: int) -> list[float]:
        """Embed a query's vectors in a subspace of their own."""
        placed = np.zeros(size)
        placed[query * DIM : (query + 1) * DIM] = vector
        return [float(x) for x in placed]

    hits = [(query, rank) for query, sample in enumerate(samples) for rank in range(len(sample.scores))]
    points = [
        models.PointStruct(id=n, vector=place(samples[query].vectors[rank], query), payload={"hit": [query, rank]})
        for n, (query, rank) in enumerate(hits)
    ]
    client.upsert("docs", points)

    class Retriever:
        def embed_query(self, query: int) -> list[float]:
            return place(samples[query].vector, query)

    class Feedback:
        def score(self, query: int, responses: list[list[int]]) -> list[float]:
            assert responses == [[query, rank] for rank in range(len(responses))]  # the sample's hits, in order
            return [float(score) for score in samples[query].scores]

    trainer = package.RelevanceFeedback(Retriever(), Feedback(), client, "docs", payload_key="hit")
    with contextlib.redirect_stdout(io.StringIO()):
        fitted: dict[str, float] = trainer.train(
            queries=list(range(len(samples))), limit=len(samples[0].scores), **options
        )
    return fitted


@pytest.mark.parametrize(("first", "digits", "count"), [(0, 1, 12), (100, 2, 13), (200, 1, 7)])
def test_the_package_fits_the_same_parameters(first: int, digits: int, count: int) -> None:
    samples = [make_sample(first + n, hits=20, digits=digits) for n in range(count)]
    samples.insert(2, make_uniform_sample(hits=20))
    ours, reference = fit_reference(samples), fit_with_package(samples)
    assert {"a": ours.a, "b": ours.b, "c": ours.c} == pytest.approx(reference, abs=1e-3)
    assert abs(ours.a - 1) > 0.1  # the fit moved


def test_the_package_stays_untrained_on_a_single_query_and_says_nothing() -> None:
    sample = make_sample(1)
    assert fit_with_package([sample]) == {"a": 1.0, "b": 1.0, "c": 1.0}
    with pytest.raises(EvalError):
        fit_reference([sample])


def test_the_package_gives_parameters_that_qdrant_cannot_use() -> None:
    samples = [make_opposed_sample(n, hits=15) for n in range(8)]
    assert fit_with_package(samples)["a"] < 0
    with pytest.raises(EvalError, match="needs a > 0"):
        fit_reference(samples)
