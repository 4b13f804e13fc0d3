import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from warmer.embedding import Embedder
from warmer.index import joined
from warmer.steering.feedback import Example, dense_query, equivalent_query, weigh
from warmer.steering.fusion import fuse
from warmer.steering.params import Params
from warmer.training.cross_validation import HeldOut, hold_out, sign_test
from warmer.training.fit import DEFAULTS, Sample, dcg, fit, fit_plain, tabulate, usable

DIM = 12


def make_sample(seed: int, hits: int = 25, signal: float = 1.0, words: float | None = None) -> Sample:
    """Make hits near a query, scored by their likeness to a target elsewhere, of which their words tell some."""
    rng = np.random.default_rng(seed)
    query, target = rng.normal(size=DIM), rng.normal(size=DIM)
    vectors = query + rng.normal(size=(hits, DIM))
    order = np.argsort(-(vectors @ query) / np.linalg.norm(vectors, axis=1))
    vectors = vectors[order]
    likeness = signal * vectors @ target + (1 - signal) * rng.normal(size=hits) * 3
    scores = np.clip(np.round(5 + likeness) / 10, 0, 1)
    lexical = None if words is None else 3 + words * likeness + (1 - words) * rng.normal(size=hits) * 3
    return Sample(query.astype(np.float32), np.asarray(vectors, np.float32), scores, lexical)


@given(
    st.integers(0, 10_000),
    st.sampled_from([0.1, 0.3, DEFAULTS.neutral]),
    st.sampled_from([0.0, 0.4, DEFAULTS.c]),
    st.sampled_from([None, 0.0, 0.3]),
)
@settings(max_examples=50, deadline=None)
def test_the_table_ranks_as_the_server_does(seed: int, neutral: float, c: float, share: float | None) -> None:
    sample = make_sample(seed, hits=12, words=None if share is None else 0.5)
    table = tabulate([sample])
    if not usable(table).size:
        return
    params, gains = Params(neutral=neutral, c=c, share=share), []
    for seeds in (3, 5, 8):
        rest, others = sample.scores[seeds:], sample.vectors[seeds:]
        if np.ptp(rest) == 0:
            continue
        scored = [Example(str(n), sample.vectors[n], float(sample.scores[n])) for n in range(seeds)]
        feedback = weigh(scored, params)
        assume(feedback.weights.sum() > -0.95)  # below, the served query moves less
        moved = equivalent_query(dense_query(sample.vector, feedback))
        ids = [f"{n:02}" for n in range(len(rest))]
        dense = dict(zip(ids, (others @ moved / np.linalg.norm(others, axis=1)).tolist(), strict=True))
        words = None if sample.lexical is None else dict(zip(ids, sample.lexical[seeds:].tolist(), strict=True))
        order = np.argsort(-fuse(joined(dense, words), share or 0.0), kind="stable")
        gains.append(dcg(rest[order]) / dcg(-np.sort(-rest)))
    assert table.ndcg[table.at(replace(DEFAULTS, neutral=neutral, c=c, share=share)), 0] == pytest.approx(
        np.mean(gains), abs=1e-3
    )


def test_the_defaults_are_in_the_table_with_and_without_feedback() -> None:
    for words, share in (None, 0.4), (0.5, 0.4), (0.5, 0.1), (0.5, 0.17):
        table = tabulate([make_sample(1, words=words)], share)
        served = DEFAULTS if words is None else replace(DEFAULTS, share=share)
        assert table.grid[table.default] == served
        assert table.grid[table.vanilla] == replace(served, c=0.0)
        assert len(table.grid) == np.prod(table.shape) == len(table.ndcg)


def test_the_share_of_the_words_follows_what_they_tell() -> None:
    telling, idle = ([make_sample(n, words=words) for n in range(40)] for words in (1.0, 0.0))
    one, other = fit(tabulate(telling)).share, fit(tabulate(idle)).share
    assert one is not None
    assert other is not None
    assert one > other
    assert other <= 0.1
    assert fit(tabulate([make_sample(n) for n in range(40)])).share is None


def test_samples_with_and_without_words_are_fitted_together() -> None:
    samples = [make_sample(n, words=0.5 if n % 2 else None) for n in range(20)]
    assert fit(tabulate(samples)).share is not None
    assert hold_out(tabulate(samples)).queries == 20


def test_dcg_of_a_known_list() -> None:
    assert dcg(np.array([3.0, 2.0, 0.0, 1.0])) == pytest.approx(3 + 2 / math.log2(3) + 1 / math.log2(5))
    assert dcg(np.ones(30)) == dcg(np.ones(10))


def test_scores_with_a_signal_are_worth_training_on() -> None:
    table = tabulate([make_sample(seed) for seed in range(60)])
    held_out = hold_out(table)
    assert held_out.ndcg > held_out.vanilla
    assert held_out.better_than_vanilla > 0.99
    assert held_out.gain_over_vanilla[1] > 0
    assert held_out.dcg_wins > held_out.dcg_losses
    assert fit(table).source == "trained"


GOOD = HeldOut(30, 0.7, 0.6, 0.65, (0.1, 0.05, 0.15), 0.9, 0.7, 0.2, 0.1, 20, 5, 5, 0.01, 0.4)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, ""),
        ({"vanilla": 0.75}, "do not beat vanilla retrieval: nDCG@10 0.700 against 0.750"),
        ({"default": 0.7}, "do not beat the defaults"),
        ({"better_than_vanilla": 0.79}, "79% of bootstrap samples, and 80% are required"),
        ({"relevance_gain": -0.14}, "(-14% against vanilla retrieval)"),
        ({"relevance_gain": None}, ""),
    ],
)
def test_the_rule_for_accepting_parameters(change: dict[str, float], said: str) -> None:
    reason = replace(GOOD, **change).reason  # type: ignore[arg-type]
    assert said in reason
    assert bool(reason) == bool(said)


@pytest.mark.parametrize(
    ("change", "off"),
    [
        ({}, False),
        ({"default_harm": 0.9}, False),  # the fit is accepted
        ({"relevance_gain": -0.1}, False),  # the fit is rejected, the defaults are good
        ({"relevance_gain": -0.1, "default_harm": 0.79}, False),
        ({"relevance_gain": -0.1, "default_harm": 0.8}, True),
        ({"ndcg": 0.5, "default_harm": 1.0}, True),
    ],
)
def test_feedback_is_off_if_neither_the_fit_nor_the_defaults_win(change: dict[str, float], off: bool) -> None:
    assert replace(GOOD, **change).off is off  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(3))
def test_noise_is_rejected_with_advice(seed: int) -> None:
    table = tabulate([make_sample(100 * seed + n, signal=0) for n in range(40)])
    reason = hold_out(table).reason
    assert reason.startswith("on held-out queries")
    assert "Score more queries" in reason


def test_fits_are_deterministic_and_never_negative() -> None:
    samples = [make_sample(seed, signal=seed % 2) for seed in range(20)]
    first, second = (tabulate(samples) for _ in range(2))
    assert fit(first) == fit(second)
    assert hold_out(first) == hold_out(second)
    assert hold_out(first, seed=1) != hold_out(first)
    plain = fit_plain(samples)
    assert plain.a > 0
    assert plain.b >= 0
    for c in (fit(first).c, plain.c):
        assert c >= 0


def test_samples_may_differ_in_size() -> None:
    equal = make_sample(1)
    equal = Sample(equal.vector, equal.vectors, np.full(25, 0.4))
    samples = [make_sample(2, hits=5), equal, make_sample(3, hits=1), make_sample(4, hits=9), make_sample(5)]
    table = tabulate(samples)
    assert 1 not in usable(table)
    assert 2 not in usable(table)
    assert {3, 4} <= set(usable(table).tolist())
    assert hold_out(table).queries == usable(table).size


def test_too_few_samples_raise_value_error() -> None:
    with pytest.raises(ValueError, match="two samples"):
        hold_out(tabulate([make_sample(1)]))
    with pytest.raises(ValueError, match="no sample"):
        fit(tabulate([make_sample(1, hits=2)]))


@pytest.mark.parametrize(("wins", "losses", "p"), [(0, 0, 1), (5, 5, 1), (8, 2, 0.109375), (10, 0, 0.001953125)])
def test_sign_test(wins: int, losses: int, p: float) -> None:
    assert sign_test(wins, losses) == sign_test(losses, wins) == pytest.approx(p)


SHARED = Path(__file__).parents[4] / "shared" / "datasets" / "qdrant-docs"


@pytest.mark.skipif(not SHARED.exists(), reason=f"needs the data set {SHARED.name} beside the project")
def test_verdicts_on_qdrants_documentation(embedder: Embedder) -> None:
    """Scores of a language model bring hits that the best seed does not excel; those of a bi-encoder bring none."""
    lines = {
        name: [json.loads(line) for line in (SHARED / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
        for name in ("queries", "corpus")
    }
    texts = {line["_id"]: line["text"] for line in [*lines["queries"], *lines["corpus"]]}
    grades: dict[str, dict[str, float]] = {}
    for row in (SHARED / "qrels" / "train.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        query, document, grade = row.split("\t")
        grades.setdefault(query, {})[document] = float(grade) / 10
    with np.load(SHARED / "biencoder-scores.npz") as biencoder:
        table, rows, columns = (biencoder[name] for name in ("scores", "query_ids", "corpus_ids"))
    row_of, column_of = ({name: n for n, name in enumerate(names.tolist())} for names in (rows, columns))
    judged = sorted({document for graded in grades.values() for document in graded})
    vectors = {judged[n]: vector for n, vector in embedder.embed_passages([texts[document] for document in judged])}
    model, encoder = [], []
    for query, graded in grades.items():
        vector = embedder.embed_query(texts[query])
        hits = sorted(graded, key=lambda document: -float(vectors[document] @ vector))
        found = np.stack([vectors[document] for document in hits])
        model.append(Sample(vector, found, np.array([graded[document] for document in hits])))
        cosines = table[row_of[query], [column_of[document] for document in hits]]
        encoder.append(Sample(vector, found, np.clip(cosines.astype(np.float64), 0, 1)))
    accepted, encoders = (hold_out(tabulate(samples)) for samples in (model, encoder))
    assert accepted.reason == ""
    assert accepted.gain_over_vanilla[1] > 0.1
    assert accepted.dcg_wins > 2 * accepted.dcg_losses
    assert accepted.relevance_gain
    assert accepted.relevance_gain > 0.1
    assert encoders.relevance_gain is not None
    assert encoders.relevance_gain <= 0
    assert encoders.gain_over_vanilla[1] < accepted.gain_over_vanilla[1] / 2


def test_a_query_counts_once_however_many_searches_it_has() -> None:
    own = [replace(make_sample(seed), query=str(seed)) for seed in range(12)]
    flood = [replace(make_sample(100 + seed), query="0") for seed in range(50)]
    plain, flooded = tabulate(own), tabulate([*own, *flood])
    assert flooded.ndcg.shape == plain.ndcg.shape
    assert np.array_equal(flooded.ndcg[:, 1:], plain.ndcg[:, 1:], equal_nan=True)
    alone = tabulate([own[0], *flood]).ndcg
    assert alone.shape[1] == 1
    each = tabulate([replace(sample, query="") for sample in (own[0], *flood)]).ndcg
    assert np.allclose(alone[:, 0], np.nanmean(each, axis=1))
    assert hold_out(flooded).queries == hold_out(plain).queries
