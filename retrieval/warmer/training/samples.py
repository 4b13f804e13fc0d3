"""A scored search as a sample for the fit."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from warmer.index import DenseQuery, Index
from warmer.passage import native_id
from warmer.steering.feedback import Example
from warmer.steering.lexical import mixed_words
from warmer.steering.params import Params
from warmer.steering.target import target
from warmer.steering.wording import Wording
from warmer.training.fit import Sample
from warmer.vectors import own_vector


async def make_sample(
    index: Index, wordings: Sequence[Wording], scored: Sequence[Example], *, lexical: bool = True
) -> Sample:
    """Describe scored hits, in the order in which they were shown; the engine says how they score by words.

    Raises:
        EngineError: The engine fails, or embeds queries itself, which leaves nothing to fit to.
    """
    aim = own_vector(target(wordings, Params()))
    vectors = np.stack([example.vector for example in scored])
    scores = np.array([example.score for example in scored])
    sample = Sample(aim, vectors, scores, query=wordings[0].text, wordings=wordings)
    words = mixed_words(wordings, Params()) if lexical else None
    if words is None or not words.indices:
        return sample
    these = {"must": [{"has_id": [native_id(example.id) for example in scored]}]}
    found = await index.candidates(DenseQuery(aim), words, len(scored), where=these)
    if found.lexical is None:
        return sample
    known = dict(zip(found.ids, found.lexical.tolist(), strict=True))
    return replace(sample, lexical=np.array([known.get(example.id, 0.0) for example in scored]))
