"""The second look, in a mirror: landmarks depend less on which way round a photo is."""

import numpy as np
import pytest

from kith.detection import MTCNN, DetectionSettings, central_face
from kith.images.reading import load_image
from kith.sample_people import photos

MIRRORED = [1, 0, 2, 4, 3]


def disagreement(detector: MTCNN, images: list[np.ndarray]) -> float:
    """How far landmarks of a photo lie from those of its mirror image, in distances between the eyes."""
    distances = []
    for image in images:
        flipped = np.ascontiguousarray(image[:, ::-1])
        here = central_face(detector.detect(image), image.shape).landmarks
        there = central_face(detector.detect(flipped), image.shape).landmarks[MIRRORED]
        there = np.stack([image.shape[1] - 1 - there[:, 0], there[:, 1]], axis=1)
        eyes = np.linalg.norm(here[0] - here[1])
        distances.append(np.linalg.norm(here - there, axis=1).mean() / eyes)
    return float(np.mean(distances))


@pytest.fixture(scope="module")
def images() -> list[np.ndarray]:
    return [load_image(photo) for photo in photos()[::2]]


def test_two_looks_agree_better_than_one(images: list[np.ndarray]) -> None:
    once = MTCNN.from_pretrained(settings=DetectionSettings(thorough=False))
    twice = MTCNN.from_pretrained()
    assert disagreement(twice, images) < 0.8 * disagreement(once, images)


def test_the_second_look_moves_landmarks_only_a_little(images: list[np.ndarray]) -> None:
    once = MTCNN.from_pretrained(settings=DetectionSettings(thorough=False))
    twice = MTCNN.from_pretrained()
    for image in images[:6]:
        one, two = (central_face(detector.detect(image), image.shape) for detector in (once, twice))
        eyes = np.linalg.norm(one.landmarks[0] - one.landmarks[1])
        moved = np.linalg.norm(one.landmarks - two.landmarks, axis=1)
        assert 0 < moved.max() < 0.15 * eyes
