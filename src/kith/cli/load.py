"""What verbs begin with: a recognizer, and the photos."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from kith.cli.console import complain, preparing, track, warn
from kith.detection import MTCNN, Detector
from kith.detection.mtcnn import DetectionSettings
from kith.errors import ImageError
from kith.images import load_image
from kith.photo_files import find_photos, tell_left_out
from kith.picture_formats import formats_read
from kith.recognizer import Recognizer
from kith.records import Image
from kith.runtime.prepare import Precision


def load_recognizer(
    model_id: str, precision: Precision, detection: DetectionSettings | None = None
) -> Recognizer:
    """A recognizer, with a word on the terminal where it takes a while."""
    with preparing() as notify:
        return Recognizer.from_pretrained(model_id, precision=precision, detection=detection, notify=notify)


def load_detector(settings: DetectionSettings) -> Detector:
    """A detector, with a word on the terminal where it takes a while."""
    with preparing() as notify:
        return MTCNN.from_pretrained(settings=settings, notify=notify)


def expand(paths: Sequence[Path]) -> list[Path]:
    """Photos as they are, folders as all photos in them.

    Raises:
        ImageError: A folder holds no photo.
    """
    photos: list[Path] = []
    for path in paths:
        if not path.is_dir():
            photos.append(path)
            continue
        found = find_photos(path)
        tell_left_out(path, found, warn)
        if not found.photos:
            raise ImageError(f"{path}: no photos in this folder ({', '.join(formats_read())})")
        photos.extend(found.photos)
    return photos


def read_photos(files: Sequence[Path], description: str) -> Iterator[tuple[Path, Image | ImageError]]:
    """Each photo's picture; or, where it could not be read, what was told of it."""
    for file in track(files, description):
        image: Image | ImageError
        try:
            image = load_image(file)
        except ImageError as error:
            complain(str(error))
            image = error
        yield file, image


def detection_settings(min_face_size: int, longest_side: int, min_score: float) -> DetectionSettings:
    """The detector's settings from a verb's options."""
    first, second, _ = DetectionSettings().thresholds
    return DetectionSettings(
        min_face_size=min_face_size,
        longest_side=longest_side or None,
        thresholds=(first, second, min_score),
    )
