"""The log on stderr: a line a record, as text or as JSON, without secrets, queries or handles that can be used."""

import json
import logging
import os
import re
import sys
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from traceback import extract_tb
from typing import Any, Literal

from warmer.sanitize import one_line

_OWN = "warmer", "warmer_tools", "warmer_server"
_NAMED_SECRET = re.compile(r"(KEY|TOKENS?|SECRET|PASSWORD)$", re.IGNORECASE)
_SHAPED_SECRET = re.compile(r"(://)[^/\s@]*@|(\bbearer\s+)[^\s\"',;]+", re.IGNORECASE)
_HANDLE = re.compile(r"\b([st]_[\w-]{6})[\w-]{16}")
_LONGEST = 500
_SHORTEST = 6  # of a secret: shorter ones are parts of words


def configure(level: str, form: Literal["text", "json"], *, queries: bool) -> None:
    """Send the log to stderr.

    Other packages' loggers say warnings and errors alone: below that they quote what they are sent.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Json(queries) if form == "json" else Text(queries))
    logging.basicConfig(level=max(logging.getLevelName(level), logging.WARNING), handlers=[handler], force=True)
    for name in _OWN:
        logging.getLogger(name).setLevel(level)


class Text(logging.Formatter):
    """Write a record as level, logger and message, and then what else it says as name=value."""

    def __init__(self, queries: bool) -> None:
        super().__init__()
        self._queries = queries

    def format(self, record: logging.LogRecord) -> str:
        """Write one line."""
        facts = describe(record, queries=self._queries)
        head = f"{record.levelname} {record.name}: {facts.pop('message')}"
        flat = facts | facts.pop("stages", {})
        pairs = [f"{name}={_quoted(value)}" for name, value in flat.items() if name not in {"time", "level", "logger"}]
        return " ".join([head, *pairs])


class Json(Text):
    """Write a record as a JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one line."""
        return json.dumps(describe(record, queries=self._queries), ensure_ascii=False, default=str)


def describe(record: logging.LogRecord, *, queries: bool) -> dict[str, Any]:
    """List what a log may say of a record.

    A record's `facts` are for every log; `private`, and the message of an exception, only for one with queries.
    """
    facts = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname,
        "logger": record.name,
        "message": _clean(record.getMessage()),
        **getattr(record, "facts", {}),
        **(getattr(record, "private", {}) if queries else {}),
    }
    if record.exc_info and (error := record.exc_info[1]):
        frames = reversed(extract_tb(error.__traceback__))
        facts["error"] = type(error).__name__
        facts["at"] = " < ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames)
        if queries:
            facts["detail"] = str(error)
    told = {name: value for name, value in facts.items() if value is not None}
    return {name: _clean(value) if isinstance(value, str) else value for name, value in told.items()}


def _clean(text: str) -> str:
    for secret in secrets():
        text = text.replace(secret, "***")
    text = _SHAPED_SECRET.sub(lambda found: f"{found[1] or found[2]}***", text)
    line = one_line(_HANDLE.sub(r"\1…", text))
    return line if len(line) <= _LONGEST else line[:_LONGEST] + " …"


@cache
def secrets() -> list[str]:
    """List what the environment gives under a name that says that it is secret."""
    named = {value for name, value in os.environ.items() if _NAMED_SECRET.search(name)}
    return sorted((value for value in named if len(value) >= _SHORTEST), key=len, reverse=True)


def _quoted(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if re.fullmatch(r"[^\s\"=]+", text) else json.dumps(text, ensure_ascii=False)
