"""Vectors of pictures, by a model that sees."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from PIL import Image

from warmer.embedding import ImageEmbedder
from warmer.errors import IngestError
from warmer.passage import PICTURE
from warmer.pictures.decode import decode_picture, digest_of, read_picture
from warmer.publishing.spool import Payload
from warmer.vectors import Vector

_BATCH = 16  # pictures decoded at once


class PictureEmbedder:
    """Embeds the pictures that payloads name.

    Args:
        model: Embeds pictures.
        paths: Source -> path of the pictures that this run found.
        max_bytes: Size of a picture's file at most.
    """

    def __init__(self, model: ImageEmbedder, paths: Mapping[str, Path], max_bytes: int) -> None:
        self.name = model.name
        self.dim = model.dim
        self._model = model
        self._paths = paths
        self._max_bytes = max_bytes

    def embed_payloads(self, payloads: Sequence[Payload]) -> Iterator[tuple[int, Vector]]:
        """Embed pictures; yield pairs of position and vector.

        Raises:
            IngestError: A file is not the one any more that was checked.
        """
        waiting = iter(enumerate(payloads))
        with ThreadPoolExecutor() as threads:
            while batch := list(islice(waiting, _BATCH)):
                pictures = list(threads.map(self._open, [payload for _, payload in batch]))
                vectors = self._model.embed_images(pictures)
                yield from zip([position for position, _ in batch], vectors, strict=True)

    def _open(self, payload: Payload) -> Image.Image:
        source = payload["source"]
        try:
            data = read_picture(self._paths[source], self._max_bytes)
            if digest_of(data) == payload[PICTURE]:
                return decode_picture(data)
        except (KeyError, IngestError):
            pass
        raise IngestError(f"{source} changed while it was being indexed, and nothing was published: run this again")
