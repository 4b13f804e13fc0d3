"""The process that reads files for `bounded.py`: a request a line on stdin, a reply a line on stdout.

`python -m warmer.ingest.child SECONDS BYTES` ends, by SIGALRM or with exit status 1, if a file takes more than SECONDS,
and has at most BYTES of memory where the system can limit that.
"""

import faulthandler
import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from warmer.errors import IngestError
from warmer.ingest.readers import read_sections
from warmer.ingest.section import Section


def _read(request: dict[str, Any]) -> dict[str, Any]:
    try:
        sections = read_sections(
            Path(request["path"]),
            request["kind"],
            source=request["source"],
            max_bytes=request["max_bytes"],
            encoding=request["encoding"],
        )
        return {"sections": [_packed(section) for section in sections if section.text.strip() or section.picture]}
    except IngestError as error:
        return {"error": str(error), "reason": error.reason}
    except MemoryError:
        return {"error": "takes too much memory to read", "reason": "takes too much memory"}
    except Exception as error:  # noqa: BLE001  whatever a reader raises, it is about this file
        return {"error": f"its reader failed: {type(error).__name__}: {error}"[:500], "reason": "reader failed"}


def _packed(section: Section) -> list[Any]:
    lines = section.lines
    first, count = (lines[0], len(lines)) if lines else (1, 1)
    is_range = isinstance(lines, range) or list(lines) == list(range(first, first + count))
    return [
        section.title,
        section.text,
        [first, count] if is_range else {"": list(lines)},
        section.url,
        section.page,
        section.tags,
        section.picture,
    ]


def unpacked(fields: list[Any]) -> Section:
    """Rebuild a section from its JSON."""
    title, text, lines, url, page, tags, picture = fields
    numbers = range(lines[0], lines[0] + lines[1]) if isinstance(lines, list) else lines[""]
    return Section(title, text, numbers, url, page, tuple(tags), picture)


def _limit_memory(size: int) -> None:
    with suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415  there is none on Windows

        resource.setrlimit(resource.RLIMIT_AS, (size, resource.getrlimit(resource.RLIMIT_AS)[1]))


def _end_after(seconds: float) -> None:
    """Let the system end this process unless it is called again in time; 0 ends the wait."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)  # nobody handles its signal, which ends the process
    elif seconds:
        faulthandler.dump_traceback_later(seconds, exit=True)
    else:
        faulthandler.cancel_dump_traceback_later()


def main() -> None:
    """Answer requests until stdin ends."""
    seconds, size = float(sys.argv[1]), int(sys.argv[2])
    _limit_memory(size)
    replies = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what a library prints is no reply
    for line in sys.stdin:
        _end_after(seconds)
        reply = json.dumps(_read(json.loads(line)))
        _end_after(0)
        replies.write(reply + "\n")
        replies.flush()


if __name__ == "__main__":
    main()
