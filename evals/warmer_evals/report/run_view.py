"""The view of `warmer-evals run`: retrieval methods on the queries of a dataset."""

from typing import Any

from warmer.steering.scores import SCALE
from warmer_evals.report import hits
from warmer_evals.report.figures import DASH, bounds, change, interval, number, pick, probability, share
from warmer_evals.report.run_charts import difference_chart, interval_charts, line_charts, outcome_chart
from warmer_evals.report.run_rows import dcg, dcg_gain, same_list
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
        hits_note=_hits_note(report),
        tables=[*figure_tables(report), *parameter_tables(report)],
        facts=facts(report),
        meanings=meanings(report),
        notes=[str(note) for note in pick(report, "about", "notes") or []],
    )


def _headlines(report: dict[str, Any]) -> list[Headline]:
    """Compare feedback with the same list without it; figures that were not measured have no card."""
    method = pick(report, "methods", "feedback") or {}
    queries = method.get("queries")
    judged_queries = sum(
        pick(entry, "methods", "feedback", "ndcg") is not None for entry in report.get("per_query") or []
    )
    same = method.get("same_list") or {}
    wins, losses, p = (same.get(name) for name in ("dcg_wins", "dcg_losses", "dcg_sign_test_p"))
    ours, theirs = (pick(report, "budget", name) or {} for name in ("feedback", "rerank_only_hybrid"))
    budget = pick(report, "about", "budget") or DASH
    cards = [
        Headline(
            f"nDCG at {budget} scores",
            f"nDCG at {budget} scores",
            change(ours.get("over_same_list")),
            interval(bounds(ours, "ci_over_same_list"), change),
            f"{number(ours.get('ndcg'))} in rounds with feedback, {number(theirs.get('ndcg'))} reading on down the "
            "same list",
            by_interval(bounds(ours, "ci_over_same_list"), judged_queries),
        ),
        Headline(
            "residual nDCG",
            "Residual nDCG",
            change(method.get("vs_same_list")),
            interval(bounds(method, "ci", "vs_same_list"), change),
            "the next hits by the judgments, over the same list without feedback",
            by_interval(bounds(method, "ci", "vs_same_list"), judged_queries),
        ),
        Headline(
            "relevance gain",
            "Relevance gain",
            change(same.get("relevance_gain")),
            interval(bounds(same, "ci", "relevance_gain"), change),
            "next hits as good as the best first hit, by the judge, over the same list without feedback",
            by_interval(bounds(same, "ci", "relevance_gain"), queries),
        ),
        Headline(
            "DCG per query",
            "DCG, wins : losses",
            DASH if wins is None else f"{_query_count(wins, queries)} : {_query_count(losses, queries)}",
            f"{share(wins)} won, {share(losses)} lost, {probability(p)}" if wins is not None else "",
            "queries whose next hits score more, or less, than those of the same list without feedback",
            by_sign_test(wins, losses, p, queries),
        ),
    ]
    return [card for card in cards if card.value != DASH]


def _hits(report: dict[str, Any]) -> dict[str, Any]:
    documents = hits.Documents(report.get("texts") or {}, SCALE)
    entries = report.get("per_query") or []
    queries = [_query(entry, documents) for entry in entries]
    without = "Dense list" if _of_dense_list(report) else "Same list"
    return hits.bundle(queries, documents, (f"{without} without feedback", "With feedback"), SCALE)


def _of_dense_list(report: dict[str, Any]) -> bool:
    """Tell whether the report is an older one, which kept the hits of the dense list alone."""
    entries = report.get("per_query") or []
    return bool(entries) and all(same_list(entry, "hits") == "vanilla" for entry in entries)


def _hits_note(report: dict[str, Any]) -> str:
    note = (
        "Both lists continue after the same first hits. ★ marks a hit that scores at least as high as the best of them "
        "(the line across each bar): the hits that relevance gain counts."
    )
    if _of_dense_list(report):
        note += " This report kept the hits of the dense list alone; the gain beside a query is over the served list."
    return note


def _query(entry: dict[str, Any], documents: hits.Documents) -> dict[str, Any]:
    seeds, same = entry.get("seeds") or [], same_list(entry, "hits")
    without, feedback = (pick(entry, "hits", name) or [] for name in (same, "feedback"))
    best = max((score for _, score in seeds if score is not None), default=None)
    first = {"title": "First hits, scored", "columns": [hits.column("", 1, documents.numbered(seeds))]}
    after = [
        hits.column(_list_note(entry, same), len(seeds) + 1, documents.numbered(without)),
        hits.column(_list_note(entry, "feedback"), len(seeds) + 1, documents.compared(feedback, without)),
    ]
    line = None if entry.get("skipped") or best is None else best * SCALE
    return hits.query(entry, dcg_gain(entry), line, [first, {"title": "Next hits", "columns": after}])


def _list_note(entry: dict[str, Any], name: str) -> str:
    if entry.get("skipped"):
        return "skipped: the scores do not differ"
    ndcg = pick(entry, "methods", name, "ndcg")
    told = f"DCG {number(dcg(entry, name), 1)}" if dcg(entry, name) is not None else ""
    return told + (f", residual nDCG {number(ndcg, 2)}" if ndcg is not None else "")


def _query_count(fraction: float | None, queries: int | None) -> str:
    return DASH if fraction is None or queries is None else str(round(fraction * queries))
