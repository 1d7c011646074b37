"""Which photos there are to learn from, and of whom."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from kith.errors import TrainingError
from kith.gallery import Gallery
from kith.images.photo_files import find_photos as find_in_folder
from kith.images.photo_files import tell_left_out
from kith.progress import SILENT, Progress


@dataclass(frozen=True, slots=True)
class PersonPhoto:
    """A photo, and whom it is of."""

    person: str
    path: Path


def find_photos(
    source: Path, *, without: Collection[str] = (), progress: Progress = SILENT
) -> list[PersonPhoto]:
    """The photos of a folder with one folder a person, or of a gallery's references, by person and path.

    Args:
        source: The folder, or the gallery's file.
        without: People who are to be left out.
        progress: Told what of the folder is left out, in one line each.

    Raises:
        TrainingError: There are none, or a name in `without` is of nobody.
        KithError: The folder or the gallery cannot be read.
    """
    photos = _of_folder(source, progress) if source.is_dir() else _of_gallery(source)
    if not photos:
        raise TrainingError(
            f"{source}: no photos in it; it is to hold a folder for each person, with their photos"
        )
    unknown = set(without) - {photo.person for photo in photos}
    if unknown:
        raise TrainingError(f"{source}: nobody is called {min(unknown)!r}, who was to be left out")
    return [photo for photo in photos if photo.person not in without]


def read_names(file: Path) -> list[str]:
    """The names in a text file, one a line.

    Raises:
        TrainingError: It cannot be read.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text file"
        raise TrainingError(f"{file}: {reason}") from None
    return [line.strip() for line in lines if line.strip()]


def _of_folder(folder: Path, progress: Progress) -> list[PersonPhoto]:
    """Photos that lie in the folder itself are of nobody in particular: each counts as its own person."""
    found = find_in_folder(folder)
    tell_left_out(folder, found, progress.say)
    photos = []
    for path in found.photos:
        parts: Sequence[str] = path.relative_to(folder).parts
        photos.append(PersonPhoto(parts[0], path))
    return photos


def _of_gallery(file: Path) -> list[PersonPhoto]:
    with Gallery.open(file, create=False) as gallery:
        return [
            PersonPhoto(summary.subject.name, Path(reference.source))
            for summary in gallery.subjects()
            for reference in gallery.references_of(summary.subject.name)
        ]
