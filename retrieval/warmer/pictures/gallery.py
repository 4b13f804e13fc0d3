"""Where the pictures of hits are, and what is shown of them. Nothing outside the named folders is ever read."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from warmer.errors import IngestError
from warmer.passage import PICTURE
from warmer.pictures import SUFFIXES, Bounds
from warmer.recent import Recent

_FIELDS = ("image_url", "path", "uri", "source")  # a path may be what a payload has for its source
_SMALL, _LARGE = Bounds(320, 40_000), Bounds(1024, 400_000)
_KEPT = 500  # shown pictures, by default of at most 40 kB

_Key = tuple[Path, int, int, Bounds, str]


@dataclass(frozen=True, slots=True)
class Gallery:
    """The folders from which pictures are shown, and how large.

    Attributes:
        folder: Folder of the pictures that payloads of collections made elsewhere name; None shows none of those.
        small: Bounds of a picture in a list.
        large: Bounds of one that is read.
    """

    folder: Path | None = None
    small: Bounds = _SMALL
    large: Bounds = _LARGE
    _shown: Recent[_Key, bytes | None] = field(default_factory=lambda: Recent[_Key, bytes | None](_KEPT))

    def find(self, payload: Mapping[str, Any], roots: Mapping[str, str]) -> Path | None:
        """Find the file of a hit's picture: where it was indexed, or below the named folder.

        Args:
            payload: Payload of the hit.
            roots: Label -> absolute path of what this machine indexed into the collection.
        """
        if roots and payload.get(PICTURE) and isinstance(source := payload.get("source"), str):
            return _indexed(source, roots)
        named = (payload.get(name) for name in _FIELDS)
        local = (self._local(value) for value in named if isinstance(value, str) and value)
        return next((path for path in local if path), None)

    def picture(self, payload: Mapping[str, Any], roots: Mapping[str, str], bounds: Bounds) -> bytes | None:
        """Find the picture of a hit and make its JPEG; None where it is gone, or another than was indexed."""
        path = self.find(payload, roots)
        return self.show(path, bounds, str(payload.get(PICTURE) or "")) if path else None

    def show(self, path: Path, bounds: Bounds, digest: str = "") -> bytes | None:
        """Make a picture's JPEG; None where its file is gone, damaged, over a limit, or not what has the digest."""
        from warmer.pictures.decode import decode_picture, digest_of, read_picture  # noqa: PLC0415
        from warmer.pictures.thumbnail import thumbnail  # noqa: PLC0415

        try:
            status = path.stat()
            key = (path, status.st_mtime_ns, status.st_size, bounds, digest)
            if key not in self._shown:
                data = read_picture(path)
                is_other = digest and digest_of(data) != digest
                small = None if is_other else thumbnail(decode_picture(data, side=2 * bounds.side), bounds)
                self._shown.keep({key: small})
            return self._shown[key]
        except (OSError, ValueError, IngestError, MemoryError, KeyError):
            return None

    def _local(self, value: str) -> Path | None:
        """Find the file below the named folder that an address or a path means."""
        if self.folder is None:
            return None
        try:
            address = urlsplit(value)
        except ValueError:
            return None
        if address.scheme == "file" and address.netloc in {"", "localhost"}:
            value = unquote(address.path)
        elif address.scheme and not Path(value).is_absolute():
            return None
        return _below(self.folder, value)


def _indexed(source: str, roots: Mapping[str, str]) -> Path | None:
    if source in roots:
        return _below(Path(roots[source]).parent, roots[source])
    for label, path in roots.items():
        if source.startswith(label + "/"):
            return _below(Path(path), source.removeprefix(label + "/"))
    return None


def _below(folder: Path, named: str) -> Path | None:
    """Resolve a path, relative to the folder or absolute; None unless it really leads to a picture inside of it."""
    if "\0" in named or PurePosixPath(named).suffix.lower() not in SUFFIXES:
        return None
    try:
        inside = Path(os.path.realpath(folder))
        real = Path(os.path.realpath(inside / named))
        return real if real.is_relative_to(inside) and real.is_file() else None
    except (OSError, ValueError):
        return None
