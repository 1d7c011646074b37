"""Photographs of known people: one folder a person, as LFW and `kith enroll` have them."""

import os
from pathlib import Path

import numpy as np

from kith.errors import EvaluationError, ImageError
from kith.evaluation.labelled import LabelledPhotos
from kith.images.photo_files import find_photos, tell_left_out
from kith.progress import SILENT, Progress


def read_people(folder: str | os.PathLike[str], *, progress: Progress = SILENT) -> LabelledPhotos:
    """The people of a folder: each of its folders is one person, every photo below shows that person.

    Args:
        folder: Where they are.
        progress: Told what is left out, in one line each.

    Raises:
        EvaluationError: There is no such folder, or it holds the photos of fewer than two people.
    """
    root = Path(folder)
    if not root.is_dir():
        raise EvaluationError(f"{root}: no such folder")
    try:
        found = find_photos(root)
    except ImageError as error:
        raise EvaluationError(str(error)) from None
    tell_left_out(root, found, progress.say)
    in_folders = [photo for photo in found.photos if photo.parent != root]
    people = [photo.relative_to(root).parts[0] for photo in in_folders]
    names, subjects = np.unique(people, return_inverse=True)
    if len(names) < 2:
        raise EvaluationError(
            f"{root}: holds photos of {len(names)} people; needs one folder for each of at least two people"
        )
    return LabelledPhotos(tuple(in_folders), subjects.astype(np.int64), tuple(names.tolist()))
