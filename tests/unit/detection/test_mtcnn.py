"""MTCNN's settings, on a sample photo."""

import cv2
import numpy as np
import pytest

from kith.detection import DetectionSettings, load_detector
from kith.images.reading import load_image
from kith.records import Image
from kith.sample_people import photos


@pytest.fixture(scope="module")
def wide() -> Image:
    """A photo beside a wide gray wall: it is scaled to a quarter before faces are looked for."""
    image = cv2.resize(load_image(photos()[0]), (640, 640))
    wall = np.full((640, 5120, 3), 127, np.uint8)
    wall[:, 1000:1640] = image
    return wall


@pytest.mark.parametrize(("share", "found"), [(0.8, 1), (3.2, 0)])
def test_the_smallest_face_is_in_the_photos_own_pixels(share: float, found: int, wide: Image) -> None:
    (face,) = load_detector().detect(wide)
    settings = DetectionSettings(min_face_size=int(share * np.sqrt(face.width * face.height)))
    assert len(load_detector(settings=settings).detect(wide)) == found


@pytest.mark.parametrize(
    ("wanted", "scale", "smallest"),
    [
        (20, 1.0, 20),
        (12, 1.0, 12),
        (100, 1.0, 100),
        (20, 0.25, 20),
        (12, 0.25, 12),
        (100, 0.25, 25),
        (40, 0.25, 20),
    ],
)
def test_faces_of_a_scaled_photo_are_looked_for_down_to_twenty_pixels(
    wanted: int, scale: float, smallest: float
) -> None:
    assert load_detector(settings=DetectionSettings(min_face_size=wanted))._smallest(scale) == smallest


def test_the_recipe_knows_the_weights_and_the_settings() -> None:
    recipe = load_detector().recipe
    assert "ea6b0c3e685ebee3" in recipe
    assert recipe == load_detector(threads=1).recipe
    assert recipe != load_detector(settings=DetectionSettings(min_face_size=21)).recipe
