"""Ten thousand messages that no client should send, over stdio and over HTTP, and what a server holds afterwards."""

import os
from pathlib import Path
from pipes import EndedError, Pipes

from fuzz import Fuzzer
from fuzz_http import HttpFuzzer
from http_server import environment_of, serving

from chaos import Trial, bed
from warmer_server.tokens import SCOPES, make_token

_CALLS = int(os.environ.get("CHAOS_CALLS_FUZZED", "10000"))
_BEFORE = 1000  # caches fill
_STEP = 100


def stdio(work: Path) -> list[Trial]:
    """Send them over stdio."""
    bed.index(bed.documents(work / "notes"), work / "data").check_returncode()
    with Pipes(work / "log", bed.environment(work / "data")) as server:
        fuzzer = Fuzzer(server.greet(), seed=1)
        trials = _send("stdio", fuzzer, server.process.pid)
    return _quiet(trials, (work / "log").read_text(errors="replace"))


def http(work: Path) -> list[Trial]:
    """Send them over HTTP, to a server with tokens."""
    bed.index(bed.documents(work / "notes"), work / "data").check_returncode()
    secret, token = make_token("fuzz", SCOPES, (), {}, None)
    settings = bed.environment(work / "data", WARMER_TOKENS=token.line())
    with serving({**environment_of(work / "data"), **settings}) as server:
        fuzzer = HttpFuzzer(server.url, seed=1, token=secret)
        trials = _send("HTTP", fuzzer, server.process.pid)
    return _quiet(trials, "".join(server.said))


def _send(over: str, fuzzer: Fuzzer | HttpFuzzer, pid: int) -> list[Trial]:
    answered = Trial(f"malformed messages over {over}")
    held = []
    try:
        for run in (_BEFORE, *[_STEP] * (_CALLS // _STEP)):
            fuzzer.run(run)
            held.append(_held(pid))
    except (AssertionError, EndedError, OSError, ValueError) as error:
        answered.broken.append(f"{type(error).__name__}: {error}"[:500])
    answered.survived = fuzzer.sent.total() - len(answered.broken)
    answered.outcomes = dict(fuzzer.sent)
    answered.note = f"answered by {', '.join(f'{count} {kind}' for kind, count in fuzzer.checks.answers.items())}"
    return [answered, _leaks(over, held)]


def _leaks(over: str, held: list[tuple[float, int]]) -> Trial:
    """Compare what was held at the beginning, in the middle and in the end."""
    trial = Trial(f"leaks over malformed messages over {over}", note=f"of {_CALLS:,}, after {_BEFORE:,} more")
    if held:
        (megabytes, files), (middle, _), (later, more) = held[0], held[len(held) // 2], held[-1]
        said = f"{megabytes:.0f}, {middle:.0f}, {later:.0f} MB and {files}, {more} open files"
        trial.add("a server", f"{said} at first, in the middle and in the end", said if _grown(held) else "")
    return trial


def _grown(held: list[tuple[float, int]]) -> bool:
    return held[-1][0] > held[0][0] + 30 or held[-1][1] > held[0][1] + 5


def _quiet(trials: list[Trial], log: str) -> list[Trial]:
    if "Traceback" in log:
        trials[0].broken.append("a traceback on stderr")
    return trials


def _held(pid: int) -> tuple[float, int]:
    """Measure resident memory, in MB (10^6 bytes), and count open files."""
    process = Path(f"/proc/{pid}")
    pages = int((process / "statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6, len(list((process / "fd").iterdir()))
