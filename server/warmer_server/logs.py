"""Log to stderr, one line per record as text or JSON, without secrets, usable handles or (by default) queries."""

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

_OWN_LOGGERS = "warmer", "warmer_tools", "warmer_server"
_NAMED_SECRET = re.compile(r"(KEY|TOKENS?|SECRET|PASSWORD)$", re.IGNORECASE)
_SHAPED_SECRET = re.compile(r"(://)[^/\s@]*@|(\bbearer\s+)[^\s\"',;]+", re.IGNORECASE)
_HANDLE = re.compile(r"\b([st]_[\w-]{6})[\w-]{16}")
_MAX_LENGTH = 500  # characters of a value
_MIN_SECRET_LENGTH = 6  # shorter values also occur within words


def configure(level: str, form: Literal["text", "json"], *, queries: bool) -> None:
    """Send the log to stderr.

    Loggers of other packages log only warnings and errors: below that they quote the messages they handle.

    Args:
        level: Level of Warmer's own loggers.
        form: Format of a line.
        queries: Whether to log queries and error messages, which quote them.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(queries) if form == "json" else TextFormatter(queries))
    logging.basicConfig(level=max(logging.getLevelName(level), logging.WARNING), handlers=[handler], force=True)
    for name in _OWN_LOGGERS:
        logging.getLogger(name).setLevel(level)


class TextFormatter(logging.Formatter):
    """Format a record as level, logger, message and name=value pairs."""

    def __init__(self, queries: bool) -> None:
        super().__init__()
        self._queries = queries

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        facts = describe(record, queries=self._queries)
        head = f"{record.levelname} {record.name}: {facts.pop('message')}"
        flat = facts | facts.pop("stages", {})
        pairs = [f"{name}={_quoted(value)}" for name, value in flat.items() if name not in {"time", "level", "logger"}]
        return " ".join([head, *pairs])


class JsonFormatter(TextFormatter):
    """Format a record as a JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        return json.dumps(describe(record, queries=self._queries), ensure_ascii=False, default=str)


def describe(record: logging.LogRecord, *, queries: bool) -> dict[str, Any]:
    """Return the fields of a record that may be logged.

    Its `facts` always may; `private` and the message of an exception only with `queries`.
    """
    facts = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname,
        "logger": record.name,
        "message": _redact(record.getMessage()),
        **getattr(record, "facts", {}),
        **(getattr(record, "private", {}) if queries else {}),
    }
    if record.exc_info and (error := record.exc_info[1]):
        frames = reversed(extract_tb(error.__traceback__))
        facts["error"] = type(error).__name__
        facts["at"] = " < ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames)
        if queries:
            facts["detail"] = str(error)
    present = {name: value for name, value in facts.items() if value is not None}
    return {name: _redact(value) if isinstance(value, str) else value for name, value in present.items()}


def _redact(text: str) -> str:
    for secret in environment_secrets():
        text = text.replace(secret, "***")
    text = _SHAPED_SECRET.sub(lambda found: f"{found[1] or found[2]}***", text)
    line = one_line(_HANDLE.sub(r"\1…", text))
    return line if len(line) <= _MAX_LENGTH else line[:_MAX_LENGTH] + " …"


@cache
def environment_secrets() -> list[str]:
    """Return the values of environment variables that are secret by name, longest first."""
    values = {value for name, value in os.environ.items() if _NAMED_SECRET.search(name)}
    return sorted((value for value in values if len(value) >= _MIN_SECRET_LENGTH), key=len, reverse=True)


def _quoted(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if re.fullmatch(r"[^\s\"=]+", text) else json.dumps(text, ensure_ascii=False)
