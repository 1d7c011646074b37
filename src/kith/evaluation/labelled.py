"""Photographs of known people: what evaluations measure on."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True, slots=True, eq=False)
class LabelledPhotos:
    """Photographs, and whom each shows.

    Attributes:
        photos: n files.
        subjects: (n,) int64, positions in `names`.
        names: Of the people.
    """

    photos: tuple[Path, ...]
    subjects: np.ndarray
    names: tuple[str, ...]
