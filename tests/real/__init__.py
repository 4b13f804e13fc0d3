"""Checks on a real Qdrant server, of a binary that is already there: `make server QDRANT_BIN=path`.

They start nodes on 127.0.0.1 in temporary folders, without telemetry, and stop them again.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """A line of the report.

    Attributes:
        what: What was done.
        measured: What came of it.
        good: Whether it is as it should be; None where it is only a figure.
    """

    what: str
    measured: str
    good: bool | None = None
