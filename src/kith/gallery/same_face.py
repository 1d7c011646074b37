"""Whether two boxes of one photo are one face's."""

import numpy as np

SAME_FACE = 0.3
"""Boxes of one photo that overlap at least so far are one face's."""


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    """Common area over joint area of two boxes (4,)."""
    low, high = np.maximum(first[:2], second[:2]), np.minimum(first[2:], second[2:])
    common = float(np.prod(np.maximum(high - low, 0)))
    areas = (float(np.prod(each[2:] - each[:2])) for each in (first, second))
    return common / max(sum(areas) - common, 1e-9)
