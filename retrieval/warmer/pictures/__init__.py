"""Pictures: files checked and decoded within limits, and shown in small.

Pillow takes a while to import, so only `decode` and `thumbnail` do it.
"""

from dataclasses import dataclass

FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif")
MAX_BYTES = 20 * 2**20
MAX_PIXELS = 64_000_000  # as much as a camera of a telephone takes, and 256 MB when it is decoded


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a shown picture may take.

    Attributes:
        side: Its longest side, in pixels.
        size: Its bytes, before base64.
    """

    side: int
    size: int
