"""What agents did, a JSON line a question: evidence for a reader, and where a run that was broken off goes on."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from warmer_evals import EvalError
from warmer_evals.agent import Outcome


class Row(Outcome):
    """A question that is done.

    Attributes:
        id: The query's id.
        answer: Document ids, best first; empty where there is no answer.
        read: How many distinct documents were shown.
        characters: Of all texts and titles that were shown.
        calls: How often the server's tools were called.
        rounds: For each list that was shown its hits: [document id, the agent's score 0..10 or None].
    """

    id: str
    answer: list[str]
    read: int
    characters: int = 0
    calls: int
    rounds: list[list[tuple[str, float | None]]]


class Transcript:
    """The rows of one agent in one arm, in a file under a header that says what they belong to.

    The header is written with the first row. A last line that a crash cut short is dropped.

    Attributes:
        rows: Query id -> row.

    Raises:
        EvalError: The file is of another run, or cannot be read or written.
    """

    def __init__(self, path: Path, header: Mapping[str, Any]) -> None:
        self.rows: dict[str, Row] = {}
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lines = _whole_lines(path)
        except (OSError, UnicodeDecodeError) as error:
            raise EvalError(f"cannot keep transcripts in {path}: {error}. Choose another output folder") from error
        self._unwritten = [] if lines else [header]
        for number, line in enumerate(lines, start=1):
            if number == 1:
                self._check(line, header)
            else:
                row = self._parse(number, line)
                self.rows[row.id] = row

    def add(self, row: Row) -> None:
        """Keep a row.

        Raises:
            EvalError: It cannot be written.
        """
        lines = [*self._unwritten, row.model_dump(mode="json")]
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write("".join(json.dumps(line) + "\n" for line in lines))
        except OSError as error:
            raise EvalError(f"cannot write {self._path}: {error}. Choose another output folder") from error
        self._unwritten = []
        self.rows[row.id] = row

    def _check(self, line: str, header: Mapping[str, Any]) -> None:
        try:
            found = dict(json.loads(line))
        except (ValueError, TypeError):
            found = {}
        differing = [key for key in header if found.get(key) != header[key]]
        if differing:
            told = "; ".join(f"{key} is {found.get(key)!r} there and {header[key]!r} now" for key in differing)
            raise EvalError(
                f"{self._path} is of another run: {told}. Choose another output folder, or delete "
                f"{self._path.parent} to start over"
            )

    def _parse(self, number: int, line: str) -> Row:
        try:
            return Row.model_validate(json.loads(line))
        except (ValueError, ValidationError) as error:
            raise EvalError(
                f"line {number} of {self._path} is not a question's transcript: {line[:60]!r}. Delete that line, and "
                "the question is asked again"
            ) from error


def _whole_lines(path: Path) -> list[str]:
    if not path.exists():
        return []
    raw = path.read_bytes()
    whole = raw[: raw.rfind(b"\n") + 1]
    if len(whole) < len(raw):
        os.truncate(path, len(whole))
    return whole.decode("utf-8").splitlines()
