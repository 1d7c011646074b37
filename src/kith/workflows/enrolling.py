"""Photos of known people -> references in a gallery: what `kith enroll` does.

Every photo is safely on the disk before the next is begun: what is interrupted is gone on with by doing it
again, and photos that are enrolled already are passed over.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kith.errors import AcquisitionError, DuplicateReference, ImageError, KithError
from kith.gallery import Gallery
from kith.images.reading import Photo, content_hash, load_photo
from kith.progress import SILENT, Progress, each
from kith.recognizer import Recognizer
from kith.records import Enrollment
from kith.search.lookalikes import Lookalike, lookalikes
from kith.workflows.people_folders import PersonPhoto, find_people


@dataclass(frozen=True, slots=True)
class EnrolledPhoto:
    """What became of a photo.

    Attributes:
        photo: The photo, and whom it was said to be of.
        enrollment: What was made of it; None if nothing was.
        error: Why nothing was; None where nothing is wrong: it is enrolled already.
    """

    photo: PersonPhoto
    enrollment: Enrollment | None = None
    error: KithError | None = None


@dataclass(slots=True)
class EnrolledPhotos:
    """What became of many photos.

    Attributes:
        photos: Each, in the order they were looked at.
        lookalikes: Newly enrolled people who may be someone else who is enrolled.
    """

    photos: list[EnrolledPhoto] = field(default_factory=list)
    lookalikes: list[Lookalike] = field(default_factory=list)

    @property
    def enrolled(self) -> list[tuple[Path, Enrollment]]:
        """The photos that became references."""
        return [(one.photo.path, one.enrollment) for one in self.photos if one.enrollment is not None]

    @property
    def failed(self) -> list[tuple[Path, KithError]]:
        """The photos that could not be used, and why."""
        return [(one.photo.path, one.error) for one in self.photos if one.error is not None]

    @property
    def already(self) -> int:
        """How many photos were enrolled already."""
        return len(self.photos) - len(self.enrolled) - len(self.failed)

    @property
    def subjects(self) -> set[int]:
        """Ids of the people who got a new reference."""
        return {enrollment.subject.id for _, enrollment in self.enrolled}


def enroll_folder(
    folder: str | os.PathLike[str],
    gallery: Gallery,
    recognizer: Recognizer | None = None,
    *,
    progress: Progress = SILENT,
) -> EnrolledPhotos:
    """Enroll the people of a folder with one folder per person, from photos of one face each.

    Args:
        folder: Where they are.
        gallery: Takes them.
        recognizer: Of the gallery's model; the one that comes with that name if None.
        progress: Told how far it is, and what is left out.

    Raises:
        ImageError: As `find_people`. A photo that cannot be used does not stop the rest.
        GalleryError: The gallery refused.
    """
    people = find_people(folder)
    people.tell(progress)
    recognizer = recognizer or Recognizer.from_pretrained(gallery.model_id, progress=progress)
    outcome = EnrolledPhotos()
    for one in enroll_photos(people.photos, gallery, recognizer, progress=progress):
        outcome.photos.append(one)
        if one.error is not None:
            progress.say(f"{one.photo.path}: {one.error}; left out")
    outcome.lookalikes = lookalikes(gallery, recognizer.calibration, outcome.subjects)
    return outcome


def enroll_photos(
    photos: Sequence[PersonPhoto], gallery: Gallery, recognizer: Recognizer, *, progress: Progress = SILENT
) -> Iterator[EnrolledPhoto]:
    """Enroll photos one by one, and tell what became of each as soon as it is known.

    Args:
        photos: Of known people.
        gallery: Takes them.
        recognizer: Of the gallery's model.
        progress: Told how far it is.

    Raises:
        GalleryError: The gallery refused.
    """
    for photo in each(photos, "enrolling", progress):
        try:
            yield EnrolledPhoto(photo, _enroll(photo, gallery, recognizer))
        except (AcquisitionError, ImageError, DuplicateReference) as error:
            yield EnrolledPhoto(photo, error=error)


def _enroll(photo: PersonPhoto, gallery: Gallery, recognizer: Recognizer) -> Enrollment | None:
    """Enroll a photo; None if it is enrolled already.

    Raises:
        ImageError, AcquisitionError: It cannot be used.
        DuplicateReference: It is enrolled as someone else.
    """
    read = load_photo(photo.path)
    if _is_enrolled(gallery, read, photo.person):
        return None
    source = str(photo.path.absolute())
    try:
        return recognizer.enroll(photo.person, read.image, gallery, source=source, file_hash=read.file_hash)
    except DuplicateReference:
        if _is_enrolled(gallery, read, photo.person):  # another process was faster
            return None
        raise


def _is_enrolled(gallery: Gallery, photo: Photo, person: str) -> bool:
    return gallery.subject_for(person) in gallery.owners(content_hash(photo.image), photo.file_hash)
