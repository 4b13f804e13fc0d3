import contextlib
import io
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qdrant_client import QdrantClient, models

from warmer.training.cross_validation import sign_test
from warmer_evals.statistics import interval, resamples
from warmer_evals.tutorial import Outcome, compare, judge_list, scores_differ

REASON = "qdrant-relevance-feedback is not installed: pip install '.[reference]'"
PARAMS = {"a": 0.2, "b": 1.0, "c": 1.5}

scores = st.lists(st.integers(0, 10).map(lambda grade: grade / 10), max_size=14)
seeds = st.lists(st.integers(0, 10).map(lambda grade: grade / 10), min_size=1, max_size=6)
outcomes = st.builds(Outcome, st.integers(0, 10), st.integers(0, 10), st.floats(0, 5))
paired = st.lists(st.tuples(outcomes, outcomes), max_size=12)


def outcome(above: int, dcg: float = 0.0) -> Outcome:
    return Outcome(above, above, dcg)


@given(seeds, scores, st.integers(1, 12))
def test_judging_a_list_matches_a_naive_loop(seeds: list[float], scores: list[float], n: int) -> None:
    above = strict = 0
    dcg = 0.0
    for rank in range(1, n + 1):
        if rank <= len(scores):
            above += scores[rank - 1] >= max(seeds)
            strict += scores[rank - 1] > max(seeds)
            dcg += scores[rank - 1] / math.log2(rank + 1)
    judged = judge_list(seeds, scores, n)
    assert (judged.above, judged.above_strict) == (above, strict)
    assert judged.dcg == pytest.approx(dcg)


@given(seeds, scores, st.data())
def test_unjudged_hits_count_as_zero(seeds: list[float], scores: list[float], data: st.DataObject) -> None:
    judged = data.draw(st.lists(st.booleans(), min_size=len(scores), max_size=len(scores)))
    gaps = [score if told else math.nan for score, told in zip(scores, judged, strict=True)]
    zeros = [score if told else 0.0 for score, told in zip(scores, judged, strict=True)]
    assert judge_list([*seeds, math.nan], gaps, 10) == judge_list([*seeds, 0.0], zeros, 10)


def test_only_the_first_n_hits_count_and_fewer_are_allowed() -> None:
    assert judge_list([0.5, 0.2], [0.5, 0.0, 0.9], 2) == Outcome(1, 0, 0.5)
    assert judge_list([0.5, 0.2], [0.9], 10) == Outcome(1, 1, 0.9)
    assert judge_list([0.5, 0.2], [], 10) == Outcome(0, 0, 0.0)


def test_a_list_without_seeds_is_refused() -> None:
    with pytest.raises(ValueError, match="zero-size"):
        judge_list([], [0.5], 10)


def test_queries_with_equal_seeds_do_not_count() -> None:
    assert scores_differ([0.5, 0.4])
    assert scores_differ([0.0, 0.0, 1e-8])
    assert scores_differ([math.nan, 0.5])
    assert not scores_differ([])
    assert not scores_differ([0.5])
    assert not scores_differ([0.5, 0.5, 0.5 + 1e-10])
    assert not scores_differ([math.nan, 0.0])


@given(paired)
def test_a_comparison_matches_naive_loops(pairs: list[tuple[Outcome, Outcome]]) -> None:
    result = compare([ours for ours, _ in pairs], [vanilla for _, vanilla in pairs])
    wins = sum(ours.dcg > vanilla.dcg + 1e-9 for ours, vanilla in pairs)
    losses = sum(ours.dcg < vanilla.dcg - 1e-9 for ours, vanilla in pairs)
    found, base = sum(ours.above for ours, _ in pairs), sum(vanilla.above for _, vanilla in pairs)
    strict, weak = (sum(pair[n].above_strict for pair in pairs) for n in (0, 1))
    share = 1 / (len(pairs) or 1)
    assert (result.queries, result.relevant_new, result.relevant_new_strict) == (len(pairs), found, strict)
    assert result.relevance_gain == (pytest.approx((found - base) / base) if base else None)
    assert result.relevance_gain_strict == (pytest.approx((strict - weak) / weak) if weak else None)
    assert result.dcg_wins == pytest.approx(wins * share)
    assert result.dcg_losses == pytest.approx(losses * share)
    assert result.dcg_ties == pytest.approx((len(pairs) - wins - losses) * share)
    assert result.dcg_sign_test_p == sign_test(wins, losses)


def test_a_loss_is_negative_and_a_gain_over_zero_is_none() -> None:
    assert compare([outcome(1)], [outcome(4)]).relevance_gain == pytest.approx(-0.75)
    nothing = compare([outcome(3, 1.0)], [outcome(0)])
    assert (nothing.relevance_gain, nothing.relevance_gain_strict) == (None, None)
    assert nothing.ci == {"relevance_gain": None, "dcg_wins": (1.0, 1.0)}


def test_differences_within_rounding_tie() -> None:
    result = compare([outcome(1, 1.0), outcome(1, 2.0)], [outcome(1, 1.0 + 1e-12), outcome(1, 1.0)])
    assert (result.dcg_wins, result.dcg_losses, result.dcg_ties) == (0.5, 0.0, 0.5)


def test_without_queries_there_is_no_evidence() -> None:
    result = compare([], [])
    assert (result.queries, result.relevance_gain, result.dcg_wins, result.dcg_ties) == (0, None, 0.0, 0.0)
    assert (result.dcg_sign_test_p, result.ci) == (1.0, {"relevance_gain": None, "dcg_wins": None})


def test_lists_of_different_queries_are_refused() -> None:
    with pytest.raises(ValueError, match="of 1 and 2"):
        compare([outcome(1)], [outcome(1), outcome(2)])


def test_intervals_match_a_naive_paired_bootstrap() -> None:
    rng = np.random.default_rng(3)
    ours = [outcome(int(above), float(dcg)) for above, dcg in zip(rng.integers(0, 9, 20), rng.random(20), strict=True)]
    base = [outcome(int(above), float(dcg)) for above, dcg in zip(rng.integers(0, 6, 20), rng.random(20), strict=True)]
    gains, wins = [], []
    for drawn in resamples(20):
        gains.append(sum(ours[n].above for n in drawn) / sum(base[n].above for n in drawn) - 1)
        wins.append(sum(ours[n].dcg > base[n].dcg for n in drawn) / 20)
    ci = compare(ours, base).ci
    assert ci["relevance_gain"] == pytest.approx(np.percentile(gains, [2.5, 97.5]))
    assert ci["dcg_wins"] == pytest.approx(np.percentile(wins, [2.5, 97.5]))


def test_resamples_are_the_same_every_time() -> None:
    assert resamples(7).shape == (4000, 7)
    assert resamples(0).shape == (4000, 0)
    assert np.array_equal(resamples(7), resamples(7))
    assert set(np.unique(resamples(7))) == set(range(7))


def test_an_interval_needs_half_of_the_resamples() -> None:
    values = np.arange(1000.0)
    values[:400] = np.nan
    assert interval(values) == pytest.approx(tuple(np.percentile(values[400:], [2.5, 97.5])))
    values[:501] = np.nan
    assert interval(values) is None
    assert interval(np.zeros(0)) is None


class Judge:
    """A feedback model that prefers a fixed direction, and records the scores of the lists it is shown."""

    def __init__(self, preference: np.ndarray) -> None:
        self.preference, self.shown = preference, list[list[float]]()

    def score(self, query: list[float], responses: list[list[float]]) -> list[float]:
        found = np.array(responses).reshape(-1, len(query)) @ (self.preference + np.array(query))
        self.shown.append([float(score) for score in np.clip(np.round(found * 2 + 5) / 10, 0, 1)])
        return self.shown[-1]


class Retriever:
    def embed_query(self, query: list[float]) -> list[float]:
        return query


class PackageEvaluator:
    """The package's own evaluator on a small collection in memory."""

    def __init__(self, points: int) -> None:
        package = pytest.importorskip("qdrant_relevance_feedback", reason=REASON)
        self.evaluate = pytest.importorskip("qdrant_relevance_feedback.evaluate", reason=REASON)
        self.metrics = pytest.importorskip("qdrant_relevance_feedback.evaluate.metrics", reason=REASON)
        rng = np.random.default_rng(5)
        vectors = rng.normal(size=(points, 6)).tolist()
        self.queries: list[list[float]] = rng.normal(size=(12, 6)).tolist()
        client = QdrantClient(":memory:")
        client.create_collection("docs", models.VectorParams(size=6, distance=models.Distance.COSINE))
        rows = [models.PointStruct(id=n, vector=vector, payload={"x": vector}) for n, vector in enumerate(vectors)]
        client.upsert("docs", rows)
        self.judge = Judge(rng.normal(size=6))
        feedback = package.RelevanceFeedback(Retriever(), self.judge, client, "docs", payload_key="x")
        self.evaluator = self.evaluate.Evaluator(feedback)

    def __call__(self, query: list[float], seeds: int = 3) -> tuple[dict[str, int] | None, Any]:
        """Evaluate a query; return the counts and the win rates. The judge records seeds, feedback and vanilla."""
        self.judge.shown.clear()
        wins = self.metrics.DcgWinRate(10)
        with contextlib.redirect_stdout(io.StringIO()):
            counts = self.evaluator.evaluate_query(query, PARAMS, wins, at_n=10, eval_context_limit=seeds)
        return counts, wins


def test_the_package_counts_the_same_on_every_query() -> None:
    theirs = PackageEvaluator(points=80)
    seen, ours, base, total = set(), [], [], {"relevance_feedback_retrieval": 0, "vanilla_retrieval": 0}
    for query in theirs.queries:
        counts, wins = theirs(query)
        assert (counts is not None) == scores_differ(theirs.judge.shown[0])
        if counts is None:
            seen.add("skipped")
            continue
        seeds, feedback, vanilla = theirs.judge.shown
        ours.append(judge_list(seeds, feedback, 10))
        base.append(judge_list(seeds, vanilla, 10))
        assert counts == {"relevance_feedback_retrieval": ours[-1].above, "vanilla_retrieval": base[-1].above}
        result = compare(ours[-1:], base[-1:])
        assert (result.dcg_wins, result.dcg_losses, result.dcg_ties) == (wins.right_wins, wins.left_wins, wins.ties)
        seen.add("win" if result.dcg_wins else "loss" if result.dcg_losses else "tie")
        total = {name: total[name] + counts[name] for name in total}
    assert {"win", "loss", "skipped"} <= seen  # the data cover every case
    gain = theirs.metrics.relative_relevance_gain(*total.values())
    assert gain > 0
    assert gain == pytest.approx(100 * (compare(ours, base).relevance_gain or 0))


def test_the_package_also_leaves_out_queries_with_a_single_seed() -> None:
    theirs = PackageEvaluator(points=80)
    assert theirs(theirs.queries[0], seeds=1)[0] is None
    assert not scores_differ(theirs.judge.shown[0])


def test_the_package_hides_losses_and_gains_over_zero() -> None:
    gain = pytest.importorskip("qdrant_relevance_feedback.evaluate.metrics", reason=REASON).relative_relevance_gain
    assert gain(1, 4) == gain(4, 0) == 0.0
    assert compare([outcome(1)], [outcome(4)]).relevance_gain == pytest.approx(-0.75)
    assert compare([outcome(4)], [outcome(0)]).relevance_gain is None


def test_the_package_cannot_judge_short_lists() -> None:
    theirs = PackageEvaluator(points=9)  # three seeds leave six hits
    with pytest.raises(IndexError):
        for query in theirs.queries:
            theirs(query)
    assert len(theirs.judge.shown[1]) == 6
    judge_list(theirs.judge.shown[0], theirs.judge.shown[1], 10)


def test_the_package_returns_no_win_rates() -> None:
    theirs = PackageEvaluator(points=80)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        returned = theirs.evaluator.evaluate_queries(10, PARAMS, eval_queries=theirs.queries)
    assert set(returned) == {"relevance_feedback_retrieval", "vanilla_retrieval"}
    assert "DCG win rates" in printed.getvalue()
