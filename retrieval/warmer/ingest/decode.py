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
_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # begins like the mark of UTF-16
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# Browsers decode these declared charsets as others (WHATWG Encoding and HTML standards).
_WHATWG_ENCODINGS = {"ascii": "cp1252", "iso8859-1": "cp1252", "utf-16": "utf-8"}
_CONTROLS = bytes({*range(32), 127} - set(b"\t\n\r\f\x1b"))
_MOST_CONTROLS = 0.05  # of the bytes of a text; a picture has twice as many
_ENOUGH_BYTES = 64  # to tell by other control characters than zero bytes
_NULLS_OF_UTF16 = 0.3
_FEW_BYTES = 8


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
        with path.open("rb") as file:
            return file.read(max_bytes)
    except OSError as error:
        raise IngestError(error.strerror or str(error)) from error
    except ValueError as error:
        raise IngestError(replace_surrogates(str(error))) from error


def decode(data: bytes, encoding: str = "") -> str:
    r"""Decode text, with "\n" for every line end.

    By its byte order mark, as UTF-8, or in `encoding`, which is Windows-1252 unless given. A few bytes that are wrong
    become U+FFFD.

    Raises:
        IngestError: The data is binary.
    """
    for mark, name in _BYTE_ORDER_MARKS.items():
        if data.startswith(mark):
            return _plain(data.decode(name, "replace"))
    if utf16 := _utf16_without_mark(data):
        return _plain(data.decode(utf16, "replace"))
    _refuse_binary(data)
    try:
        return _plain(data.decode())
    except UnicodeDecodeError:
        text = data.decode(errors="replace")
        if not encoding and _is_mostly_utf8(data, text):
            return _plain(text)
        return _plain(data.decode(encoding or "cp1252", "replace"))


def decode_python(data: bytes) -> str:
    """Decode Python code by its encoding declaration.

    Raises:
        IngestError: The data is binary, or not in that encoding.
    """
    if b"\0" in data:
        raise IngestError("binary, not text", "not text")
    try:
        encoding = tokenize.detect_encoding(io.BytesIO(data).readline)[0]
        with warnings.catch_warnings(action="ignore"):
            return _plain(data.decode(encoding))
    except (ValueError, LookupError, SyntaxError) as error:
        raise IngestError(replace_surrogates(str(error)), "not text") from error


def decode_html(data: bytes, encoding: str = "") -> str:
    """Decode HTML by its byte order mark, its declared charset, or as other text: the first that works.

    Raises:
        IngestError: The data is binary.
    """
    declared = _CHARSET.search(data, 0, _CHARSET_SEARCH_BYTES)
    if declared and not data.startswith(tuple(_BYTE_ORDER_MARKS)):
        _refuse_binary(data)
        with suppress(ValueError, LookupError):
            name = codecs.lookup(declared[1].decode()).name
            return _plain(data.decode(_WHATWG_ENCODINGS.get(name, name)))
    return decode(data, encoding)


def check_encoding(name: str) -> str:
    """Return the name of an encoding of text.

    Raises:
        IngestError: There is no such encoding.
    """
    try:
        b"a".decode(name)
        return codecs.lookup(name).name
    except (LookupError, ValueError, TypeError) as error:
        raise IngestError(f"{name!r} is not a text encoding: name one, such as cp1252, latin-1 or shift_jis") from error


def _refuse_binary(data: bytes) -> None:
    controls = _CONTROLS if len(data) >= _ENOUGH_BYTES else b"\0"
    if len(data) - len(data.translate(None, controls)) > _MOST_CONTROLS * len(data):
        raise IngestError("binary, not text", "not text")


def _utf16_without_mark(data: bytes) -> str:
    """Tell UTF-16 by zero bytes at even or at odd places only; empty if it is something else."""
    half = len(data) // 2
    if len(data) < _FEW_BYTES or len(data) % 2:
        return ""
    even, odd = data[::2].count(0) / half, data[1::2].count(0) / half
    if max(even, odd) < _NULLS_OF_UTF16 or min(even, odd) > _MOST_CONTROLS:
        return ""
    return "utf-16-be" if even > odd else "utf-16-le"


def _is_mostly_utf8(data: bytes, text: str) -> bool:
    """Tell whether more bytes beyond ASCII are UTF-8 than are wrong."""
    wrong = text.count("\ufffd") - data.count("\ufffd".encode())
    right = sum(character > "\x7f" and character != "\ufffd" for character in text)
    return right > wrong


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
