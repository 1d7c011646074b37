"""Average linkage in rounds: those who are each other's nearest are merged, all of them at once.

Pairs of mutual nearest neighbours can be merged in any order where merging two groups brings neither
closer to a third (Bruynooghe 1977; Murtagh 1983), which holds for average linkage; so a round merges
thousands where a heap merges one.

What is compared is not the average score alone. Groups a and b are merged while

    score(a, b) - (crowd(a) + crowd(b)) / 2  >=  margin (1 / |a| + 1 / |b|) / 2

with the mean score of all their pairs, and the mean crowd of their faces: two single faces must be
more alike than strangers are by the whole margin, two large groups only as much as strangers are,
because the mean of many scores is sure where one score is luck.
"""

import numpy as np

from kith.clustering.groups import Groups
from kith.clustering.links import forbidden
from kith.clustering.neighbors import nearest_pairs

NEIGHBORS = 20
_PRODUCTS = 2**17  # pairs multiplied at once


def find_pairs(groups: Groups, active: np.ndarray, reach: float) -> np.ndarray:
    """Pairs (m, 2) of an active group (g,) and one of its nearest, by average scores, at least `reach`."""
    return nearest_pairs(groups.means(), np.flatnonzero(active), NEIGHBORS, reach)


def link(groups: Groups, pairs: np.ndarray, apart: np.ndarray, margin: float, reach: float) -> np.ndarray:
    """Merge groups until no two are alike enough.

    Pairs are merged in rounds; then the neighbours of groups that grew are searched anew, among the groups
    as they are by then, until nothing merges any more.

    Args:
        groups: The groups.
        pairs: (m, 2) int64, of `find_pairs`.
        apart: (p, 2) int64: groups that must not be together.
        margin: See above.
        reach: See `find_pairs`.

    Returns:
        (g,) int64, the new group of each group.
    """
    labels = np.arange(len(groups))
    while True:
        before = len(groups)
        merged, groups = _rounds(groups, pairs, apart, margin)
        if len(groups) == before:
            return labels
        apart, labels = merged[apart], merged[labels]
        pairs = find_pairs(groups, np.bincount(merged) > 1, reach)


def _rounds(groups: Groups, pairs: np.ndarray, apart: np.ndarray, margin: float) -> tuple[np.ndarray, Groups]:
    """Merge along pairs of groups (m, 2), the lower first: (g,) int64, the new group of each; and those."""
    groups, labels = groups.copy(), np.arange(len(groups))
    gains = _gains(groups, pairs, apart, margin)
    while (gains >= 0).any():
        chosen = pairs[_mutual(len(groups), pairs, gains)]
        groups.absorb(chosen)
        target, changed = np.arange(len(groups)), np.zeros(len(groups), bool)
        target[chosen[:, 1]], changed[chosen] = chosen[:, 0], True
        stale = changed[pairs].any(axis=1)
        apart, labels, fresh = target[apart], target[labels], _distinct(target[pairs[stale]], len(groups))
        gains = np.concatenate([gains[~stale], _gains(groups, fresh, apart, margin)])
        pairs = np.concatenate([pairs[~stale], fresh])
    roots, numbers = np.unique(labels, return_inverse=True)
    return numbers, groups.take(roots)


def _gains(groups: Groups, pairs: np.ndarray, apart: np.ndarray, margin: float) -> np.ndarray:
    """How much more alike than needed each pair is: (m,) float64; minus infinity where it must not be."""
    first, second = pairs.T
    crowds = groups.crowds / groups.sizes
    allowance = margin / groups.sizes
    gains = _average_scores(groups, pairs)
    gains -= (crowds[first] + crowds[second] + allowance[first] + allowance[second]) / 2
    gains[forbidden(pairs, apart, groups)] = -np.inf
    return gains


def _average_scores(groups: Groups, pairs: np.ndarray) -> np.ndarray:
    scores = np.empty(len(pairs))
    for start in range(0, len(pairs), _PRODUCTS):
        first, second = pairs[start : start + _PRODUCTS].T
        products = np.einsum("md,md->m", groups.sums[first], groups.sums[second])
        scores[start : start + _PRODUCTS] = products / (groups.sizes[first] * groups.sizes[second])
    return scores


def _mutual(count: int, pairs: np.ndarray, gains: np.ndarray) -> np.ndarray:
    """The pairs whose two groups are each other's best, of those worth merging: positions in `pairs`.

    Equal gains are ordered by the groups' numbers: so the best pair of all is always mutual, and no
    group is in two.
    """
    worth = np.flatnonzero(gains >= 0)
    worth = worth[np.lexsort((pairs[worth, 1], pairs[worth, 0], -gains[worth]))]
    best = np.full(count, len(worth))
    for side in (0, 1):
        np.minimum.at(best, pairs[worth, side], np.arange(len(worth)))
    return np.asarray(worth[best[pairs[worth, 0]] == best[pairs[worth, 1]]])


def _distinct(pairs: np.ndarray, count: int) -> np.ndarray:
    """Each pair of two different groups once, the lower first."""
    first, second = np.sort(pairs, axis=1).T
    keys = np.unique((first * count + second)[first != second])
    return np.stack(np.divmod(keys, max(count, 1)), axis=1)
