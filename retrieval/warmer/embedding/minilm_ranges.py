"""Measure what the built-in model multiplies: `python -m warmer.embedding.minilm_ranges` (needs the extra `dev`).

The graph rounds the input of each product to a byte, within a range that is known beforehand: so a vector does not
depend on what else is in its batch, and no time goes into looking for the range. A few of a product's inputs are up to
ten times as large as all others, and would leave those a handful of steps. Each of them is split: it comes several
times, as a fraction, and the matrix has its row as often (Zhao et al. 2019, outlier channel splitting).
"""

import json
import pydoc
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RANGES = Path(__file__).parent / "all-MiniLM-L6-v2" / "ranges.json"
_MODULES = (
    "argparse asyncio bisect calendar codecs collections contextlib csv ctypes datetime decimal difflib doctest email "
    "fractions ftplib gettext gzip heapq html http.client imaplib inspect itertools json locale logging mailbox math "
    "mimetypes multiprocessing numbers operator os pathlib pickle platform plistlib poplib random re sched secrets "
    "selectors shutil smtplib socket sqlite3 ssl statistics string struct subprocess tarfile threading timeit tokenize "
    "turtle typing unittest urllib.request uuid warnings wave weakref xml.etree.ElementTree zipfile"
)
_TEXTS = 6  # of each module
_CHARACTERS = 30, 800


@dataclass(frozen=True, slots=True)
class Range:
    """What goes into a product.

    Attributes:
        low: The least of its inputs, once they are split.
        high: The greatest.
        copies: Input -> how often it comes; those that come once are left out.
    """

    low: float
    high: float
    copies: dict[int, int]

    def copied(self) -> list[int]:
        """List the inputs that come again, each as often as it does."""
        return [place for place, times in self.copies.items() for _ in range(times - 1)]


def read_ranges() -> list[Range]:
    """Read the measured ranges, in the order of the products."""
    stored = json.loads(RANGES.read_text(encoding="utf-8"))
    return [
        Range(one["low"], one["high"], {int(place): times for place, times in one["copies"].items()}) for one in stored
    ]


def split(low: NDArray[np.float32], high: NDArray[np.float32], most: int) -> Range:
    """Choose how often each input comes, so that the range is the narrowest that `most` more inputs allow.

    Args:
        low: The least value of each input, shape (inputs,).
        high: The greatest.
        most: How many inputs may be added.
    """
    size = np.maximum(np.abs(low), np.abs(high))
    narrowest = next(
        limit for limit in np.arange(1, size.max() + 1, 0.1) if _times(size, limit).sum() - size.size <= most
    )
    times = _times(size, narrowest)
    copies = {int(place): int(times[place]) for place in np.flatnonzero(times > 1)}
    return Range(round(float((low / times).min()), 3), round(float((high / times).max()), 3), copies)


def _times(size: NDArray[np.float32], limit: float) -> NDArray[np.int64]:
    return np.asarray(np.maximum(np.ceil(size / limit), 1), dtype=np.int64)


def texts() -> Iterator[str]:
    """Give passages of Python's own documentation, and its names, which are as short as queries."""
    shortest, longest = _CHARACTERS
    for name in _MODULES.split():
        yield f"how do I use {name}?"
        page = pydoc.plain(pydoc.render_doc(name))
        passages = [" ".join(part.split())[:longest] for part in page.split("\n\n")]
        whole = [passage for passage in passages if len(passage) >= shortest]
        yield from whole[:: max(len(whole) // _TEXTS, 1)]


def measure() -> list[Range]:
    """Run the model in full precision on some texts."""
    import onnxruntime  # noqa: PLC0415
    from onnx import helper  # noqa: PLC0415

    from warmer.embedding.minilm import MiniLM, session_options, weights  # noqa: PLC0415
    from warmer.embedding.minilm_graph import ADDED, build  # noqa: PLC0415

    graph = build(None)
    products = [node for node in graph.graph.node if node.op_type == "MatMul"]
    graph.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in {n.input[0] for n in products})
    session = onnxruntime.InferenceSession(graph.SerializeToString(), session_options(weights().model.parent))
    model = MiniLM()
    inputs = [node.input[0] for node in products]
    extremes = [
        [(values.min(axis=(0, 1)), values.max(axis=(0, 1))) for values in session.run(inputs, model.inputs([text]))]
        for text in texts()
    ]
    return [
        split(np.min([low for low, _ in one], axis=0), np.max([high for _, high in one], axis=0), ADDED[n % len(ADDED)])
        for n, one in enumerate(zip(*extremes, strict=True))
    ]


if __name__ == "__main__":
    RANGES.write_text(json.dumps([asdict(one) for one in measure()], indent=1) + "\n", encoding="utf-8")
