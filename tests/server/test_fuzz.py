"""Malformed messages: each gets an answer of the protocol, and the server keeps running."""

from pathlib import Path

from fuzz import Fuzzer
from fuzz_http import HttpFuzzer
from http_server import environment_of, serving
from stdio_server import StdioServer

from warmer_server.tokens import SCOPES, make_token


def test_malformed_messages_are_answered_by_the_protocol(data_dir: Path, tmp_path: Path) -> None:
    with StdioServer(tmp_path / "log", {"WARMER_DATA_DIR": str(data_dir)}) as server:
        fuzzer = Fuzzer(server.initialize(), seed=0)
        fuzzer.run(300)
        assert min(fuzzer.sent.values()) > 10
        assert min(fuzzer.checks.answers[kind] for kind in ("results", "refusals", "protocol errors")) > 10
    assert server.process.returncode == 0
    assert "Traceback" not in server.log.read_text(errors="replace")


def test_malformed_requests_are_answered_by_the_protocol(data_dir: Path) -> None:
    secret, token = make_token("fuzz", SCOPES, (), {}, None)
    with serving(environment_of(data_dir, WARMER_TOKENS=token.line())) as server:
        fuzzer = HttpFuzzer(server.url, seed=1, token=secret)
        fuzzer.run(250)
        assert {200, 400, 403, 404, 405, 406, 413} <= fuzzer.statuses.keys()
        assert min(fuzzer.checks.answers[kind] for kind in ("results", "refusals", "protocol errors")) > 3
        assert server.stop() == 0
    assert "Traceback" not in "".join(server.stderr_lines)
