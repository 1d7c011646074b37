"""SCRFD: one network that sees an image at 640 pixels.

Source: Guo, Deng, Lattas and Zafeiriou 2021, "Sample and Computation Redistribution for Efficient Face
Detection", https://arxiv.org/abs/2105.04714; decoding as insightface's python-package/insightface/model_zoo/
scrfd.py. For each cell, and each of its anchors, it tells how far the edges of a face's box and its landmarks
lie from the cell's corner.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from kith.detection.single_shot import Found, SingleShot, cells
from kith.records import FloatArray, Image

_USUAL = np.array([[0.27, 0.40], [0.72, 0.40], [0.49, 0.59], [0.30, 0.74], [0.68, 0.74]], np.float32)
"""Where the landmarks of a usual face lie, in parts of its box: they stand in where a network has none."""

_TOWARDS = np.array([-1, -1, 1, 1], np.float32)  # from the corner of a cell to the edges of the box


class SCRFD(SingleShot):
    """The detector; make one with `SCRFD.from_pretrained`.

    Its network has 6 or 9 outputs, for three strides with two anchors a cell, or 10 or 15, for five strides
    with one. They are in any order: for each stride scores (n, 1), boxes (n, 4), and of 9 and 15 landmarks
    (n, 10), all with or without an axis in front.
    """

    KIND = "scrfd"
    THRESHOLD = 0.5  # as its authors
    OVERLAP = 0.4
    ALONE = 256 * 256
    CLEAR = 0.82
    TELLING = 8.0
    LEAST_SIDE = 640

    def _feed(self, image: Image, shape: tuple[int, int]) -> FloatArray:
        """Red, green and blue, brought to -1 to 1; black beyond the image."""
        height, width = image.shape[:2]
        planes = np.full((1, 3, *shape), -127.5 / 128, np.float32)
        for plane, colour in zip(planes[0], cv2.split(image), strict=True):
            inside = plane[:height, :width]
            np.subtract(colour, np.float32(127.5), out=inside)
            inside *= np.float32(1 / 128)
        return planes

    def _read(self, outputs: Sequence[np.ndarray], shape: tuple[int, int], threshold: float) -> Found:
        strides, anchors = ((8, 16, 32), 2) if len(outputs) in (6, 9) else ((8, 16, 32, 64, 128), 1)
        scores = _in_order(outputs, 1)[:, 0]
        good = np.flatnonzero(scores > threshold)
        corners, steps = (of_all[good] for of_all in cells(shape, strides, anchors))
        boxes = np.tile(corners, 2) + _in_order(outputs, 4)[good] * _TOWARDS * steps
        if len(outputs) in (6, 10):
            points = boxes[:, np.newaxis, :2] + _USUAL * (boxes[:, 2:] - boxes[:, :2])[:, np.newaxis]
        else:
            offsets = _in_order(outputs, 10)[good].reshape(-1, 5, 2)
            points = corners[:, np.newaxis] + offsets * steps[:, np.newaxis]
        return Found(boxes, points, scores[good])


def _in_order(outputs: Sequence[np.ndarray], length: int) -> np.ndarray:
    """All answers (n, length) of this length: those of the smallest stride first, of which there are most."""
    found = [output.reshape(-1, length) for output in outputs if output.shape[-1] == length]
    return np.concatenate(sorted(found, key=len, reverse=True))
