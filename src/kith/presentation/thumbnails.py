"""The faces that a report shows."""

from pathlib import Path

from kith.errors import ImageError, NoFaceFound
from kith.images.reading import load_image
from kith.images.thumbnails import no_thumbnail, thumbnail
from kith.recognizer import Recognizer
from kith.workflows.acquiring import pick_face

WORST = 12
"""How many errors of a kind are shown."""


def thumbnail_of(recognizer: Recognizer, photo: Path) -> bytes:
    """The face that a labelled photo is of, as a small JPEG; gray where there is none any more."""
    try:
        image = load_image(photo)
        return thumbnail(image, pick_face(recognizer, image))
    except (ImageError, NoFaceFound):
        return no_thumbnail()
