"""What the server logs about calls, and what it leaves out."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmer.journal import new_search_id
from warmer_server.logs import JsonFormatter, TextFormatter, environment_secrets

REQUESTS: list[tuple[str, dict[str, Any]]] = [
    ("search", {"query": "yeast-and-secret-words", "limit": 3}),
    ("search", {"query": "yeast-and-secret-words", "limit": 3, "filter": {"must": "yeast-and-secret-words"}}),
    ("give_feedback", {"search_id": "s_unknown-handle-of-nobody", "scores": {"1": 9}}),
    ("search", {"query": "x", "limit of yeast-and-secret-words\n": 1}),
    ("give_feedback", {"search_id": "the first", "scores": {"1": 9}, "limit": 2}),
    ("give_feedback", {"search_id": "the first", "scores": {"77": 9}}),
    (
        "search",
        {
            "search_id": "the first",
            "rewordings": ["other yeast-and-secret-words"],
            "hypothetical_passage": "a passage of yeast-and-secret-words",
            "avoid": ["no yeast-and-secret-words"],
            "limit": 2,
        },
    ),
    ("search", {"search_id": "the first", "read": [1, 2]}),
    ("give_feedback", {"search_id": "the first", "rewordings": ["more yeast-and-secret-words"], "limit": 1}),
]


HANDLE = new_search_id()


def log_of(data_dir: Path, **environment: str) -> list[str]:
    """Serve some calls over a pipe and return the lines of stderr."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    handle = ""
    with subprocess.Popen(
        [sys.executable, "-m", "warmer_server.cli", "serve"],
        env={**os.environ, "WARMER_DATA_DIR": str(data_dir), "WARMER_LOG_LEVEL": "INFO", **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdin
        assert server.stdout
        for n, (tool, arguments) in enumerate(REQUESTS):
            asked = arguments | ({"search_id": handle} if arguments.get("search_id") == "the first" else {})
            params = {"name": tool, "arguments": asked, "_meta": meta}
            server.stdin.write(json.dumps({"jsonrpc": "2.0", "id": n, "method": "tools/call", "params": params}) + "\n")
            server.stdin.flush()
            while (answer := json.loads(server.stdout.readline())).get("id") != n:
                pass
            handle = handle or answer["result"]["structuredContent"]["search_id"]
        lines = server.communicate(timeout=60)[1].splitlines()
    assert not [line for line in lines if handle in line]
    return lines


def test_each_call_is_a_line_without_its_query(data_dir: Path) -> None:
    lines = log_of(data_dir, WARMER_LOG_FORMAT="json")
    said = [json.loads(line) for line in lines]
    assert "secret-words" not in "".join(line for line in lines)
    calls = [line for line in said if line["message"] == "call"]
    found, refused, unknown, misspelt, scored, misscored, reworded, read, fed = calls
    assert (found["tool"], found["collection"], found["outcome"], found["hits"]) == ("search", "notes", "ok", 3)
    assert found["search_id"].startswith("s_")
    assert len(found["search_id"]) == 9
    assert found["stages"].keys() == {"engine", "embed", "journal", "reply"}
    assert sum(found["stages"].values()) <= found["ms"] + 1
    assert (refused["outcome"], refused["error"]) == ("error", "FilterError")
    assert (unknown["tool"], unknown["error"], unknown["search_id"]) == ("give_feedback", "SearchError", "s_unknow…")
    assert misspelt["error"] == "ValidationError"
    assert (scored["collection"], scored["outcome"], scored["hits"]) == ("notes", "steered", 2)
    assert scored["search_id"] == misscored["search_id"] == found["search_id"]
    assert scored["stages"].keys() == {"engine", "journal", "reply"}
    assert (misscored["outcome"], misscored["error"]) == ("error", "ScoreError")
    assert (reworded["tool"], reworded["collection"], reworded["outcome"], reworded["hits"]) == (
        "search",
        "notes",
        "ok",
        2,
    )
    assert reworded["stages"].keys() == {"engine", "embed", "journal", "reply"}
    assert (read["collection"], read["outcome"], read["hits"]) == ("notes", "ok", 2)
    assert read["stages"].keys() == {"engine", "journal", "reply"}
    assert (fed["outcome"], fed["hits"]) == ("steered", 1)
    assert {line["search_id"] for line in (reworded, read, fed)} == {found["search_id"]}


def test_a_log_with_queries_has_error_messages(data_dir: Path) -> None:
    lines = log_of(data_dir, WARMER_LOG_QUERIES="true")
    calls = [line for line in lines if "warmer_tools.calls: call " in line]
    assert len(calls) == len(REQUESTS)
    assert "tool=search" in calls[0]
    assert "query=yeast-and-secret-words" in calls[0]
    assert "embed=" in calls[0]
    assert "error=SearchError" in calls[2]
    assert "call search again" in calls[2]


def record(message: str, **more: Any) -> logging.LogRecord:
    return logging.makeLogRecord({"levelname": "WARNING", "name": "warmer", "msg": message, **more})


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> str:
    environment_secrets.cache_clear()
    monkeypatch.setenv("QDRANT_API_KEY", "correct-horse")
    return "correct-horse"


@pytest.mark.parametrize("formatter", [TextFormatter(queries=True), JsonFormatter(queries=True)])
def test_no_secret_is_logged(formatter: logging.Formatter, key: str) -> None:
    for said in (f"refused {key}", "at https://me:hunter2pass@host/x", "Authorization: Bearer abc.def-ghi", HANDLE):
        line = formatter.format(record(said, facts={"collection": said}, private={"detail": said}))
        assert not [one for one in (key, "hunter2pass", "abc.def", HANDLE) if one in line], line
    environment_secrets.cache_clear()


def test_a_bug_is_located_without_its_message() -> None:
    try:
        int("the text of a passage")
    except ValueError:
        line = TextFormatter(queries=False).format(record("unexpected error", exc_info=sys.exc_info()))
    assert "passage" not in line
    assert "error=ValueError" in line
    assert "test_logs.py:" in line


@given(st.text(), st.text())
def test_a_record_is_one_line(message: str, value: str) -> None:
    for formatter in (TextFormatter(queries=True), JsonFormatter(queries=True)):
        line = formatter.format(record(message.replace("%", ""), facts={"collection": value, "stages": {"embed": 1.0}}))
        assert len(line.splitlines()) <= 1
