"""The view of `warmer-evals run`: retrieval methods on the queries of a dataset."""

from typing import Any

from warmer_evals.report import hits
from warmer_evals.report.figures import DASH, bounds, change, interval, number, pick, probability, share, with_interval
from warmer_evals.report.run_charts import difference_chart, interval_charts, line_charts, outcome_chart
from warmer_evals.report.run_rows import dcg_gain
from warmer_evals.report.run_tables import facts, figure_tables, parameter_tables
from warmer_evals.report.run_words import cautions, lead, meanings
from warmer_evals.report.verdicts import Headline, by_interval, by_sign_test, sentence
from warmer_evals.report.view import View


def run_view(report: dict[str, Any]) -> View:
    """Return the view of a run's report."""
    headlines = _headlines(report)
    return View(
        title=f"Is feedback worth having on {report.get('dataset') or DASH}?",
        eyebrow=f"Warmer {report.get('version') or ''} · evaluation of retrieval",
        verdict=sentence(headlines),
        lead=lead(report),
        cautions=cautions(report),
        headlines=headlines,
        intervals=interval_charts(report),
        outcomes=outcome_chart(report),
        differences=difference_chart(report),
        lines=line_charts(report),
        hits=_hits(report),
        hits_title="A query's hits, before and after",
        hits_note="Both lists go on after the same first hits. ★ marks a hit that scores at least as high as the best "
        "of them (the line across each bar): the hits that relevance gain counts.",
        tables=[*figure_tables(report), *parameter_tables(report)],
        facts=facts(report),
        meanings=meanings(report),
        notes=[str(note) for note in pick(report, "about", "notes") or []],
    )


def _headlines(report: dict[str, Any]) -> list[Headline]:
    method = pick(report, "methods", "feedback") or {}
    queries = method.get("queries")
    judged_queries = sum(
        pick(entry, "methods", "feedback", "ndcg") is not None for entry in report.get("per_query") or []
    )
    same = method.get("same_list") or {}
    gain, lift = method.get("relevance_gain"), method.get("vs_same_list")
    wins, losses, p = (method.get(name) for name in ("dcg_wins", "dcg_losses", "dcg_sign_test_p"))
    ours, theirs = (pick(report, "budget", name) or {} for name in ("feedback", "rerank_only_hybrid"))
    budget = pick(report, "about", "budget") or DASH
    return [
        Headline(
            "relevance gain",
            "Relevance gain",
            change(gain),
            interval(bounds(method, "ci", "relevance_gain"), change),
            "new hits as good as the best first hit, against the dense list; against the same list "
            f"{with_interval(same.get('relevance_gain'), bounds(same, 'ci', 'relevance_gain'), change)}",
            by_interval(bounds(same, "ci", "relevance_gain"), queries),
        ),
        Headline(
            "DCG per query",
            "DCG, wins : losses",
            f"{_query_count(wins, queries)} : {_query_count(losses, queries)}",
            f"{share(wins)} won, {share(losses)} lost, {probability(p)}" if wins is not None else "",
            _over_same_list(same),
            by_sign_test(same.get("dcg_wins"), same.get("dcg_losses"), same.get("dcg_sign_test_p"), queries),
        ),
        Headline(
            "residual nDCG",
            "Lift in residual nDCG",
            change(lift),
            interval(bounds(method, "ci", "vs_same_list"), change),
            "by the judgments, over the same list without feedback",
            by_interval(bounds(method, "ci", "vs_same_list"), judged_queries),
        ),
        Headline(
            f"nDCG at {budget} scores",
            f"nDCG at {budget} scores",
            change(ours.get("over_same_list")),
            interval(bounds(ours, "ci_over_same_list"), change),
            f"in rounds with feedback {number(ours.get('ndcg'))}, reading on down the same list "
            f"{number(theirs.get('ndcg'))}",
            by_interval(bounds(ours, "ci_over_same_list"), judged_queries),
        ),
    ]


def _over_same_list(same: dict[str, Any]) -> str:
    meaning = "queries whose new hits score more, or less, by the judge"
    wins, losses = same.get("dcg_wins"), same.get("dcg_losses")
    return (
        meaning
        if wins is None
        else f"{meaning}; {share(wins)} : {share(losses)} against the same list without feedback"
    )


def _hits(report: dict[str, Any]) -> dict[str, Any]:
    documents = hits.Documents(report.get("texts") or {})
    queries = [_query(entry, documents) for entry in report.get("per_query") or []]
    return hits.bundle(queries, documents, ("Without feedback", "With feedback"), 1)


def _query(entry: dict[str, Any], documents: hits.Documents) -> dict[str, Any]:
    seeds = entry.get("seeds") or []
    vanilla, feedback = (pick(entry, "hits", name) or [] for name in ("vanilla", "feedback"))
    best = max((score for _, score in seeds if score is not None), default=None)
    first = {"title": "First hits, scored", "columns": [hits.column("", 1, documents.numbered(seeds))]}
    after = [
        hits.column(_list_note(entry, "vanilla"), len(seeds) + 1, documents.numbered(vanilla)),
        hits.column(_list_note(entry, "feedback"), len(seeds) + 1, documents.compared(feedback, vanilla)),
    ]
    skipped = bool(entry.get("skipped"))
    return hits.query(
        entry, dcg_gain(entry), None if skipped else best, [first, {"title": "Next hits", "columns": after}]
    )


def _list_note(entry: dict[str, Any], name: str) -> str:
    method = pick(entry, "methods", name)
    if entry.get("skipped") or not method:
        return "skipped: the scores do not differ" if entry.get("skipped") else ""
    ndcg = method.get("ndcg")
    return f"DCG {number(method.get('dcg'), 2)}" + (f", residual nDCG {number(ndcg, 2)}" if ndcg is not None else "")


def _query_count(fraction: float | None, queries: int | None) -> str:
    return DASH if fraction is None or queries is None else str(round(fraction * queries))
