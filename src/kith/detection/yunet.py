"""YuNet: a small network that sees an image as it is, and finds faces of 10 to 300 pixels in it.

Source: Wu, Peng and Yu 2023, "YuNet: A Tiny Millisecond-level Face Detector", Machine Intelligence Research
20; weights and decoding of https://github.com/ShiqiYu/libfacedetection.train. For each cell it tells whether
it sees a face and whether the cell is its middle: the score is the geometric mean of both.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from kith.detection.single_shot import Found, SingleShot, cells
from kith.records import FloatArray, Image

_STRIDES = (8, 16, 32)


class YuNet(SingleShot):
    """The detector; make one with `YuNet.from_pretrained`.

    Its network answers for each of three strides whether a cell sees a face (1, n, 1), then whether it is the
    face's middle (1, n, 1), then the boxes (1, n, 4) and the landmarks (1, n, 10).
    """

    KIND = "yunet"
    THRESHOLD = 0.7
    OVERLAP = 0.3  # as its authors
    ALONE = 640 * 640
    CLEAR = 0.91
    TELLING = 8.0

    def _feed(self, image: Image, shape: tuple[int, int]) -> FloatArray:
        """Blue, green and red, 0 to 255; black beyond the image."""
        height, width = image.shape[:2]
        planes = np.zeros((1, 3, *shape), np.float32)
        for plane, colour in zip(planes[0], reversed(cv2.split(image)), strict=True):
            plane[:height, :width] = colour
        return planes

    def _read(self, outputs: Sequence[np.ndarray], shape: tuple[int, int], threshold: float) -> Found:
        faces, middles, boxes, landmarks = (
            np.concatenate(outputs[start : start + 3], axis=1)[0] for start in (0, 3, 6, 9)
        )
        squares = np.clip(faces[:, 0], 0, 1) * np.clip(middles[:, 0], 0, 1)
        good = np.flatnonzero(squares > threshold**2)
        corners, strides = (of_all[good] for of_all in cells(shape, _STRIDES))
        centres = corners + boxes[good, :2] * strides
        half = np.exp(boxes[good, 2:]) * strides / 2
        points = corners[:, np.newaxis] + landmarks[good].reshape(-1, 5, 2) * strides[:, np.newaxis]
        return Found(np.concatenate([centres - half, centres + half], axis=1), points, np.sqrt(squares[good]))
