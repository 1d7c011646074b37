"""A gallery changes its model: every enrolled face is embedded again from its photo."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from kith.boxes import overlap
from kith.errors import ImageError
from kith.gallery import Gallery
from kith.gallery.reembedding import Reembedding, Unembedded
from kith.gallery.same_face import is_same_face
from kith.images.photo_files import find_photos
from kith.images.reading import Photo, content_hash, read_photo
from kith.progress import SILENT, Progress, counted
from kith.recognizer import Recognizer
from kith.records import Face, Image
from kith.workflows.pipeline import analyze_photos

_GONE = "its photo is not there any more, or was changed"
_LOST = "the face is not found in its photo any more"


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """A reference that could not be embedded again.

    Attributes:
        name: Of the person.
        source: Where the photo was.
        reason: In a few words.
    """

    name: str
    source: str
    reason: str


def reembed(
    gallery: Gallery,
    recognizer: Recognizer,
    *,
    photos: Path | None = None,
    without_missing: bool = False,
    progress: Progress = SILENT,
) -> list[LeftBehind]:
    """Embed every enrolled face with another model, and bind the gallery to that; all or nothing.

    What was embedded before a break is kept for the next run.

    Args:
        gallery: Bound to the old model.
        recognizer: Of the new model.
        photos: A folder with the photos, where they are not where they were; told by their content.
        without_missing: Go on although some faces cannot be embedded again, and delete those.
        progress: Told how far it is.

    Returns:
        The faces that could not be embedded again. Unless `without_missing`, the gallery is reembedded
        only if there are none.

    Raises:
        GalleryError: The gallery holds that model's templates already, or cannot be written.
    """
    reembedding = Reembedding(gallery, recognizer.model_id)
    moved = dict(_photos_by_content(photos)) if photos else {}
    left: list[LeftBehind] = []
    given_up: list[Unembedded] = []
    pending = reembedding.pending()
    outcomes = analyze_photos(recognizer, pending, partial(_read, moved), _same_face)
    for outcome in counted(outcomes, len(pending), "embedding again", progress):
        reference, looked = outcome.item, outcome.get()
        if looked.samples:
            (sample,) = looked.samples
            reembedding.add(reference, sample.template, sample.face, looked.read.file_hash)
            continue
        reason = _GONE if looked.read.image is None else _LOST
        left.append(LeftBehind(reference.name, reference.source, reason))
        given_up.append(reference)
    if not left or without_missing:
        reembedding.finish(given_up)
    return left


@dataclass(frozen=True, slots=True)
class _Read:
    """The photo of a reference, if it was found.

    Attributes:
        image: (h, w, 3) uint8 RGB; None if it was not.
        file_hash: The photo's name.
    """

    image: Image | None = None
    file_hash: str = ""


def _read(moved: dict[str, Path], reference: Unembedded) -> _Read:
    elsewhere = moved.get(reference.file_hash) or moved.get(reference.pixels_hash)
    source = Path(reference.source) if reference.source else None
    photo = _load(source, reference) or _load(elsewhere, reference)
    return _Read() if photo is None else _Read(photo.image, photo.file_hash)


def _same_face(reference: Unembedded, _: Image, faces: Sequence[Face]) -> list[Face]:
    """The face of the reference, if it is found again."""
    face = max(faces, key=lambda face: overlap(face.box, reference.box), default=None)
    return [face] if face is not None and is_same_face(face.box, reference.box) else []


def _load(path: Path | None, reference: Unembedded) -> Photo | None:
    """A photo, if it is the one that was enrolled."""
    if path is None:
        return None
    try:
        photo = read_photo(path)
    except ImageError:
        return None
    is_it = photo.file_hash == reference.file_hash or content_hash(photo.image) == reference.pixels_hash
    return photo if is_it else None


def _photos_by_content(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in find_photos(folder).photos:
        try:
            photo = read_photo(path)
        except ImageError:
            continue
        yield content_hash(photo.image), path
        yield photo.file_hash, path
