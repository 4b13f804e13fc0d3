"""The title that a document's file name gives."""

import re
from pathlib import PurePath
from urllib.parse import unquote

from warmer.ingest.kinds import SUFFIXES

_HASH = re.compile(r"[ _-]+(?:[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?=\Z|[ _])", re.IGNORECASE)
_SEPARATOR = re.compile(r"_+|(?<!\d)-+|-+(?!\d)")


def name_of(source: str) -> str:
    """Return a document's title by its file name: without suffix, a note tool's hash, or hyphens for spaces."""
    path = PurePath(source)
    name = path.stem if path.suffix.lower() in SUFFIXES or path.suffix[1:].isalpha() else path.name
    if "%" in name:
        name = unquote(name, errors="ignore")
    name = _HASH.sub("", name) or name
    return name.strip() if " " in name.strip() else " ".join(_SEPARATOR.sub(" ", name).split()) or name
