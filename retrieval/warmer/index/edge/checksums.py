"""Checksums of a generation's files: what a disk or a copy got wrong is named, never searched.

Sizes are compared at every open, contents where they are small enough for that to take no time. The rest is for
`warmer status --verify`.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from zlib import crc32

Sums = Mapping[str, tuple[int, int]]  # file -> its size in bytes, and the checksum of its contents

SMALL = 64 * 2**20  # bytes on the disk up to which contents are compared at every open: about 50 ms
_REWRITTEN = {"edge_config.json"}  # by each load
_BLOCK = 2**16
_ZEROS = bytes(_BLOCK)


def checksums(shard: Path, names: list[str]) -> Sums:
    """Note the size and the checksum of each file of a shard that stays as it is."""
    return {name: ((shard / name).stat().st_size, _checksum(shard / name)) for name in names if name not in _REWRITTEN}


def damaged(shard: Path, sums: Sums, *, thorough: bool = False) -> str:
    """Say which file is not as it was written, and how; nothing where all are.

    Contents are compared if they are small, or if it is to be `thorough`.
    """
    stored = 0
    for name, (size, _) in sums.items():
        try:
            found = (shard / name).stat()
        except FileNotFoundError:
            return f"{name} is missing"
        if found.st_size != size:
            return f"{name} has {found.st_size} bytes, not {size}"
        stored += getattr(found, "st_blocks", found.st_size // 512) * 512
    for name, (_, checksum) in sums.items() if thorough or stored <= SMALL else ():
        if _checksum(shard / name) != checksum:
            return f"the contents of {name} are not what was written"
    return ""


def _checksum(file: Path) -> int:
    """Give the CRC-32 of all blocks that are not zero, and of where they are: files of the engine are mostly holes."""
    checksum = 0
    for position, block in _blocks(file):
        if block != _ZEROS[: len(block)]:
            checksum = crc32(block, crc32(position.to_bytes(8, "little"), checksum))
    return checksum


def _blocks(file: Path) -> Iterator[tuple[int, bytes]]:
    """Read a file without its holes, where the system can tell them."""
    with file.open("rb", buffering=0) as raw:
        size, position = os.fstat(raw.fileno()).st_size, 0
        while (position := _after_hole(raw.fileno(), position, size)) < size:
            raw.seek(position)
            block = raw.read(_BLOCK)
            yield position, block
            position += _BLOCK


def _after_hole(descriptor: int, position: int, size: int) -> int:
    if not hasattr(os, "SEEK_DATA"):
        return position
    try:
        return max(position, os.lseek(descriptor, position, os.SEEK_DATA) // _BLOCK * _BLOCK)
    except OSError:  # nothing but a hole up to the end
        return size
