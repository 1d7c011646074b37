"""Links: faces that must be together, and faces that must not."""

import numpy as np

from kith.clustering.groups import Groups


class ConflictingLinks(ValueError):
    """A face must be together with another and must not; `pair` names the two."""

    def __init__(self, pair: tuple[int, int]) -> None:
        self.pair = pair
        super().__init__(f"faces {pair[0]} and {pair[1]} must be together and must be apart")


def joined(count: int, together: np.ndarray) -> np.ndarray:
    """Groups of what is linked, directly or through others.

    Args:
        count: n, how many there are.
        together: (m, 2) int64.

    Returns:
        (n,) int64, numbered in the order of each group's first.
    """
    from scipy.sparse import coo_array  # here: a quarter of a second that other verbs need not wait
    from scipy.sparse.csgraph import connected_components

    ones = np.ones(len(together), bool)
    graph = coo_array((ones, (together[:, 0], together[:, 1])), (count, count))
    return renumber(connected_components(graph, directed=False)[1])


def renumber(labels: np.ndarray) -> np.ndarray:
    """The same groups (n,), numbered from 0 in the order of each group's first."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    order = np.empty(len(first), np.int64)
    order[np.argsort(first)] = np.arange(len(first))
    return order[inverse]


def require_apart(labels: np.ndarray, apart: np.ndarray) -> None:
    """Raise unless faces that must be apart are in different groups.

    Raises:
        ConflictingLinks: Two are in one.
    """
    wrong = np.flatnonzero(labels[apart[:, 0]] == labels[apart[:, 1]])
    if len(wrong):
        first, second = apart[wrong[0]]
        raise ConflictingLinks((int(first), int(second)))


def forbidden(pairs: np.ndarray, apart: np.ndarray, groups: Groups) -> np.ndarray:
    """Which pairs of groups must not be merged: (m,) bool.

    Args:
        pairs: (m, 2) int64, the lower group first.
        apart: (p, 2) int64, groups with faces that must be apart, in any order.
        groups: Two that are known to be two different people are apart, too.
    """
    owners = groups.owners[pairs]
    known_apart = (owners > 0).all(axis=1) & (owners[:, 0] != owners[:, 1])
    linked = np.isin(_keys(pairs, len(groups)), _keys(np.sort(apart, axis=1), len(groups)))
    return np.asarray(known_apart | linked)


def _keys(pairs: np.ndarray, count: int) -> np.ndarray:
    """A number for each pair of groups (m, 2)."""
    return np.asarray(pairs[:, 0] * count + pairs[:, 1])
