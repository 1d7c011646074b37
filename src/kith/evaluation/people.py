"""Photographs of known people: one folder a person, as LFW and `kith enroll` have them."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kith.errors import EvaluationError, ImageError
from kith.images import find_images


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


def read_people(folder: str | os.PathLike[str]) -> LabelledPhotos:
    """The people of a folder: each of its folders is one person, every photo below shows that person.

    Raises:
        EvaluationError: There is no such folder, or it holds the photos of fewer than two people.
    """
    root = Path(folder)
    if not root.is_dir():
        raise EvaluationError(f"{root}: no such folder")
    photos: list[Path] = []
    subjects: list[int] = []
    names: list[str] = []
    for person in sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")):
        try:
            found = find_images(person)
        except ImageError as error:
            raise EvaluationError(str(error)) from None
        if found:
            photos += found
            subjects += [len(names)] * len(found)
            names.append(person.name)
    if len(names) < 2:
        raise EvaluationError(
            f"{root}: holds photos of {len(names)} people; needs one folder for each of at least two people"
        )
    return LabelledPhotos(tuple(photos), np.array(subjects, np.int64), tuple(names))
