"""Which photos there are to learn from, and of whom."""

import os
from collections.abc import Collection, Sequence
from pathlib import Path

from kith.errors import TrainingError
from kith.gallery import Gallery, clean_name
from kith.progress import SILENT, Progress
from kith.workflows.people_folders import PersonPhoto, find_people

Source = str | os.PathLike[str] | Sequence[PersonPhoto]
"""Photos; or a folder with one folder per person, or a gallery's file."""


def photos_of(source: Source, *, progress: Progress = SILENT) -> Sequence[PersonPhoto]:
    """The photos of a source, as `find_photos` finds them where they are not found yet."""
    return find_photos(Path(source), progress=progress) if isinstance(source, str | os.PathLike) else source


def find_photos(
    source: Path, *, without: Collection[str] = (), progress: Progress = SILENT
) -> list[PersonPhoto]:
    """The photos of a folder with one folder a person, or of a gallery's references, by person and path.

    Args:
        source: The folder, or the gallery's file.
        without: People who are to be left out.
        progress: Told what of the folder is left out, in one line each.

    Raises:
        TrainingError: The gallery has none, or a name in `without` is of nobody.
        KithError: The folder or the gallery cannot be read.
    """
    photos = _of_folder(source, progress) if source.is_dir() else _of_gallery(source)
    if not photos:
        raise TrainingError(f"{source}: nobody is enrolled in it")
    without = {clean_name(name) for name in without}
    unknown = without - {photo.person for photo in photos}
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
    found = find_people(folder)
    found.tell(progress)
    return list(found.photos)


def _of_gallery(file: Path) -> list[PersonPhoto]:
    with Gallery.open(file, create=False) as gallery:
        return [
            PersonPhoto(summary.subject.name, Path(reference.source))
            for summary in gallery.subjects()
            for reference in gallery.references_of(summary.subject.name)
        ]
