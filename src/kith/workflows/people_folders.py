"""A folder with one folder per person: the one reader of it, for every verb that is given one.

    people/Ada/1.jpg           Ada
    people/Ada/2019/beach.jpg  Ada
    people/party.jpg           loose: it is nobody's, and is left out

A person is called as the folder is, in the form that the gallery keeps names in; two folders whose names
are the same in that form are one person's.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kith.errors import EvaluationError, ImageError, InvalidArgument, NoPeopleFound
from kith.evaluation.labelled import LabelledPhotos
from kith.gallery import clean_name
from kith.images.photo_files import (
    FoundPhotos,
    describe_left_out,
    find_photos,
    folders_in,
    require_not_whole_disk,
)
from kith.progress import SILENT, Progress


@dataclass(frozen=True, slots=True)
class PersonPhoto:
    """A photo, and whom it is of."""

    person: str
    path: Path


@dataclass(frozen=True, slots=True)
class FoundPeople:
    """What is in a folder with one folder per person.

    Attributes:
        root: The folder.
        photos: Of people, sorted by path.
        refused: What cannot be used, each with the reason: folders and files that cannot be looked into, and
            folders that are called as no person can be.
        empty: Folders without a photo.
        loose: Photos in no person's folder.
        found: All that was found, photos or not.
    """

    root: Path
    photos: tuple[PersonPhoto, ...]
    refused: tuple[tuple[Path, str], ...]
    empty: tuple[Path, ...]
    loose: tuple[Path, ...]
    found: FoundPhotos

    def tell(self, progress: Progress) -> None:
        """Say what is left out, in one line each."""
        for path, reason in self.refused:
            progress.say(f"{path}: {reason}; left out")
        for line in self.notes():
            progress.say(line)

    def notes(self) -> Iterator[str]:
        """What is left out without being wrong, in one line each."""
        if left_out := describe_left_out(self.found):
            yield f"{self.root}: {left_out}"
        yield from (f"{folder}: no photos in it; left out" for folder in self.empty)
        if self.loose:
            yield f"{self.root}: {_photos(len(self.loose))} in no person's folder; left out"


def find_people(folder: str | os.PathLike[str]) -> FoundPeople:
    """Find the photos of a folder with one folder per person.

    Raises:
        ImageError: There is no such folder, or it cannot be read, or it is the whole disk.
        NoPeopleFound: No photo in it is any person's.
    """
    root = Path(folder)
    if root.is_file():
        raise NoPeopleFound(f"{root}: is a file; expected a folder with one folder per person")
    if not root.is_dir():
        raise ImageError(f"{root}: no such folder")
    require_not_whole_disk(root)
    found = find_photos(root)
    names: dict[str, str] = {}
    refused = [(path, f"cannot be read ({reason})") for path, reason in found.unreadable]
    folders = {photo.relative_to(root).parts[0] for photo in found.photos if photo.parent != root}
    for name in sorted(folders):
        try:
            names[name] = clean_name(name)
        except InvalidArgument as error:
            refused.append((root / name, f"{error}; rename the folder"))
    photos, loose = [], []
    for photo in found.photos:
        if photo.parent == root:
            loose.append(photo)
        elif person := names.get(photo.relative_to(root).parts[0]):
            photos.append(PersonPhoto(person, photo))
    if not photos:
        raise NoPeopleFound(_why_none(root, loose, refused))
    told = {path for path, _ in refused}
    empty = [path for path in folders_in(root) if path.name not in folders and path not in told]
    return FoundPeople(root, tuple(photos), tuple(refused), tuple(empty), tuple(loose), found)


def read_people(folder: str | os.PathLike[str], *, progress: Progress = SILENT) -> LabelledPhotos:
    """The people of a folder with one folder per person, to measure on.

    Args:
        folder: Where they are.
        progress: Told what is left out, in one line each.

    Raises:
        ImageError: As `find_people`.
        EvaluationError: It holds the photos of fewer than two people.
    """
    found = find_people(folder)
    found.tell(progress)
    names, subjects = np.unique([photo.person for photo in found.photos], return_inverse=True)
    if len(names) < 2:
        raise EvaluationError(
            f"{found.root}: holds photos of {names[0]} only; needs one folder for each of at least two people"
        )
    photos = tuple(photo.path for photo in found.photos)
    return LabelledPhotos(photos, subjects.astype(np.int64), tuple(names.tolist()))


def _why_none(root: Path, loose: list[Path], refused: list[tuple[Path, str]]) -> str:
    if refused:
        path, reason = refused[0]
        return f"{path}: {reason}"
    what = f"{_photos(len(loose))}, but in no person's folder" if loose else "no photos in it"
    return f"{root}: {what}; expected one folder per person, such as {root}/Ada/"


def _photos(number: int) -> str:
    return f"{number} photo{'' if number == 1 else 's'}"
