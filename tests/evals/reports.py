"""Synthetic reports of `warmer-evals`, with any number of queries, with or without texts and judgments."""

from random import Random
from typing import Any

_FEEDBACK = ("feedback", "feedback_dense", "feedback_default", "feedback_reference")
METHODS = ("vanilla", "vanilla_hybrid", *_FEEDBACK, "rocchio", "rerank_only")
BUDGET = ("rerank_only", "rerank_only_hybrid", "feedback", "feedback_dense", "feedback_reference", "rocchio")
_ARMS = {"search": 0.55, "feedback": 0.61, "thread": 0.64}
_WORDS = ("the", "crystalline", "lens", "in", "vertebrates", "fatty", "acids", "growth", "hormone", "effects", "renal")


def run_report(queries: int = 30, *, skipped: int = 2, texts: bool = True, qrels: bool = True) -> dict[str, Any]:
    """Make a report of `warmer-evals run`; the seeds of `skipped` queries have equal scores."""
    rng = Random(7)
    asked = [_query(rng, index, skipped=index < skipped, texts=texts, qrels=qrels) for index in range(queries)]
    ids = {
        hit[0]
        for entry in asked
        for hit in [*entry["seeds"], *entry["hits"]["vanilla_hybrid"], *entry["hits"]["feedback"]]
    }
    methods = {name: _method(rng, name, queries - skipped, skipped, qrels) for name in METHODS}
    measures = ("relevance_gain", "dcg_wins", "dcg_losses", "ndcg", "vs_same_list")
    by_k = [
        {"k": k, "methods": {name: {key: _vary(rng, methods[name][key]) for key in measures} for name in METHODS}}
        for k in (3, 5, 10)
    ]
    return {
        "kind": "run",
        "version": "0.1.0",
        "dataset": "med",
        "judge": "qrels" if qrels else "fastembed:jina",
        "k": 5,
        "n": 10,
        "about": {
            "documents": 1033,
            "queries": queries,
            "indexed": "title and text",
            "trained_on": "two folds",
            "model": "sentence-transformers/all-MiniLM-L6-v2",
            "budget": 15,
            "qrels": qrels,
            "usage": {"calls": 30, "input_tokens": 120345, "output_tokens": 5400, "cost": None},
            "notes": ["Two folds: each half of the queries is measured with parameters fitted to the other."],
        },
        "params": {
            "feedback": [
                {"c": 0.6, "neutral": 4.0, "share": 0.4, "source": "trained", "reason": ""},
                {"c": 1.5, "neutral": 5.0, "share": 0.3, "source": "default", "reason": "no better held out"},
            ],
            "feedback_reference": [{"a": 0.9, "b": 1.2, "c": 0.04}, {"a": 0.9, "b": 1.1, "c": 0.05}],
            "rocchio": [{"towards": 1.0, "away": 0.2}],
        },
        "methods": methods,
        "budget": {name: _budget(rng, name) for name in BUDGET} if qrels else {},
        "by_k": by_k if queries > skipped else [],
        "per_query": asked,
        "texts": {document: f"Study {document}: {_text(rng, 40)}." for document in sorted(ids)} if texts else {},
    }


def agent_report(questions: int = 25, *, texts: bool = True, qrels: bool = True) -> dict[str, Any]:
    """Make a report of `warmer-evals agent`; the last question failed in a thread."""
    rng = Random(11)
    asked: list[dict[str, Any]] = []
    for index in range(questions):
        arms = {name: _answered(rng, ndcg, qrels) for name, ndcg in _ARMS.items()}
        asked.append({"id": f"q{index}", **({"text": _text(rng, 9) + "?"} if texts else {}), "arms": arms})
    if asked:
        asked[-1]["arms"]["thread"] |= {"error": "no answer", "answer": [], "rounds": []}
    ids = {hit[0] for entry in asked for arm in entry["arms"].values() for part in arm["rounds"] for hit in part}
    arms = {
        name: {
            "queries": questions,
            "failed": int(name == "thread"),
            "ndcg": ndcg if qrels else None,
            "recall": 0.52 if qrels else None,
            "precision": 0.3 if qrels else None,
            "characters": 9876.5,
            "hits_read": 14.2,
            "calls": 3.1,
            "input_tokens": 123456,
            "output_tokens": 6789,
            "cost": 0.0212 if qrels else None,
            "ci": {"ndcg": [ndcg - 0.08, ndcg + 0.08] if qrels else None, "characters": [9000.0, 10000.0]},
        }
        for name, ndcg in _ARMS.items()
    }
    return {
        "kind": "agent",
        "version": "0.1.0",
        "dataset": "qdrant-docs",
        "agent": "claude:claude-haiku-5-5",
        "budget": 15,
        "unit": "passages",
        "n": 10,
        "arms": arms,
        "comparison": _compared(qrels) | {name: _compared(qrels) for name in ("search", "feedback")},
        "per_query": asked,
        "texts": {document: f"Guide {document}: {_text(rng, 30)}." for document in sorted(ids)} if texts else {},
    }


def recorded_report(questions: int = 25, *, texts: bool = True, characters: bool = False) -> dict[str, Any]:
    """Make a report of `warmer-evals agent --agent recorded:FILE`."""
    rng = Random(13)
    ndcgs = {"search": 0.7, "reword": 0.75, "feedback": 0.76, "thread": 0.83, "fused": 0.78}
    ndcgs |= {"reword_skim": 0.8} if characters else {}
    asked: list[dict[str, Any]] = []
    for index in range(questions):
        arms = {name: _shown(rng, ndcg) for name, ndcg in ndcgs.items()}
        asked.append({"id": f"q{index}", **({"text": _text(rng, 9) + "?"} if texts else {}), "arms": arms})
    ids = {hit[0] for entry in asked for arm in entry["arms"].values() for part in arm["rounds"] for hit in part}
    return {
        "kind": "agent",
        "version": "0.1.0",
        "dataset": "med",
        "agent": "recorded:med.jsonl",
        "scores": "recorded",
        "budget": 8000 if characters else 15,
        "unit": "characters" if characters else "passages",
        "n": 10,
        "recorded": {"records": questions, "not_judged": 0, "scores_recorded": 100, "scores_drawn": 300},
        "arms": {
            name: {
                "queries": questions,
                "ndcg": ndcg,
                "first5": 0.6,
                "characters": 7654.3,
                "hits_read": 15.0,
                "calls": 3.0,
                "ci": {
                    "ndcg": _interval(ndcg, 0.05),
                    "first5": _interval(0.6, 0.05),
                    "characters": [7000.0, 8000.0],
                },
            }
            for name, ndcg in ndcgs.items()
        },
        "comparison": {name: _compared(True, 0.107) for name in ndcgs if name != "thread"},
        "per_query": asked,
        "texts": {document: f"Study {document}: {_text(rng, 30)}." for document in sorted(ids)} if texts else {},
    }


def _compared(qrels: bool, lift: float = 0.02) -> dict[str, Any]:
    return {
        "ndcg_lift": lift if qrels else None,
        "ndcg_wins": 12,
        "ndcg_losses": 5,
        "ndcg_ties": 8,
        "sign_test_p": 0.143,
        "ci": {"ndcg_lift": _interval(lift, 0.06) if qrels else None},
    }


def _shown(rng: Random, ndcg: float) -> dict[str, Any]:
    made = _answered(rng, ndcg, True)
    del made["answer"], made["error"]
    return made | {"first5": 0.5, "characters": 7777}


def _method(rng: Random, name: str, queries: int, skipped: int, qrels: bool) -> dict[str, Any]:
    gain = {"vanilla": 0.0, "rerank_only": 0.0}.get(name, round(rng.uniform(0.3, 1.2), 4)) if queries else None
    ndcg = round(rng.uniform(0.3, 0.5), 4) if qrels and queries else None
    lift = round(rng.uniform(-0.05, 0.2), 4) if qrels and queries and name.startswith("feedback") else None
    wins = 0.0 if name in ("vanilla", "rerank_only") else round(rng.uniform(0.5, 0.7), 4)
    losses = round(wins * 0.3, 4)
    return {
        "queries": queries,
        "skipped": skipped,
        "relevant_new": 86 if queries else 0,
        "relevant_new_strict": 40 if queries else 0,
        "relevance_gain": gain,
        "relevance_gain_strict": gain,
        "dcg_wins": wins if queries else None,
        "dcg_losses": losses if queries else None,
        "dcg_ties": round(1 - wins - losses, 4) if queries else None,
        "dcg_sign_test_p": 0.0004 if queries else None,
        "ndcg": ndcg,
        "recall_50": ndcg,
        "precision": ndcg,
        "ap": ndcg,
        "unjudged": 0.31,
        "vs_same_list": lift,
        "same_list": {
            "relevance_gain": lift,
            "dcg_wins": 0.7 if lift else 0.0,
            "dcg_losses": 0.2 if lift else 0.0,
            "dcg_sign_test_p": 0.001 if lift else 1.0,
            "ci": {"relevance_gain": _interval(lift, 0.06)},
        },
        "ci": {
            "relevance_gain": _interval(gain, 0.35),
            "dcg_wins": _interval(wins if queries else None, 0.1),
            "ndcg": _interval(ndcg, 0.07),
            "vs_same_list": _interval(lift, 0.06),
        },
    }


def _query(rng: Random, index: int, *, skipped: bool, texts: bool, qrels: bool) -> dict[str, Any]:
    pool = [str(number) for number in rng.sample(range(1, 1034), 24)]
    scores = {document: rng.choice((0.0, 0.0, 0.25, 0.5, 1.0)) for document in pool}
    seeds = [[document, 0.5 if skipped else scores[document]] for document in pool[:5]]
    after: list[list[Any]] = [[document, scores[document]] for document in pool[5:]]
    steered = sorted(after, key=lambda hit: -hit[1] + rng.uniform(-0.8, 0.8))[:10]
    steered[-1] = [steered[-1][0], None]
    lists = {"vanilla_hybrid": after[:10], "feedback": steered}
    dcg = {
        name: round(sum((hit[1] or 0) / (rank + 2) for rank, hit in enumerate(hits)), 4) for name, hits in lists.items()
    }
    measured = {
        name: {"above": 1, "above_strict": 0, "dcg": value, "outcome": "win", "ndcg": value / 3 if qrels else None}
        for name, value in dcg.items()
    }
    asked = {"text": _text(rng, rng.randint(3, 14))} if texts else {}
    return {"id": str(index), **asked, "skipped": skipped, "seeds": seeds, "methods": measured, "hits": lists}


def _answered(rng: Random, ndcg: float, qrels: bool) -> dict[str, Any]:
    pool = [f"page-{number}" for number in rng.sample(range(400), 15)]
    rounds = [[[document, rng.choice((0, 2, 5, 9, None))] for document in pool[at : at + 5]] for at in (0, 5, 10)]
    value = round(min(max(rng.gauss(ndcg, 0.2), 0), 1), 2) if qrels else None
    return {
        "ndcg": value,
        "answer": pool[:10],
        "read": 15,
        "characters": 9876,
        "calls": 3,
        "rounds": rounds,
        "error": "",
    }


def _budget(rng: Random, name: str) -> dict[str, Any]:
    first = 0.5 + 0.05 * ("hybrid" in name or name == "feedback")
    rounds = [round(first + step * (0.02 if "rerank" in name else rng.uniform(0.03, 0.06)), 4) for step in range(3)]
    steps = None if "rerank" in name else rounds[-1] - 0.01
    lift = round(rounds[-1] / 0.54 - 1, 4)
    versus = {
        "over_rerank_only": lift,
        "ci_over_rerank_only": _interval(lift, 0.04),
        "over_same_list": lift,
        "ci_over_same_list": _interval(lift, 0.04),
    }
    return {"ndcg": rounds[-1], "rounds": rounds, "two_steps": steps, "ci": _interval(rounds[-1], 0.05), **versus}


def _vary(rng: Random, value: float | None) -> float | None:
    return None if value is None else round(value * rng.uniform(0.8, 1.2), 4)


def _interval(value: float | None, by: float) -> list[float] | None:
    return None if value is None else [round(value - by, 4), round(value + by, 4)]


def _text(rng: Random, words: int) -> str:
    return " ".join(rng.choices(_WORDS, k=words))
