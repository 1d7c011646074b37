"""The photographs that the benchmarks run on: a fixed random sample of Labeled Faces in the Wild."""

import random
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

import kith

LONG_SIDE = 640


class Photo(NamedTuple):
    """An image, (h, w, 3) uint8 RGB, and the centres (n, 2) and sides (n,) of the faces put into it."""

    image: np.ndarray
    centres: np.ndarray
    sides: np.ndarray


def sample(lfw: Path, count: int, seed: int = 0) -> list[Path]:
    """The same photos each time."""
    files = sorted(lfw.glob("*/*.jpg"))
    return random.Random(seed).sample(files, min(count, len(files)))


def single(file: Path, long_side: int = LONG_SIDE) -> Photo:
    """One photo, scaled. LFW puts the face in the middle; it takes about two fifths of the side."""
    image = kith.load_image(file)
    factor = long_side / max(image.shape[:2])
    image = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR)
    height, width = image.shape[:2]
    return Photo(image, np.array([[width / 2, height / 2]]), np.array([0.4 * min(height, width)]))


def collage(files: list[Path], seed: int) -> Photo:
    """A 640 x 480 group photo: twelve LFW photos of 90 to 160 pixels, so faces of 36 to 64, on gray."""
    draw = random.Random(seed)
    image = np.full((480, 640, 3), 127, np.uint8)
    centres, sides = [], []
    for index, file in enumerate(files[:12]):
        side = draw.randint(90, 160)
        left = 160 * (index % 4) + draw.randint(0, 160 - side)
        top = 160 * (index // 4) + draw.randint(0, 160 - side)
        tile = cv2.resize(kith.load_image(file), (side, side), interpolation=cv2.INTER_AREA)
        image[top : top + side, left : left + side] = tile
        centres.append((left + side / 2, top + side / 2))
        sides.append(0.4 * side)
    return Photo(image, np.array(centres), np.array(sides))


def found(photo: Photo, boxes: np.ndarray) -> int:
    """How many of a photo's faces have a box (n, 4: x1, y1, x2, y2) of about their place and size."""
    boxes = np.reshape(boxes, (-1, 4))
    centres, sides = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]).mean(axis=1)
    count = 0
    for centre, side in zip(photo.centres, photo.sides, strict=True):
        near = np.abs(centres - centre).max(axis=1) < 0.5 * side
        count += bool((near & (sides > side / 2) & (sides < side * 2)).any())
    return count
