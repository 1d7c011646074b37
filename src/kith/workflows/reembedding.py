"""A gallery changes its model: every enrolled face is embedded again from its photo."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kith.boxes import overlap
from kith.errors import ImageError
from kith.gallery import Gallery
from kith.gallery.reembedding import Reembedding, Unembedded
from kith.gallery.same_face import is_same_face
from kith.images.photo_files import find_photos
from kith.images.reading import Photo, content_hash, read_photo
from kith.progress import SILENT, Progress, each
from kith.recognizer import Recognizer


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
    for reference in each(reembedding.pending(), "embedding again", progress):
        reason = _embed_again(reference, moved, recognizer, reembedding)
        if reason:
            left.append(LeftBehind(reference.name, reference.source, reason))
            given_up.append(reference)
    if not left or without_missing:
        reembedding.finish(given_up)
    return left


def _embed_again(
    reference: Unembedded, moved: dict[str, Path], recognizer: Recognizer, reembedding: Reembedding
) -> str:
    """Embed one face; returns what is in the way, or nothing."""
    elsewhere = moved.get(reference.file_hash) or moved.get(reference.pixels_hash)
    source = Path(reference.source) if reference.source else None
    photo = _load(source, reference) or _load(elsewhere, reference)
    if photo is None:
        return "its photo is not there any more, or was changed"
    image = photo.image
    faces = recognizer.detect(image)
    face = max(faces, key=lambda face: overlap(face.box, reference.box), default=None)
    if face is None or not is_same_face(face.box, reference.box):
        return "the face is not found in its photo any more"
    (sample,) = recognizer.analyze(image, [face])
    reembedding.add(reference, sample.template, face, photo.file_hash)
    return ""


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
