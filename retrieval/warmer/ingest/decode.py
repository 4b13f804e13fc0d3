"""Read the bytes of a file, and decode them."""

import codecs
import io
import re
import tokenize
import warnings
from contextlib import suppress
from pathlib import Path
from stat import S_ISREG

from warmer.errors import IngestError
from warmer.ingest.files import replace_surrogates

MAX_BYTES = 20 * 2**20
_CHARSET = re.compile(rb"""<meta\b[^>]{0,500}?charset\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
_CHARSET_SEARCH_BYTES = 4096  # browsers search 1024
_BYTE_ORDER_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
# Browsers decode these declared charsets as others (WHATWG Encoding and HTML standards).
_WHATWG_ENCODINGS = {"ascii": "cp1252", "iso8859-1": "cp1252", "utf-16": "utf-8"}


def read_bytes(path: Path, max_bytes: int = MAX_BYTES) -> bytes:
    """Read a regular file of at most `max_bytes`.

    Raises:
        IngestError: The file cannot be read, is not a regular file, or is larger.
    """
    try:
        status = path.stat()
        if not S_ISREG(status.st_mode):
            raise IngestError("not a regular file")
        if status.st_size > max_bytes:
            raise IngestError(f"larger than {max_bytes / 2**20:g} MB", "too large")
        return path.read_bytes()
    except OSError as error:
        raise IngestError(error.strerror or str(error)) from error
    except ValueError as error:
        raise IngestError(replace_surrogates(str(error))) from error


def decode(data: bytes, *, python: bool = False) -> str:
    r"""Decode text, with "\n" for every line end.

    Args:
        data: The bytes, in UTF-8.
        python: Whether to honour a Python encoding declaration.

    Raises:
        IngestError: The data is binary, or not in that encoding.
    """
    if b"\0" in data:
        raise IngestError("binary, not text", "not text")
    try:
        encoding = tokenize.detect_encoding(io.BytesIO(data).readline)[0] if python else "utf-8-sig"
        with warnings.catch_warnings(action="ignore"):
            return _normalize_newlines(data.decode(encoding))
    except (ValueError, LookupError, SyntaxError) as error:
        raise IngestError(replace_surrogates(str(error)), "not text") from error


def decode_html(data: bytes) -> str:
    """Decode HTML by its byte order mark, its declared charset, as UTF-8, or as Windows-1252: the first that works.

    Raises:
        IngestError: The data is binary.
    """
    mark = next((encoding for mark, encoding in _BYTE_ORDER_MARKS.items() if data.startswith(mark)), "")
    if b"\0" in data and mark != "utf-16":
        raise IngestError("binary, not text", "not text")
    declared = _CHARSET.search(data, 0, _CHARSET_SEARCH_BYTES)
    for encoding in (mark, declared[1].decode() if declared else "", "utf-8"):
        with suppress(ValueError, LookupError):
            name = codecs.lookup(encoding).name
            return _normalize_newlines(data.decode(_WHATWG_ENCODINGS.get(name, name) if encoding != mark else mark))
    return _normalize_newlines(data.decode("cp1252", "replace"))


def _normalize_newlines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
