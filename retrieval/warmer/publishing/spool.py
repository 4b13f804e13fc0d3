"""A file for points that wait to be written, so that a million of them take no memory."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Payload = dict[str, Any]
_JSON_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean", list: "array", dict: "object"}


class Spool:
    """Ids and payloads as JSON lines, written once and read any number of times.

    Attributes:
        fields: Payload fields seen so far and the JSON type of their values.
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

    def rename(self, ids: Mapping[str, str]) -> None:
        """Give points other ids: id -> new id. Their order stays."""
        if not ids:
            return
        self.close()
        renamed = self._path.with_suffix(".renamed")
        with renamed.open("w", encoding="utf-8") as lines:
            for id_, payload in read_spool(self._path):
                lines.write(json.dumps({"id": ids.get(id_, id_), "payload": payload}) + "\n")
        renamed.replace(self._path)
        self._lines = self._path.open("a", encoding="utf-8")

    def close(self) -> None:
        """Flush and close the file."""
        self._lines.close()

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[tuple[str, Payload]]:
        self._lines.flush()
        return read_spool(self._path)


def read_spool(path: Path) -> Iterator[tuple[str, Payload]]:
    """Yield id and payload of each point in a spool's file."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            point = json.loads(line)
            yield point["id"], point["payload"]
