"""Which cluster of now is which cluster of before."""

import numpy as np


def inherit(labels: np.ndarray, ids: np.ndarray, owners: np.ndarray) -> np.ndarray:
    """The id each cluster keeps.

    A cluster takes the id of an owned cluster before any other; then the one most of its faces had;
    of equals the lowest. Where a cluster fell apart, the larger part keeps the id.

    Args:
        labels: (n,) int64, the cluster of each face now, numbered from 0.
        ids: (n,) int64, the id of each face's cluster before; 0 if it had none.
        owners: (n,) int64, who that cluster was known to be; 0 if no one.

    Returns:
        (c,) int64, the id of each cluster; 0 where it is a new one.
    """
    kept = np.zeros(labels.max() + 1 if len(labels) else 0, np.int64)
    had = ids > 0
    rows = np.stack([labels[had], ids[had], owners[had] > 0], axis=1)
    overlaps, faces = np.unique(rows, axis=0, return_counts=True)
    order = np.lexsort((overlaps[:, 0], overlaps[:, 1], -faces, -overlaps[:, 2]))
    taken: set[int] = set()
    for label, id, _ in overlaps[order].tolist():
        if not kept[label] and id not in taken:
            kept[label] = id
            taken.add(id)
    return kept
