"""Whether this processor adds up products of unsigned and signed bytes exactly.

Those with VNNI do, two or three times as fast as they multiply unsigned bytes by unsigned ones. Others add up pairs of
products in 16 bits, where two large ones overflow: ONNX Runtime gives wrong sums there, and says nothing.
"""

from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime

PROBE = Path(__file__).parent / "all-MiniLM-L6-v2" / "probe.onnx"
ROW = 64  # bytes
WEIGHT = 127
_BYTE = 255
_ROWS = 1, 2, 17  # a kernel for a single row is another one than those for several


@cache
def are_exact() -> bool:
    """Try it on the greatest bytes that there are."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(PROBE.read_bytes(), options, providers=["CPUExecutionProvider"])
    given = [np.full((rows, ROW), _BYTE, np.uint8) for rows in _ROWS]
    return all((session.run(None, {"bytes": one})[0] == ROW * _BYTE * WEIGHT).all() for one in given)
