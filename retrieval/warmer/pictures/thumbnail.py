"""A picture in small: a JPEG within a longest side and a number of bytes."""

import io

from PIL import Image

from warmer.pictures import Bounds

_QUALITIES = (80, 60, 40)
_SMALLEST = 16  # pixels


def thumbnail(picture: Image.Image, bounds: Bounds) -> bytes | None:
    """Write a decoded picture as a JPEG within bounds: less exact first, then smaller. It is never enlarged.

    Returns None if it does not fit at all.
    """
    side = bounds.side
    while side >= _SMALLEST:
        small = picture.copy()
        small.thumbnail((side, side), reducing_gap=2.0)
        for quality in _QUALITIES:
            file = io.BytesIO()
            small.save(file, "JPEG", quality=quality)
            if file.tell() <= bounds.size:
                return file.getvalue()
        side = max(small.size) // 2
    return None
