"""Bytes of a file, and those to text."""

import codecs
import io
import re
import tokenize
import warnings
from contextlib import suppress
from pathlib import Path
from stat import S_ISREG

from warmer.errors import IngestError
from warmer.ingest.files import printable

MAX_BYTES = 20 * 2**20
_CHARSET = re.compile(rb"""<meta\b[^>]{0,500}?charset\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
_DECLARED_WITHIN = 4096  # bytes; browsers look at 1024
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_AS_BROWSERS_DO = {"ascii": "cp1252", "iso8859-1": "cp1252", "utf-16": "utf-8"}


def read_bytes(path: Path, most: int = MAX_BYTES) -> bytes:
    """Read a regular file of at most this many bytes.

    Raises:
        IngestError: The file cannot be read, is special, or larger.
    """
    try:
        status = path.stat()
        if not S_ISREG(status.st_mode):
            raise IngestError("not a regular file")
        if status.st_size > most:
            raise IngestError(f"larger than {most / 2**20:g} MB", "too large")
        return path.read_bytes()
    except OSError as error:
        raise IngestError(error.strerror or str(error)) from error
    except ValueError as error:
        raise IngestError(printable(str(error))) from error


def decode(data: bytes, *, python: bool = False) -> str:
    r"""Decode a text; every line of it ends with "\n".

    Args:
        data: The bytes.
        python: Whether to honour the encoding that a Python file declares. All others are UTF-8.

    Raises:
        IngestError: It is binary or not UTF-8.
    """
    if b"\0" in data:
        raise IngestError("binary, not text", "not text")
    try:
        encoding = tokenize.detect_encoding(io.BytesIO(data).readline)[0] if python else "utf-8-sig"
        with warnings.catch_warnings(action="ignore"):
            return _with_newlines(data.decode(encoding))
    except (ValueError, LookupError, SyntaxError) as error:
        raise IngestError(printable(str(error)), "not text") from error


def decode_html(data: bytes) -> str:
    """Decode HTML as browsers do: by its byte order mark, what it declares, as UTF-8, or as Windows-1252.

    Raises:
        IngestError: It is binary.
    """
    mark = next((encoding for mark, encoding in _MARKS.items() if data.startswith(mark)), "")
    if b"\0" in data and mark != "utf-16":
        raise IngestError("binary, not text", "not text")
    declared = _CHARSET.search(data, 0, _DECLARED_WITHIN)
    for encoding in (mark, declared[1].decode() if declared else "", "utf-8"):
        with suppress(ValueError, LookupError):
            name = codecs.lookup(encoding).name
            return _with_newlines(data.decode(_AS_BROWSERS_DO.get(name, name) if encoding != mark else mark))
    return _with_newlines(data.decode("cp1252", "replace"))


def _with_newlines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
