"""Decode a picture within limits: of known formats, upright, its first frame, as red, green and blue."""

import hashlib
import io
from pathlib import Path
from stat import S_ISREG

from PIL import Image, ImageOps

from warmer.errors import IngestError
from warmer.pictures import FORMATS, MAX_BYTES, MAX_PIXELS

_PAPER = (255, 255, 255)  # what is seen through a picture


def read_picture(path: Path, max_bytes: int = MAX_BYTES) -> bytes:
    """Read the file of a picture, without decoding it.

    Raises:
        IngestError: It cannot be read, is no regular file, or is larger than `max_bytes`.
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


def decode_picture(data: bytes, *, side: int = 0, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Decode a picture: upright as its EXIF says, its first frame, on white where it is transparent.

    Args:
        data: The file.
        side: The longest side that is of use, in pixels, which lets a large JPEG be decoded faster; 0 is all.
        max_pixels: Width times height at most, looked up before anything is decoded.

    Raises:
        IngestError: It is no picture of a known format, is damaged, or has too many pixels.
    """
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            width, height = picture.size
            _check_size(width, height, max_pixels)
            if side:
                picture.draft("RGB", (side, side))
            picture.load()
            return _opaque(ImageOps.exif_transpose(picture))
    except IngestError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise IngestError(f"more than {max_pixels} pixels", "of too many pixels") from error
    except MemoryError:
        raise
    except Exception as error:
        # Pillow's decoders raise errors of many kinds for damaged files, SyntaxError and struct.error among them.
        raise IngestError(f"is not a picture that can be decoded: {error}"[:300], "damaged pictures") from error


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise IngestError(f"{width} x {height} pixels, more than {max_pixels}", "of too many pixels")


def digest_of(data: bytes) -> str:
    """Identify a picture by its file: 32 hexadecimal digits."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _opaque(picture: Image.Image) -> Image.Image:
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    layer = picture.convert("RGBA")
    paper = Image.new("RGB", layer.size, _PAPER)
    paper.paste(layer, mask=layer.getchannel("A"))
    return paper
