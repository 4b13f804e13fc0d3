"""Read members of a zip archive that a document is."""

import zipfile

from warmer.errors import IngestError

_MAX_BYTES = 200 * 2**20


def check_size(archive: zipfile.ZipFile) -> None:
    """Refuse an archive that is too large when unpacked.

    Raises:
        IngestError: It is.
    """
    if sum(info.file_size for info in archive.infolist()) > _MAX_BYTES:
        raise IngestError(f"larger than {_MAX_BYTES >> 20} MB when unpacked", "too large")


def member(archive: zipfile.ZipFile, name: str) -> bytes:
    """Read a member; empty if there is none."""
    try:
        return archive.read(name)
    except KeyError:
        return b""
