"""Two legs to one score: each candidate is scored on both, whichever found it."""

import numpy as np
from numpy.typing import NDArray

from warmer.index import Candidates


def fuse(candidates: Candidates, share: float) -> NDArray[np.float64]:
    """Add up the standardised scores of the legs, shape (n,).

    Fusion by a server gives what only one leg found nothing on the other. Here both legs have scored all candidates,
    and the weights of the legs are free.

    Args:
        candidates: With scores of one leg or two.
        share: Weight of the lexical leg, 0 to 1.
    """
    dense = _standard(candidates.dense)
    return dense if candidates.lexical is None else (1 - share) * dense + share * _standard(candidates.lexical)


def _standard(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    spread = scores.std() if scores.size else 0.0
    return (scores - scores.mean()) / spread if spread > 0 else np.zeros_like(scores)
