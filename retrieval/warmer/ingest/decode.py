"""Bytes of a file to text."""

import io
import tokenize
import warnings
from pathlib import Path
from stat import S_ISREG

from warmer.errors import IngestError
from warmer.ingest.files import printable

MAX_BYTES = 20 * 2**20


def read_text(path: Path, *, python: bool = False) -> str:
    r"""Read a text file; every line of the text ends with "\n".

    Args:
        path: The file.
        python: Whether to honour the encoding that a Python file declares. All others are UTF-8.

    Raises:
        IngestError: The file cannot be read, is special, larger than `MAX_BYTES`, binary or not UTF-8.
    """
    try:
        return _decode(_read(path), python=python)
    except OSError as error:
        raise IngestError(f"{printable(path)}: {error.strerror or error}") from error
    except (ValueError, LookupError, SyntaxError) as error:
        raise IngestError(f"{printable(path)}: {printable(str(error))}") from error


def _read(path: Path) -> bytes:
    status = path.stat()
    if not S_ISREG(status.st_mode):
        raise ValueError("not a regular file")
    if status.st_size > MAX_BYTES:
        raise ValueError(f"larger than {MAX_BYTES // 2**20} MB")
    return path.read_bytes()


def _decode(data: bytes, *, python: bool) -> str:
    if b"\0" in data:
        raise ValueError("binary, not text")
    encoding = tokenize.detect_encoding(io.BytesIO(data).readline)[0] if python else "utf-8-sig"
    with warnings.catch_warnings(action="ignore"):
        text = data.decode(encoding)
    return text.replace("\r\n", "\n").replace("\r", "\n")
