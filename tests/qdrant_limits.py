"""Qdrant's strict mode, as a real server 1.18.3 applies it to what the stand-in is asked."""

from typing import Any

from qdrant_client import models

_CLAUSES = ("must", "should", "must_not")


class StrictlyRefusedError(ValueError):
    """A request goes beyond a limit."""


class RateLimitedError(Exception):
    """A request takes more than the tokens of a minute."""


def check_strictly(strict: models.StrictModeConfigOutput, what: str, body: Any) -> None:
    """Refuse what is beyond a limit, in Qdrant's words.

    Raises:
        StrictlyRefusedError: It is.
        RateLimitedError: It takes more than a minute's tokens at once, so that no waiting helps.
    """
    asked = body if isinstance(body, dict) else {}
    searches = asked.get("searches", [asked] if what in {"query", "scroll"} else [])
    _check("search batch size", len(asked.get("searches", [])), strict.search_max_batchsize)
    for search in searches:
        _check("limit", search.get("limit") or 10, strict.max_query_limit)
        params = search.get("params") or {}
        _check("hnsw_ef", params.get("hnsw_ef") or 0, strict.search_max_hnsw_ef)
        _check(
            "oversampling", (params.get("quantization") or {}).get("oversampling") or 0, strict.search_max_oversampling
        )
        _check_filter(strict, search.get("filter"))
    if asked.get("exact") and strict.search_allow_exact is False:
        raise StrictlyRefusedError("Exact search disabled!. Help: Set exact=false.")
    if what == "" and "points" in asked:
        _check("upsert limit", len(asked["points"]), strict.upsert_max_batchsize)
    tokens = sum(1 + len(_conditions(search.get("filter"))) for search in searches) + len(asked.get("ids", []))
    if strict.read_rate_limit and tokens > strict.read_rate_limit:
        raise RateLimitedError(
            "Rate limiting exceeded: Read rate limit exceeded, request larger than rate limiter capacity"
        )


def _check(name: str, value: float, most: float | None) -> None:
    if most is not None and value > most:
        raise StrictlyRefusedError(
            f'Limit exceeded {value:g} > {most:g} for "{name}". Help: Reduce the "{name}" parameter.'
        )


def _check_filter(strict: models.StrictModeConfigOutput, where: Any) -> None:
    conditions = _conditions(where)
    if strict.filter_max_conditions is not None and len(conditions) > strict.filter_max_conditions:
        raise StrictlyRefusedError(
            f"Filter condition limit reached ({len(conditions)} > {strict.filter_max_conditions})"
        )
    largest = max((len(one.get("has_id", [])) for one in conditions), default=0)
    if strict.condition_max_size is not None and largest > strict.condition_max_size:
        raise StrictlyRefusedError(f"Condition size limit reached ({largest} > {strict.condition_max_size})")


def _conditions(where: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for clause in _CLAUSES:
        given = (where or {}).get(clause) or []
        for one in given if isinstance(given, list) else [given]:
            found += _conditions(one) if one.keys() & set(_CLAUSES) else [one]
    return found
