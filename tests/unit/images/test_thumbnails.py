"""Thumbnails of faces."""

import cv2
import numpy as np
import pytest

from kith.detection.upright import turn_back
from kith.images.thumbnails import thumbnail
from kith.records import Face


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_thumbnail_shows_a_face_upright_that_lies_turned(face: Face, turns: int) -> None:
    image = cv2.GaussianBlur(np.random.default_rng(5).integers(0, 255, (140, 120, 3), np.uint8), (0, 0), 9)
    lying = np.ascontiguousarray(np.rot90(image, -turns))
    thumbnails = [
        cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).astype(int)
        for data in (thumbnail(image, face), thumbnail(lying, turn_back(face, turns, lying.shape)))
    ]
    assert np.abs(thumbnails[0] - thumbnails[1]).mean() < 4
