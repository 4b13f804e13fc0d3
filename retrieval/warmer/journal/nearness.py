"""Questions that ask for the same, by the vectors of their wordings."""

from collections.abc import Sequence

import numpy as np

from warmer.vectors import Vector

NEAR = 0.7  # by warmer_evals.nearness


def groups(vectors: Sequence[Vector], near: float = NEAR) -> list[list[int]]:
    """Group vectors by average linkage: the two nearest groups become one while their mean cosine is at least `near`.

    An empty vector, or one of another length than most, is near none.

    Returns:
        Positions, each in one group, in the order of their first members.
    """
    found = [[position] for position in range(len(vectors))]
    size = max({one.size for one in vectors}, key=[one.size for one in vectors].count, default=0)
    usable = [position for position, one in enumerate(vectors) if size and one.size == size and np.linalg.norm(one) > 0]
    if len(usable) < 2:  # noqa: PLR2004
        return found
    units = np.stack([vectors[position] / np.linalg.norm(vectors[position]) for position in usable]).astype(np.float64)
    sums = units @ units.T  # of cosines between the members of two groups
    sizes = np.ones(len(usable))
    members = [[position] for position in usable]
    means = sums.copy()
    np.fill_diagonal(means, -np.inf)
    while True:
        one, other = sorted(np.unravel_index(int(means.argmax()), means.shape))
        if means[one, other] < near:
            break
        sums[one] += sums[other]
        sums[:, one] = sums[one]
        sizes[one] += sizes[other]
        members[one] += members[other]
        members[other] = []
        means[one] = sums[one] / (sizes[one] * sizes)
        means[one, [not group for group in members]] = -np.inf
        means[one, one] = -np.inf
        means[:, one] = means[one]
        means[other] = means[:, other] = -np.inf
    alone = [group for group in found if group[0] not in set(usable)]
    return sorted([sorted(group) for group in members if group] + alone)
