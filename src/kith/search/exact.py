"""The nearest of many vectors, by comparing with every one of them."""

import numpy as np

from kith.records import FloatArray, require_shape

_BLOCK = 4_000_000  # scores at a time, 16 MB


class ExactIndex:
    """Rows (k, d) of unit length, searched by brute force; safe to use from many threads.

    Args:
        rows: (k, d) float32.
    """

    def __init__(self, rows: FloatArray) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def nearest(self, probes: FloatArray, count: int) -> tuple[np.ndarray, FloatArray]:
        """The rows with the largest cosine to each probe.

        Args:
            probes: (n, d) of unit length.
            count: How many rows are wanted, k at most.

        Returns:
            (n, c) int64 positions, the nearest first, of equal ones the first; and their cosines (n, c).
        """
        require_shape("probes", probes, (None, self._rows.shape[1]))
        count = min(count, len(self._rows))
        positions = np.empty((len(probes), count), np.int64)
        cosines = np.empty((len(probes), count), np.float32)
        step = max(_BLOCK // max(len(self._rows), 1), 1)
        for start in range(0, len(probes), step):
            part = slice(start, start + step)
            scores = probes[part] @ self._rows.T
            positions[part], cosines[part] = largest(scores, count)
        return positions, cosines


def largest(scores: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions and values (n, count) of the largest scores of each row (n, k), the largest first."""
    if count < scores.shape[1]:
        found = np.sort(np.argpartition(-scores, count - 1, axis=1)[:, :count], axis=1)
    else:
        found = np.broadcast_to(np.arange(scores.shape[1]), scores.shape)
    values = np.take_along_axis(scores, found, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")
    return np.take_along_axis(found, order, axis=1), np.take_along_axis(values, order, axis=1)
