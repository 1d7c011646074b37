"""Whether two boxes of one photo are one face's."""

import numpy as np

from kith.boxes import overlap

SAME_FACE = 0.3
"""Boxes of one photo that overlap at least so far are one face's."""


def is_same_face(first: np.ndarray, second: np.ndarray) -> bool:
    """Whether two boxes (4,) of one photo are one face's."""
    return overlap(first, second) >= SAME_FACE
