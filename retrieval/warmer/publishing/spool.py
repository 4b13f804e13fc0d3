"""Points on their way into a collection, in a file: a million of them take no memory."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Payload = dict[str, Any]
_JSON_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean", list: "array", dict: "object"}


class Spool:
    """Ids and payloads as JSON lines: written once, then read as often as needed.

    Attributes:
        fields: The fields of all payloads and the JSON type of their values.
    """

    def __init__(self, path: Path) -> None:
        self.fields: dict[str, str] = {}
        self._path = path
        self._count = 0
        self._lines = path.open("w", encoding="utf-8")

    def add(self, id: str, payload: Mapping[str, Any]) -> None:  # noqa: A002
        """Append a point."""
        self._lines.write(json.dumps({"id": id, "payload": payload}) + "\n")
        self.fields |= {key: _JSON_TYPES.get(type(value), "null") for key, value in payload.items()}
        self._count += 1

    def close(self) -> None:
        """Write what is held back."""
        self._lines.close()

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[tuple[str, Payload]]:
        self._lines.flush()
        return spooled(self._path)


def spooled(path: Path) -> Iterator[tuple[str, Payload]]:
    """Read the points of a spool's file."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            point = json.loads(line)
            yield point["id"], point["payload"]
