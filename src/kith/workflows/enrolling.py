"""Photos of known people -> references in a gallery: what `kith enroll` does.

Photos are looked at side by side and enrolled one by one, each safely on the disk before the next: what is
interrupted is gone on with by doing it again, and photos that are enrolled already are passed over.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kith.detection import foremost_faces
from kith.errors import AcquisitionError, DuplicateReference, ImageError, KithError
from kith.gallery import Gallery
from kith.images.reading import content_hash, load_photo
from kith.progress import SILENT, Progress, counted
from kith.recognizer import Recognizer
from kith.records import Enrollment, Image
from kith.search.lookalikes import Lookalike, lookalikes
from kith.workflows.people_folders import PersonPhoto, find_people
from kith.workflows.pipeline import Analyzed, analyze_photos


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
    """Enroll photos in their order, and tell what became of each as soon as it is known.

    Args:
        photos: Of known people.
        gallery: Takes them.
        recognizer: Of the gallery's model.
        progress: Told how far it is.

    Raises:
        GalleryError: The gallery refused.
    """

    def read(photo: PersonPhoto) -> "_Read":
        return _read(photo, gallery)

    outcomes = analyze_photos(recognizer, photos, read, lambda photo, image, faces: foremost_faces(faces))
    for outcome in counted(outcomes, len(photos), "enrolling", progress):
        try:
            enrollment = _enroll(outcome.item, outcome.get(), gallery, recognizer)
        except (AcquisitionError, ImageError, DuplicateReference) as error:
            yield EnrolledPhoto(outcome.item, error=error)
        else:
            yield EnrolledPhoto(outcome.item, enrollment)


@dataclass(frozen=True, slots=True)
class _Read:
    """A photo that was read.

    Attributes:
        file_hash: Its name.
        pixels_hash: A name for its pixels.
        image: What is to be looked at; None where it is enrolled already.
    """

    file_hash: str
    pixels_hash: str
    image: Image | None


def _read(photo: PersonPhoto, gallery: Gallery) -> _Read:
    read = load_photo(photo.path)
    pixels_hash = content_hash(read.image)
    is_enrolled = _is_enrolled(gallery, photo.person, pixels_hash, read.file_hash)
    return _Read(read.file_hash, pixels_hash, None if is_enrolled else read.image)


def _enroll(
    photo: PersonPhoto, looked: Analyzed[_Read], gallery: Gallery, recognizer: Recognizer
) -> Enrollment | None:
    """Enroll a photo; None if it is enrolled already.

    Raises:
        AcquisitionError: It cannot be used.
        DuplicateReference: It is enrolled as someone else.
    """
    read = looked.read
    if read.image is None:
        return None
    source, file_hash = str(photo.path.absolute()), read.file_hash
    try:
        return recognizer.enroll_samples(
            photo.person, looked.samples, gallery, read.pixels_hash, source=source, file_hash=file_hash
        )
    except DuplicateReference:
        if _is_enrolled(gallery, photo.person, read.pixels_hash, file_hash):
            return None  # the same photo came just before, or another process was faster
        raise


def _is_enrolled(gallery: Gallery, person: str, pixels_hash: str, file_hash: str) -> bool:
    return gallery.subject_for(person) in gallery.owners(pixels_hash, file_hash)
