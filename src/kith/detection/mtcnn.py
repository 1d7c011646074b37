"""MTCNN: a pyramid of the image, and three networks that look ever closer.

Source: Zhang et al. 2016, https://arxiv.org/abs/1604.02878, section II. P-Net looks at every
12-pixel window of a pyramid of the image and proposes boxes; R-Net sees the proposals at 24 pixels
and O-Net the rest at 48. After each network boxes are moved by its offsets, and of boxes that
cover one another the best stays.

One thing is ours: every level of the pyramid gets a border a third of a window wide, so that a
face cut by the image's edge, or as large as the image, still has windows centred on it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from kith.detection.boxes import areas, cut_windows, square, suppress
from kith.records import Face, FloatArray, Image, require_shape

_WINDOW = 12  # P-Net's field of view, in pixels
_STRIDE = 2
_SCALE_STEP = 0.709  # area halves from level to level
_BORDER = 5
_AT_ONCE = 512  # windows in one run of R-Net or O-Net: bounds memory on crowded photos
_GRAY = 127.5


class Network(Protocol):
    """A compiled network: float32 arrays in, float32 arrays out."""

    def run(self, *inputs: np.ndarray) -> list[np.ndarray]:
        """Run it."""
        ...


@dataclass(frozen=True, slots=True)
class DetectionSettings:
    """What to look for.

    Attributes:
        min_face_size: Faces smaller than this are not looked for, in pixels of the image after
            `longest_side` is applied.
        thresholds: Scores that a window must exceed in P-, R- and O-Net.
        longest_side: A larger image is scaled down to this before detection; None for never.
        beyond_edges: Whether faces that the image's edge cuts, or that fill the image, are looked
            for too. Off, the detector finds what the original finds.
    """

    min_face_size: int = 20
    thresholds: tuple[float, float, float] = (0.6, 0.7, 0.8)
    longest_side: int | None = 1280
    beyond_edges: bool = True

    def __post_init__(self) -> None:
        if self.min_face_size < _WINDOW:
            raise ValueError(f"min_face_size must be at least {_WINDOW}, got {self.min_face_size}")
        if not all(0 <= threshold < 1 for threshold in self.thresholds) or len(self.thresholds) != 3:
            raise ValueError(f"thresholds must be three numbers in [0, 1), got {self.thresholds}")
        if self.longest_side is not None and self.longest_side < _WINDOW:
            raise ValueError(f"longest_side must be at least {_WINDOW}, got {self.longest_side}")


class MTCNN:
    """The detector; safe to use from many threads.

    Args:
        pnet: Runs P-Net.
        rnet: Runs R-Net.
        onet: Runs O-Net.
        settings: What to look for.
    """

    def __init__(
        self, pnet: Network, rnet: Network, onet: Network, settings: DetectionSettings | None = None
    ) -> None:
        self._pnet = pnet
        self._rnet = rnet
        self._onet = onet
        self.settings = settings or DetectionSettings()

    def detect(self, image: Image) -> list[Face]:
        """Find the faces, the largest first.

        Args:
            image: (h, w, 3) uint8 RGB.

        Returns:
            Faces with boxes and landmarks in the image's own pixels.
        """
        require_shape("image", image, (None, None, 3))
        image, scale = self._limit_size(image)
        boxes = self._propose(image)
        boxes = self._refine(image, boxes)
        boxes, landmarks, scores = self._finish(image, boxes)
        order = np.argsort(-areas(boxes), kind="stable")
        return [Face(boxes[index] / scale, landmarks[index] / scale, float(scores[index])) for index in order]

    def _limit_size(self, image: Image) -> tuple[Image, np.float32]:
        """The image, smaller if need be, and the factor by which it was scaled."""
        height, width = image.shape[:2]
        limit = self.settings.longest_side
        if limit is None or max(height, width) <= limit:
            return image, np.float32(1)
        factor = limit / max(height, width)
        size = (max(round(width * factor), 1), max(round(height * factor), 1))
        return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8), np.float32(factor)

    def _propose(self, image: Image) -> FloatArray:
        """P-Net over the pyramid: (n, 4) boxes."""
        border = _BORDER if self.settings.beyond_edges else 0
        boxes, scores = [np.empty((0, 4), np.float32)], [np.empty(0, np.float32)]
        for scale, level in _pyramid(image, self.settings.min_face_size, _WINDOW - border):
            level = np.pad(level, ((border, border), (border, border), (0, 0)), constant_values=_GRAY)
            offsets, face_scores = self._pnet.run(_scale_pixels(level[np.newaxis]))
            level_boxes, level_scores = _boxes_of_level(
                offsets[0], face_scores[0, :, :, 0], self.settings.thresholds[0]
            )
            level_boxes = (level_boxes - border) / scale
            kept = suppress(level_boxes, level_scores, 0.5)
            boxes.append(level_boxes[kept])
            scores.append(level_scores[kept])
        all_boxes = np.concatenate(boxes)
        return all_boxes[suppress(all_boxes, np.concatenate(scores), 0.7)]

    def _refine(self, image: Image, boxes: FloatArray) -> FloatArray:
        """R-Net on each proposal: fewer and better (n, 4) boxes."""
        boxes = square(boxes)
        offsets, scores = _run_on_windows(self._rnet, image, boxes, 24)
        good = scores[:, 0] > self.settings.thresholds[1]
        boxes = _move(boxes[good], offsets[good])
        return boxes[suppress(boxes, scores[good, 0], 0.7)]

    def _finish(self, image: Image, boxes: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """O-Net on each box: boxes (n, 4), landmarks (n, 5, 2), scores (n,)."""
        boxes = square(boxes)
        offsets, points, scores = _run_on_windows(self._onet, image, boxes, 48)
        good = scores[:, 0] > self.settings.thresholds[2]
        boxes, offsets, points, face_scores = boxes[good], offsets[good], points[good], scores[good, 0]
        corners, sides = boxes[:, np.newaxis, :2] - 1, (boxes[:, 2:] - boxes[:, :2] + 1)[:, np.newaxis]
        landmarks = corners + points.reshape(-1, 2, 5).transpose(0, 2, 1) * sides
        boxes = _move(boxes, offsets)
        kept = suppress(boxes, face_scores, 0.7, of_smaller=True)
        return boxes[kept], landmarks[kept], face_scores[kept]


def _pyramid(image: Image, min_face_size: int, min_side: int) -> Iterator[tuple[np.float32, FloatArray]]:
    """The image at the scale at which a window is as large as the smallest face, then ever smaller.

    Yields:
        Each scale and the (h, w, 3) float32 image, as long as its shorter side is `min_side` pixels.
    """
    height, width = image.shape[:2]
    source = image.astype(np.float32)
    scale = _WINDOW / min_face_size
    while min(height, width) * scale >= min_side:
        # Averaging 2 x 2 pixels first is many times faster and changes next to nothing
        while source.shape[0] >= 5 * height * scale and source.shape[1] >= 5 * width * scale:
            source = cv2.resize(
                source, (source.shape[1] // 2, source.shape[0] // 2), interpolation=cv2.INTER_AREA
            )
        size = (max(int(width * scale), 1), max(int(height * scale), 1))
        level = cv2.resize(source, size, interpolation=cv2.INTER_AREA)
        yield np.float32(scale), np.asarray(level, np.float32)
        scale *= _SCALE_STEP


def _scale_pixels(pixels: np.ndarray) -> FloatArray:
    return np.asarray((pixels - np.float32(127.5)) * np.float32(1 / 128), np.float32)


def _boxes_of_level(
    offsets: FloatArray, scores: FloatArray, threshold: float
) -> tuple[FloatArray, FloatArray]:
    """P-Net's maps of one level -> boxes (n, 4) in the level's pixels and scores (n,)."""
    rows, columns = np.nonzero(scores > threshold)
    corners = np.stack([columns, rows], axis=1) * np.float32(_STRIDE)
    # the original counts pixels from 1 and calls a window of 12 pixels 11 wide
    windows = np.concatenate([corners + 1, corners + _WINDOW], axis=1)
    return windows + offsets[rows, columns] * (_WINDOW - 1), scores[rows, columns]


def _run_on_windows(network: Network, image: Image, boxes: FloatArray, size: int) -> list[np.ndarray]:
    """All outputs of a network for the windows of these boxes."""
    starts = range(0, max(len(boxes), 1), _AT_ONCE)
    parts = [
        network.run(_scale_pixels(cut_windows(image, boxes[start : start + _AT_ONCE], size)))
        for start in starts
    ]
    return [np.concatenate(outputs) for outputs in zip(*parts, strict=True)]


def _move(boxes: FloatArray, offsets: FloatArray) -> FloatArray:
    sides = boxes[:, 2:] - boxes[:, :2] + 1  # pixels counted as the original counts them
    return boxes + offsets * np.tile(sides, 2)
