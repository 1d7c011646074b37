"""A recognizer without networks, and pictures that it recognizes people in.

A picture is a row of squares, each with one person: the square's red says who, its other colours are noise, as
sharp and as bright as a good photo. The detector finds a face in each square; the embedder reads the red.
"""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from made_up_calibration import measured_up_to

from kith.catalogue.builtin import DEFAULT_EMBEDDER, EMBEDDERS
from kith.recognizer import Recognizer
from kith.records import Face, FloatArray, Image
from kith.runtime.prepare import Precision

MODEL = "made-up"
SIDE = 100
"""Pixels of a square."""

_STEP = 11  # of red, between two people
_DIMENSIONS = 32
_LANDMARKS = np.array([[35, 40], [65, 40], [50, 55], [38, 70], [62, 70]], np.float32)


def paint(path: Path, *people: int, photo: int = 0) -> Path:
    """Write a picture of people, who are numbers from 1 to 15; with another `photo` it is another one."""
    chance = np.random.default_rng([photo, *people])
    image = chance.integers(60, 200, (SIDE, SIDE * max(len(people), 1), 3), np.uint8)
    image[:, :, 0] = 0
    for place, person in enumerate(people):
        image[:, SIDE * place : SIDE * (place + 1), 0] = _STEP * person
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), image[:, :, ::-1])
    return path


class FakeDetector:
    """Finds a face in each square that shows someone.

    Args:
        score: The detection score of each face, from the left; the last is that of all others.
    """

    recipe = "fake"

    def __init__(self, *score: float) -> None:
        self._scores = score or (0.99,)
        self.looked_at = 0

    def detect(self, image: Image) -> list[Face]:
        self.looked_at += 1
        faces = []
        for place in range(image.shape[1] // SIDE):
            left = SIDE * place
            if image[SIDE // 2, left + SIDE // 2, 0]:
                box = np.array([left + 15, 15, left + 85, 90], np.float32)
                score = self._scores[min(place, len(self._scores) - 1)]
                faces.append(Face(box, _LANDMARKS + np.float32([left, 0]), score))
        return faces


class FakeEmbedder:
    """Embeddings of one person are alike, of two people at right angles, about."""

    def embed(self, crops: np.ndarray) -> FloatArray:
        return np.stack([_embedding(crop) for crop in crops]) if len(crops) else _NONE


_NONE = np.empty((0, _DIMENSIONS), np.float32)


def _embedding(crop: np.ndarray) -> FloatArray:
    person = round(float(np.median(crop[:, :, 0])) / _STEP)
    own = np.random.default_rng(person).standard_normal(_DIMENSIONS)
    noise = np.random.default_rng(int(crop.sum())).standard_normal(_DIMENSIONS)
    values = own / np.linalg.norm(own) + 0.03 * noise
    return (values / np.linalg.norm(values)).astype(np.float32)


def fake_recognizer(*scores: float) -> Recognizer:
    """A recognizer of painted people; the scores are its detector's."""
    spec = replace(EMBEDDERS[DEFAULT_EMBEDDER], id=MODEL, embedding_size=_DIMENSIONS)
    detector: FakeDetector = FakeDetector(*scores)
    return Recognizer(detector, FakeEmbedder(), spec, measured_up_to(100), Precision.FLOAT32)
