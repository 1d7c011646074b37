"""The nearest others of each, exactly: a blocked matrix product."""

import numpy as np

from kith.records import FloatArray

_BLOCK = 2**24  # scores held at once: 64 MiB


def nearest_pairs(vectors: FloatArray, probes: np.ndarray, count: int, floor: float) -> np.ndarray:
    """Pairs of a probe and one of its nearest others.

    Args:
        vectors: (n, d) float32; their products are the scores.
        probes: (p,) int64, the rows whose nearest others are wanted.
        count: How many of the nearest.
        floor: Others with a lower score are left out.

    Returns:
        (m, 2) int64, each pair once, the lower row first, in order.
    """
    n, keys = len(vectors), [np.empty(0, np.int64)]
    rows_at_once = max(1, _BLOCK // max(n, 1))
    for start in range(0, len(probes), rows_at_once):
        rows = probes[start : start + rows_at_once]
        scores = vectors[rows] @ vectors.T
        scores[np.arange(len(rows)), rows] = -np.inf
        if count < n - 1:
            kept = np.argpartition(scores, n - count, axis=1)[:, n - count :]
            row, column = np.nonzero(np.take_along_axis(scores, kept, axis=1) >= floor)
            first, second = rows[row], kept[row, column]
        else:
            row, second = np.nonzero(scores >= floor)
            first = rows[row]
        keys.append(np.minimum(first, second) * n + np.maximum(first, second))
    return np.stack(np.divmod(np.unique(np.concatenate(keys)), max(n, 1)), axis=1)
