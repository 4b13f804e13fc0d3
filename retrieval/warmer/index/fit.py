"""Whether stored vectors are a model's of the texts beside them.

Measured on all-MiniLM-L6-v2: of the same text 1.00, of it with LlamaIndex's metadata 0.78, of a summary of it 0.42, of
another field 0.03, by another model of the same length -0.01.
"""

from collections.abc import Sequence

import numpy as np

from warmer.vectors import Vector, unit

LOOKED = 8  # texts that are embedded and compared
SAME, MORE, UNRELATED = 0.9, 0.6, 0.2  # mean cosines: of the same text, of it and more, and of neither text nor model


def likeness(stored: Sequence[Vector], *embedded: Sequence[Vector]) -> float:
    """Give the mean cosine between stored vectors and those of their texts, of the best of several ways to embed."""
    return max(_mean_cosine(stored, vectors) for vectors in embedded)


def _mean_cosine(stored: Sequence[Vector], vectors: Sequence[Vector]) -> float:
    if not stored or len(stored[0]) != len(vectors[0]):
        return 0.0
    return float((unit(np.stack(stored)) * unit(np.stack(vectors))).sum(axis=1).mean())
