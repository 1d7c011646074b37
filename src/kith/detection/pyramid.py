"""An image at ever smaller scales, all of them laid out on one canvas.

A network that sees one window at a time can then look at all scales in one run, instead of a dozen
runs of which most are too small to be worth their start.
"""

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np

from kith.records import FloatArray


class Level(NamedTuple):
    """The image at one scale, with its border, and where it lies on the canvas.

    Attributes:
        scale: By which the image was multiplied.
        left: Of the border, in pixels of the canvas; even.
        top: Likewise.
        width: Borders included.
        height: Borders included.
    """

    scale: np.float32
    left: int
    top: int
    width: int
    height: int


class Pyramid(NamedTuple):
    """The canvas (h, w, 3) float32, and the levels on it, the largest first."""

    canvas: FloatArray
    levels: list[Level]


def build_pyramid(
    image: FloatArray, *, scale: float, step: float, border: int, smallest: int, fast: bool
) -> Pyramid:
    """Scale an image again and again.

    Args:
        image: (h, w, 3) float32.
        scale: Of the first level.
        step: From each level to the next, below 1.
        border: Pixels of 0 around every level.
        smallest: Levels whose shorter side is less than this, without borders, are left out.
        fast: Halve the image as long as it stays large enough, and sample the rest bilinearly: five
            times faster than averaging over areas, and nearly the same.

    Returns:
        The pyramid; without any level, its canvas is empty.
    """
    height, width = image.shape[:2]
    levels = _lay_out(_sizes(height, width, scale, step, smallest), border)
    right = max((level.left + _even(level.width) for level in levels), default=0)
    bottom = max((level.top + _even(level.height) for level in levels), default=0)
    canvas = np.zeros((bottom, right, 3), np.float32)
    most, sampling = (2, cv2.INTER_LINEAR) if fast else (5, cv2.INTER_AREA)
    for level in levels:
        rows = slice(level.top + border, level.top + level.height - border)
        columns = slice(level.left + border, level.left + level.width - border)
        inside = canvas[rows, columns]
        while image.shape[0] >= most * inside.shape[0] and image.shape[1] >= most * inside.shape[1]:
            image = _halve(image)
        cv2.resize(image, inside.shape[1::-1], dst=inside, interpolation=sampling)
    return Pyramid(canvas, levels)


def _sizes(
    height: int, width: int, scale: float, step: float, smallest: int
) -> Iterator[tuple[float, int, int]]:
    """The scale, height and width of each level."""
    while min(height, width) * scale >= smallest:
        yield scale, max(int(height * scale), 1), max(int(width * scale), 1)
        scale *= step


def _lay_out(sizes: Iterator[tuple[float, int, int]], border: int) -> list[Level]:
    """Place each level in the first free place that is large enough; the last place has no end."""
    levels: list[Level] = []
    free: list[tuple[int, int, float, float]] = []  # left, top, width and height
    for scale, height, width in sizes:
        height, width = height + 2 * border, width + 2 * border
        tall, wide = _even(height), _even(width)
        free = free or [(0, 0, np.inf, tall)]
        index = next(i for i, (_, _, room, depth) in enumerate(free) if tall <= depth and wide <= room)
        left, top, room, depth = free[index]
        levels.append(Level(np.float32(scale), left, top, width, height))
        free[index : index + 1] = [
            (left, top + tall, wide, depth - tall),
            (left + wide, top, room - wide, depth),
        ]
    return levels


def _halve(image: FloatArray) -> FloatArray:
    """The averages of 2 x 2 pixels: of all averages over areas the only quick one."""
    size = (image.shape[1] // 2, image.shape[0] // 2)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.float32)


def _even(size: int) -> int:
    """The size, or one more: a network of stride 2 must meet every level at an even pixel."""
    return size + size % 2
