"""The stand-in answers as a real server does: the same tests on both."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from qdrant_server import QdrantServer
from remote_engine import NO_SERVER, real_server

Ask = Callable[..., tuple[int, Any]]

POINTS = {1: [1.0, 0.0], 2: [0.9, 0.1], 3: [0.5, 0.5], 4: [0.0, 1.0], 5: [-1.0, -0.5]}


@pytest.fixture(scope="module", params=["stand-in", "server"])
def ask(request: pytest.FixtureRequest) -> Iterator[Ask]:
    """Send a request about a collection of its own; gives the status, and the result or the server's words."""
    if request.param == "stand-in":
        with QdrantServer(version="1.18.3") as served:
            yield from asking(served.url, {})
        return
    if not (connection := real_server()):
        pytest.skip(NO_SERVER)
    yield from asking(connection.url, {"api-key": connection.api_key} if connection.api_key else {})


def asking(url: str, headers: dict[str, str]) -> Iterator[Ask]:
    with httpx.Client(base_url=url, headers=headers, timeout=60, trust_env=False) as client:
        names: set[str] = set()

        def ask(method: str, path: str, body: Any = None, *, name: str = "") -> tuple[int, Any]:
            names.add(name)
            answer = client.request(method, f"/collections/{name}{path}", json=body)
            return answer.status_code, answer.json().get("result") or answer.json()["status"]

        yield ask
        for name in names - {""}:
            client.delete(f"/collections/{name}")


@pytest.fixture
def points(ask: Ask) -> Callable[..., str]:
    def make(distance: str = "Cosine", **more: Any) -> str:
        name = f"warmer-test-{uuid4().hex}"
        assert ask("PUT", "", {"vectors": {"size": 2, "distance": distance}, **more}, name=name)[0] == 200
        upsert = {"points": [{"id": id_, "vector": vector, "payload": {"n": id_}} for id_, vector in POINTS.items()]}
        assert ask("PUT", "/points?wait=true", upsert, name=name)[0] == 200
        return name

    return make


def feedback(*examples: Any, target: Any = (1.0, 0.0)) -> dict[str, Any]:
    items = [{"example": example, "score": 1.0 - n} for n, example in enumerate(examples)]
    strategy = {"naive": {"a": 1.0, "b": 1.0, "c": 0.5}}
    return {"relevance_feedback": {"target": list(target), "feedback": items, "strategy": strategy}}


def ids(result: Any) -> list[int]:
    return [point["id"] for point in result["points"]]


def test_what_is_not_there(ask: Ask, points: Callable[..., str]) -> None:
    status, said = ask("POST", "/points/query", {"query": [1, 0]}, name="warmer-test-none")
    assert (status, "doesn't exist" in said["error"]) == (404, True)
    name = points()
    status, said = ask("POST", "/points/query", {"query": feedback(1, 99)}, name=name)
    assert (status, "No point with id 99" in said["error"]) == (404, True)
    status, said = ask("POST", "/points/query", {"query": [1, 0], "using": "other"}, name=name)
    assert (status, "Not existing vector name" in said["error"]) == (400, True)


def test_examples_by_id_vanish_from_every_leg(ask: Ask, points: Callable[..., str]) -> None:
    name = points()
    _, found = ask("POST", "/points/query", {"query": feedback(1, 4)}, name=name)
    assert sorted(ids(found)) == [2, 3, 5]
    legs = [{"query": feedback(1, 4), "limit": 5}, {"query": [0.0, 1.0], "limit": 5}]
    _, found = ask("POST", "/points/query", {"prefetch": legs, "query": {"fusion": "rrf"}, "limit": 9}, name=name)
    assert sorted(ids(found)) == [2, 3, 5]
    _, found = ask("POST", "/points/query", {"query": feedback(POINTS[1], POINTS[4])}, name=name)
    assert sorted(ids(found)) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("distance", ["Euclid", "Manhattan"])
def test_feedback_descends_where_nearness_ascends(ask: Ask, points: Callable[..., str], distance: str) -> None:
    name = points(distance)
    _, near = ask("POST", "/points/query", {"query": [1.0, 0.0]}, name=name)
    _, fed = ask("POST", "/points/query", {"query": feedback(POINTS[1], POINTS[4])}, name=name)
    assert ids(near) == [1, 2, 3, 4, 5]
    assert ids(fed)[:3] == [1, 2, 3]
    near_scores, fed_scores = ([point["score"] for point in found["points"]] for found in (near, fed))
    assert near_scores == sorted(near_scores)
    assert fed_scores == sorted(fed_scores, reverse=True)
    assert fed_scores[0] > 0 > fed_scores[-1]


@pytest.mark.parametrize(
    ("limit", "body", "status", "said"),
    [
        ({"max_query_limit": 2}, {"query": [1.0, 0.0], "limit": 3}, 400, "Limit exceeded 3 > 2"),
        (
            {"filter_max_conditions": 1},
            {"filter": {"must": [{"has_id": [1]}, {"has_id": [2]}]}},
            400,
            "condition limit",
        ),
        ({"condition_max_size": 1}, {"filter": {"must": [{"has_id": [1, 2]}]}}, 400, "Condition size limit"),
        ({"read_rate_limit": 1}, {"query": [1.0, 0.0], "filter": {"must": [{"has_id": [1]}]}}, 429, "Read rate limit"),
        (
            {"search_max_oversampling": 1.5},
            {"query": [1.0, 0.0], "params": {"quantization": {"oversampling": 2.0}}},
            400,
            "Limit exceeded 2 > 1.5",
        ),
    ],
)
def test_what_is_beyond_a_limit(
    ask: Ask, points: Callable[..., str], limit: dict[str, Any], body: dict[str, Any], status: int, said: str
) -> None:
    name = points(strict_mode_config={"enabled": True, **limit})
    assert ask("GET", "", name=name)[1]["config"]["strict_mode_config"].items() >= {"enabled": True, **limit}.items()
    refused, error = ask("POST", "/points/query", body, name=name)
    assert (refused, said in error["error"]) == (status, True), error
