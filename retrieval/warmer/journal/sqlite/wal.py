"""Whether the write-ahead log is read in full: SQLite stops at the first frame whose checksum is wrong, in silence.

The formats of the log and of its index are in https://sqlite.org/walformat.html.
"""

import os
import sys
from dataclasses import dataclass
from io import RawIOBase
from pathlib import Path
from struct import iter_unpack, unpack

_HEADER, _FRAME = 32, 24  # bytes
_MAGIC = 0x377F0682  # the last bit says that checksums are of big-endian numbers
_ALL = 1 << 32
_PAGE_SIZE, _PAGE_SIZES = 4096, {1 << power for power in range(9, 17)}  # ours, and those that there are
_MOST_IN_INDEX, _SALTS_IN_INDEX = slice(16, 20), slice(32, 40)


@dataclass(frozen=True, slots=True)
class Log:
    """What a log holds.

    Attributes:
        salts: What its frames have in common.
        sound: Whether the header's checksum is right; otherwise SQLite reads nothing of the log.
        committed: Number of frames up to the end of the last transaction, damaged ones too.
    """

    salts: bytes
    sound: bool
    committed: int


def look(database: Path) -> Log | None:
    """Look at the log of a database, before it is opened; None where there is none."""
    try:
        with Path(f"{database}-wal").open("rb", buffering=0) as file:
            header = _read(file, _HEADER, 0)
            if len(header) < _HEADER:
                return None
            sound = _is_sound(header) or header != _read(file, _HEADER, 0)  # or it is being written
            return Log(header[16:24], sound, _committed(file, header[16:24] if sound else b""))
    except FileNotFoundError:
        return None


def lost(database: Path, log: Log | None) -> int:
    """Count the frames of transactions that SQLite, which opened the database and wrote nothing yet, does not read."""
    if log is None or not log.committed:
        return 0
    if not log.sound:
        return log.committed
    try:
        index = Path(f"{database}-shm").read_bytes()[: _HEADER + 16]
    except OSError:
        return 0
    if index[_SALTS_IN_INDEX] != log.salts:  # another process began a new log meanwhile
        return 0
    return max(0, log.committed - int.from_bytes(index[_MOST_IN_INDEX], sys.byteorder))


def _committed(file: RawIOBase, salts: bytes) -> int:
    """Count frames up to the last that ends a transaction, of those with the salts, else those of the first frame."""
    size = int.from_bytes(_read(file, 4, 8), "big")
    size = size if size in _PAGE_SIZES else _PAGE_SIZE
    number, last, at, end = 0, 0, _HEADER, file.seek(0, os.SEEK_END)
    while at + _FRAME + size <= end:
        frame = _read(file, _FRAME, at)
        salts, number, at = salts or frame[8:16], number + 1, at + _FRAME + size
        if frame[8:16] == salts and frame[4:8] != bytes(4):
            last = number
    return last


def _read(file: RawIOBase, size: int, at: int) -> bytes:
    file.seek(at)
    return file.read(size) or b""


def _is_sound(header: bytes) -> bool:
    (magic,) = unpack(">I", header[:4])
    if magic & ~1 != _MAGIC:
        return False
    first = second = 0
    for one, other in iter_unpack(">II" if magic & 1 else "<II", header[:24]):
        first = (first + one + second) % _ALL
        second = (second + other + first) % _ALL
    return unpack(">II", header[24:32]) == (first, second)
