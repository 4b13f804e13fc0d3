"""Send ten thousand malformed messages over stdio and HTTP, and check the server for leaks."""

import os
from pathlib import Path

from fuzz import Fuzzer
from fuzz_http import HttpFuzzer
from http_server import environment_of, serving
from stdio_server import EndedError, StdioServer

from chaos import Trial, testbed
from warmer_server.tokens import SCOPES, make_token

_CALLS = int(os.environ.get("CHAOS_CALLS_FUZZED", "10000"))
_WARMUP = 1000  # messages that fill caches
_STEP = 100


def stdio(work: Path) -> list[Trial]:
    """Send malformed messages over stdio."""
    testbed.index(testbed.documents(work / "notes"), work / "data").check_returncode()
    with StdioServer(work / "log", testbed.environment(work / "data")) as server:
        fuzzer = Fuzzer(server.initialize(), seed=1)
        trials = _send("stdio", fuzzer, server.process.pid)
    return _check_log(trials, (work / "log").read_text(errors="replace"))


def http(work: Path) -> list[Trial]:
    """Send malformed messages over HTTP, to a server with tokens."""
    testbed.index(testbed.documents(work / "notes"), work / "data").check_returncode()
    secret, token = make_token("fuzz", SCOPES, (), {}, None)
    settings = testbed.environment(work / "data", WARMER_TOKENS=token.line())
    with serving({**environment_of(work / "data"), **settings}) as server:
        fuzzer = HttpFuzzer(server.url, seed=1, token=secret)
        trials = _send("HTTP", fuzzer, server.process.pid)
    return _check_log(trials, "".join(server.stderr_lines))


def _send(over: str, fuzzer: Fuzzer | HttpFuzzer, pid: int) -> list[Trial]:
    answered = Trial(f"malformed messages over {over}")
    measured = []
    try:
        for run in (_WARMUP, *[_STEP] * (_CALLS // _STEP)):
            fuzzer.run(run)
            measured.append(_resources(pid))
    except (AssertionError, EndedError, OSError, ValueError) as error:
        answered.broken.append(f"{type(error).__name__}: {error}"[:500])
    answered.survived = fuzzer.sent.total() - len(answered.broken)
    answered.outcomes = dict(fuzzer.sent)
    answered.note = f"answered by {', '.join(f'{count} {kind}' for kind, count in fuzzer.checks.answers.items())}"
    return [answered, _leaks(over, measured)]


def _leaks(over: str, measured: list[tuple[float, int]]) -> Trial:
    """Compare memory and open files at the beginning, in the middle and at the end."""
    trial = Trial(f"leaks over malformed messages over {over}", note=f"of {_CALLS:,}, after {_WARMUP:,} more")
    if measured:
        (megabytes, files), (middle, _), (later, more) = measured[0], measured[len(measured) // 2], measured[-1]
        said = f"{megabytes:.0f}, {middle:.0f}, {later:.0f} MB and {files}, {more} open files"
        trial.add("a server", f"{said} at first, in the middle and in the end", said if _has_grown(measured) else "")
    return trial


def _has_grown(measured: list[tuple[float, int]]) -> bool:
    return measured[-1][0] > measured[0][0] + 30 or measured[-1][1] > measured[0][1] + 5


def _check_log(trials: list[Trial], log: str) -> list[Trial]:
    if "Traceback" in log:
        trials[0].broken.append("a traceback on stderr")
    return trials


def _resources(pid: int) -> tuple[float, int]:
    """Return resident memory in MB (10^6 bytes) and the number of open files."""
    process = Path(f"/proc/{pid}")
    pages = int((process / "statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6, len(list((process / "fd").iterdir()))
