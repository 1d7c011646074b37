"""Small pictures of faces, to look at."""

import cv2
import numpy as np

from kith.records import Face, Image

SIDE = 96
"""Pixels of a thumbnail's sides."""

_MARGIN = 0.25  # around a face, of its size
_QUALITY = 85


def thumbnail(image: Image, face: Face) -> bytes:
    """A face as it is in its photo, upright to the nearest quarter turn: a JPEG of (96, 96).

    Args:
        image: (h, w, 3) uint8 RGB.
        face: One of its faces; past the image's edge, the edge is repeated.
    """
    half = max(face.width, face.height) * (0.5 + _MARGIN)
    centre = (face.box[:2] + face.box[2:]) / 2
    left, top = np.floor(centre - half).astype(int)
    right, bottom = np.maximum(np.ceil(centre + half).astype(int), (left + 1, top + 1))
    height, width = image.shape[:2]
    rows = np.clip(np.arange(top, bottom), 0, height - 1)
    columns = np.clip(np.arange(left, right), 0, width - 1)
    inside = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    square = inside[np.ix_(rows - rows[0], columns - columns[0])]
    return _jpeg(cv2.resize(np.rot90(square, face.turned // 90), (SIDE, SIDE), interpolation=cv2.INTER_AREA))


def no_thumbnail() -> bytes:
    """A gray square of the same size, where there is no face to look at."""
    return _jpeg(np.full((SIDE, SIDE, 3), 128, np.uint8))


def _jpeg(image: np.ndarray) -> bytes:
    return bytes(cv2.imencode(".jpg", image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1])
