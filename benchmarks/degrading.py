"""What makes photos hard: each kind of damage that is done to a good photo of a known face.

Sizes are shares of the face, so that any folder of photos can be damaged alike.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import cv2
import numpy as np

from kith.records import Face

_COVER = (92, 84, 110)  # a scarf's or a hand's worth of one colour
_BLACK = (18, 18, 20)
_GLASSES = [(-0.45, -0.35), (1.45, -0.35), (1.4, 0.4), (0.6, 0.3), (0.4, 0.3), (-0.4, 0.4)]


class Hard(NamedTuple):
    """A damaged photo (h, w, 3) uint8, and where the face's box (4,) lies in it."""

    image: np.ndarray
    box: np.ndarray


Damage = Callable[[np.ndarray, Face], Hard]
"""An image (h, w, 3) uint8 and the face that it is of -> the damaged photo."""


def blur(image: np.ndarray, face: Face, share: float) -> Hard:
    """Out of focus: a Gaussian whose sigma is a share of the distance between the eyes."""
    return Hard(cv2.GaussianBlur(image, (0, 0), share * _eye_distance(face)), face.box)


def shrink(image: np.ndarray, face: Face, pixels: int) -> Hard:
    """Far away: so small that the face is so many pixels wide."""
    factor = min(pixels / face.width, 1)
    height, width = image.shape[:2]
    size = (max(round(width * factor), 1), max(round(height * factor), 1))
    return Hard(cv2.resize(image, size, interpolation=cv2.INTER_AREA), face.box * np.float32(factor))


def coarsen(image: np.ndarray, face: Face, pixels: int) -> Hard:
    """The same, enlarged again to the size it had."""
    small = shrink(image, face, pixels).image
    return Hard(cv2.resize(small, image.shape[1::-1], interpolation=cv2.INTER_CUBIC), face.box)


def cover_mouth(image: np.ndarray, face: Face) -> Hard:
    """A scarf or a mask: all below the tip of the nose."""
    return _paint(image, face, [(-2, 1.0), (3, 1.0), (3, 4), (-2, 4)], _COVER)


def cover_side(image: np.ndarray, face: Face) -> Hard:
    """A hand or a pillar: the half of the face that is right in the image."""
    return _paint(image, face, [(0.5, -3), (3, -3), (3, 4), (0.5, 4)], _COVER)


def wear_sunglasses(image: np.ndarray, face: Face) -> Hard:
    """Black glasses over both eyes."""
    return _paint(image, face, _GLASSES, _BLACK)


def compress(image: np.ndarray, face: Face, quality: int) -> Hard:
    """Kept as a JPEG of low quality."""
    _, packed = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return Hard(cv2.imdecode(packed, cv2.IMREAD_COLOR), face.box)


def cut_side(image: np.ndarray, face: Face, share: float) -> Hard:
    """The photo ends at its left within the face: so much of the box's width is lost."""
    left = int(np.clip(face.box[0] + share * face.width, 0, image.shape[1] - 1))
    return Hard(np.ascontiguousarray(image[:, left:]), face.box - np.float32([left, 0, left, 0]))


def cut_below(image: np.ndarray, face: Face, share: float) -> Hard:
    """The photo ends within the face: so much of the box's height is lost below."""
    bottom = int(np.clip(face.box[3] - share * face.height, 1, image.shape[0]))
    return Hard(np.ascontiguousarray(image[:bottom]), face.box)


def darken(image: np.ndarray, face: Face) -> Hard:
    """Taken with too little light: a tenth of it, and a sensor's noise of two gray levels."""
    noise = np.random.default_rng(image.size).normal(0, 2, image.shape)
    return Hard(np.clip(image * 0.1 + noise, 0, 255).astype(np.uint8), face.box)


def overexpose(image: np.ndarray, face: Face) -> Hard:
    """Taken with too much light: three times as much, cut off at white."""
    return Hard(np.clip(image * 3.0, 0, 255).astype(np.uint8), face.box)


DAMAGES: Mapping[str, Damage] = {
    "blur 0.1": partial(blur, share=0.1),
    "blur 0.15": partial(blur, share=0.15),
    "blur 0.25": partial(blur, share=0.25),
    "24 pixels": partial(shrink, pixels=24),
    "24 pixels enlarged": partial(coarsen, pixels=24),
    "16 pixels enlarged": partial(coarsen, pixels=16),
    "12 pixels enlarged": partial(coarsen, pixels=12),
    "mouth covered": cover_mouth,
    "side covered": cover_side,
    "sunglasses": wear_sunglasses,
    "JPEG 10": partial(compress, quality=10),
    "JPEG 4": partial(compress, quality=4),
    "side cut by 0.3": partial(cut_side, share=0.3),
    "side cut by 0.5": partial(cut_side, share=0.5),
    "below cut by 0.3": partial(cut_below, share=0.3),
    "dark": darken,
    "overexposed": overexpose,
}
"""Every kind, by its name."""


def _eye_distance(face: Face) -> float:
    return float(np.hypot(*(face.landmarks[1] - face.landmarks[0])))


def _paint(
    image: np.ndarray, face: Face, outline: list[tuple[float, float]], colour: tuple[int, ...]
) -> Hard:
    """Paint over part of a face, told in its own frame: from the left eye, eye to eye, and eyes to nose."""
    left, right, nose = face.landmarks[:3].astype(np.float64)
    across = right - left
    down = np.array([-across[1], across[0]]) / max(np.hypot(*across), 1e-6)
    down *= max(float((nose - (left + right) / 2) @ down), 0.3 * np.hypot(*across))
    points = np.array([left + x * across + y * down for x, y in outline])
    painted = image.copy()
    cv2.fillPoly(painted, [np.round(points).astype(np.int32)], colour)
    return Hard(painted, face.box)
