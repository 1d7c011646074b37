"""The faces that a report shows."""

from pathlib import Path

import cv2
import numpy as np

from kith.errors import ImageError, NoFaceFound
from kith.images.reading import load_image
from kith.recognizer import Recognizer
from kith.workflows.acquiring import pick_face

WORST = 12
"""How many errors of a kind are shown."""

_SIDE = 128


def thumbnail(recognizer: Recognizer, photo: Path) -> bytes:
    """The face of a photo as a small JPEG; gray where there is none."""
    crop = np.full((_SIDE, _SIDE, 3), 128, np.uint8)
    try:
        image = load_image(photo)
        crop = recognizer.align(image, [pick_face(recognizer, image)])[0]
    except (ImageError, NoFaceFound):
        pass
    small = cv2.resize(crop, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    return bytes(cv2.imencode(".jpg", small[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])[1])
