"""Messages that no client should send: each is answered by the protocol or not at all, and the server goes on."""

from pathlib import Path
from pipes import Pipes

from fuzz import Fuzzer


def test_malformed_messages_are_answered_by_the_protocol(data_dir: Path, tmp_path: Path) -> None:
    with Pipes(tmp_path / "log", {"WARMER_DATA_DIR": str(data_dir)}) as server:
        fuzzer = Fuzzer(server.greet(), seed=0)
        fuzzer.run(300)
        assert min(fuzzer.sent.values()) > 10
        assert min(fuzzer.checks.answers[kind] for kind in ("results", "refusals", "protocol errors")) > 10
    assert server.process.returncode == 0
    assert "Traceback" not in server.log.read_text(errors="replace")
