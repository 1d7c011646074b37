"""Detectors of one network that sees an image at one scale in one run, and finds faces of many sizes in it.

The network has an answer for each of the cells into which it divides the image, at strides of 8, 16 and 32
pixels: a score, and the box and landmarks of a face as they lie from the cell. How a kind of network is fed
and what its answers mean is told by its class; what is done around the network is here.

Three things are ours. Such a network sees faces of up to some 300 pixels well, so larger ones are looked for
a second time, in the image made smaller. Each face that was found is looked at again, closer and in a
mirror: the mean of both has landmarks with a smaller error. And a network finds a face also where that lies
on its side or head, with landmarks that are wrong: so a face that is not clearly upright is shown to it in
four quarter turns, to tell whether the image should be looked at in another.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import ClassVar, NamedTuple, Protocol, Self

import cv2
import numpy as np

from kith.boxes import areas, square, suppress
from kith.catalogue.installed import find_detector
from kith.detection.settings import DetectionSettings
from kith.detection.upright import log_odds, turn_upright
from kith.detection.windows import cut_windows
from kith.images.arrays import require_image
from kith.progress import SILENT, Progress
from kith.records import Face, FloatArray, Image
from kith.runtime.device import Device
from kith.runtime.prepare import prepare

_LONGEST = 3072  # pixels of an image that is not to be scaled down: more would take gigabytes in one run
_STEP = 32  # pixels: the sides of what a network sees are multiples of its largest stride
_LARGE = 320  # pixels of a face, in what a network sees: larger ones are found better in a smaller image
_WHOLE = 640  # pixels: in an image whose longest side is larger, a large face may be missed
_SMALL = 224  # pixels: the longest side of the image made smaller
_MOST = 5000  # answers that are compared with one another, as OpenCV has it: a low threshold lets all through
_HIDDEN = 0.7  # a face of whose box more is covered by a surer one is a part of that
_TILE = 96  # pixels of the side of a window around a face
_AROUND = 1.6  # sides of a window in longer sides of a face's box
_LEAST = 0.01  # score of what may be a face in a window
_IN_A_MIRROR = ((0, -1),)  # ways of showing a window: quarter turns, and the step along its columns
_TURNS = tuple((turns, 1) for turns in range(4))
_MIRRORED = [1, 0, 2, 4, 3]  # what each landmark becomes in a mirror: the left eye the right one, and so on


class Network(Protocol):
    """A compiled network: float32 arrays in, float32 arrays out."""

    def run(self, *inputs: np.ndarray) -> list[np.ndarray]:
        """Run it."""
        ...


class Found(NamedTuple):
    """Boxes (n, 4), landmarks (n, 5, 2) and scores (n,) of faces, float32, in the pixels of what was seen."""

    boxes: FloatArray
    landmarks: FloatArray
    scores: FloatArray


class SingleShot(ABC):
    """A detector of one network; safe to use from many threads.

    Make one with `from_pretrained` of its class.

    Args:
        network: Maps (1, 3, h, w) float32 to the outputs that the class reads; h and w are multiples of 32.
        settings: What to look for.
        side: The only h and w that the network takes; None if it takes any.
        alone: The same network in one thread, for what is small; None for the network itself.
    """

    KIND: ClassVar[str]
    THRESHOLD: ClassVar[float]
    """Score that a face must exceed."""
    OVERLAP: ClassVar[float]
    """Of two boxes of which one covers more of the other than this, the better-scored is kept."""
    LEAST_SIDE: ClassVar[int] = 1
    """Pixels to whose longest side a smaller image is enlarged."""
    ALONE: ClassVar[int]
    """Pixels up to which one thread is quicker than several, or as quick, where other programs run too."""
    CLEAR: ClassVar[float]
    """Score that a face exceeds only where it is upright."""
    TELLING: ClassVar[float]
    """By how much the log-odds of scores in two quarter turns tell which way up a face is."""

    def __init__(
        self,
        network: Network,
        settings: DetectionSettings | None = None,
        *,
        side: int | None = None,
        alone: Network | None = None,
    ) -> None:
        self._network = network
        self._alone = alone or network
        self.settings = settings or DetectionSettings()
        (self._threshold,) = self.settings.thresholds_or((self.THRESHOLD,))
        self._side = side
        self._made_by: Callable[[], Self] | None = None
        self._weights = ""  # the hash, where they are not the program's own

    @classmethod
    def from_pretrained(
        cls,
        detector_id: str,
        settings: DetectionSettings | None = None,
        *,
        threads: int = 0,
        device: Device = Device.CPU,
        progress: Progress = SILENT,
    ) -> Self:
        """Load a detector.

        Args:
            detector_id: Which.
            settings: What to look for.
            threads: How many threads it may use; 0 means one per core.
            device: Where its network runs.
            progress: Told what is being done.

        Raises:
            WeightsError: It cannot be had or read.
        """
        (weights,) = find_detector(detector_id).weights.values()
        network = prepare(weights, threads=threads, device=device, progress=progress)
        alone = prepare(weights, threads=1, device=device, progress=progress)
        detector = cls(network, settings, side=weights.input_size, alone=alone)
        detector._weights = weights.sha256
        detector._made_by = partial(
            cls.from_pretrained, detector_id, settings, threads=threads, device=device
        )
        return detector

    def __reduce__(self) -> tuple[Callable[[], Self], tuple[()]]:
        """Pickle and copy it as what it was made of.

        Raises:
            TypeError: Its network is the program's own.
        """
        if self._made_by is None:
            raise TypeError("a detector with a network of your own cannot be pickled or copied")
        return self._made_by, ()

    @property
    def recipe(self) -> str:
        """What decides which faces are found, and where."""
        return f"{self.KIND} {self._weights} {self.settings}"

    def detect(self, image: Image) -> list[Face]:
        """Find the faces, the largest first.

        Args:
            image: (h, w, 3) uint8 RGB.

        Returns:
            Faces with boxes and landmarks in the image's own pixels.
        """
        require_image(image)
        faces = self._look(image)
        if self.settings.thorough and self.settings.turned:
            faces = turn_upright(image, faces, self._look, self.judge)
        sides = np.sqrt(areas(_boxes(faces)))
        order = np.argsort(-sides, kind="stable")
        return [faces[index] for index in order if sides[index] >= self.settings.min_face_size]

    def judge(self, image: Image, faces: Sequence[Face]) -> FloatArray:
        """How much faces look like faces after 0, 1, 2 and 3 quarter turns of the image, see `upright`.

        Args:
            image: (h, w, 3) uint8 RGB.
            faces: n faces of it, as they were found.

        Returns:
            (n, 4) log-odds; of a face that is clearly upright, other turns are not looked at.
        """
        scores = np.full((len(faces), 4), _LEAST, np.float32)
        scores[:, 0] = [face.detection_score for face in faces]
        doubtful = np.flatnonzero(scores[:, 0] <= self.CLEAR)
        if len(doubtful):
            scores[doubtful], _ = self._see_windows(image, _boxes(faces)[doubtful], _TURNS)
        return np.asarray(self.TELLING * log_odds(scores), np.float32)

    def _look(self, image: Image) -> list[Face]:
        """Upright faces of an image, in its pixels."""
        side = self._first_side(image)
        found = self._look_at(image, side)
        if self.settings.thorough and side > _SMALL and self._may_miss_large_faces(found, side, image):
            found = self._join(found, self._look_at(image, _SMALL))
        if self.settings.thorough and len(found.boxes):
            found = found._replace(landmarks=self._look_in_mirror(image, found))
        return [Face(box, points, float(score)) for box, points, score in zip(*found, strict=True)]

    def _first_side(self, image: Image) -> int:
        """The longest side at which an image is first looked at, in pixels."""
        height, width, _ = image.shape
        wanted = int(max(height, width, self.LEAST_SIDE))
        return min(wanted, self.settings.longest_side or _LONGEST, self._side or wanted)

    def _may_miss_large_faces(self, found: Found, side: int, image: Image) -> bool:
        scale = side / max(image.shape[:2])
        return side > _WHOLE or not len(found.boxes) or bool(areas(found.boxes).max() * scale**2 > _LARGE**2)

    def _look_at(self, image: Image, side: int) -> Found:
        """One run of the network, on an image scaled to this longest side: faces in the image's pixels."""
        seen = _scale(image, side)
        height, width = seen.shape[:2]
        found = self._see(seen, self._threshold)
        best = np.argsort(-found.scores, kind="stable")[:_MOST]
        kept = best[suppress(found.boxes[best], found.scores[best], self.OVERLAP)]
        scale = np.array([width / image.shape[1], height / image.shape[0]], np.float32)
        return Found(found.boxes[kept] / np.tile(scale, 2), found.landmarks[kept] / scale, found.scores[kept])

    def _join(self, first: Found, second: Found) -> Found:
        """The faces of two looks: of those that cover one another, the surest."""
        boxes, landmarks, scores = (np.concatenate(both) for both in zip(first, second, strict=True))
        kept = suppress(boxes, scores, self.OVERLAP)
        kept = kept[suppress(boxes[kept], scores[kept], _HIDDEN, of_smaller=True)]
        return Found(boxes[kept], landmarks[kept], scores[kept])

    def _see(self, image: Image, threshold: float) -> Found:
        """One run of the network: what scores above a threshold."""
        height, width = image.shape[:2]
        shape = (self._side, self._side) if self._side else (_whole(height), _whole(width))
        network = self._alone if shape[0] * shape[1] <= self.ALONE else self._network
        return self._read(network.run(self._feed(image, shape)), shape, threshold)

    def _look_in_mirror(self, image: Image, found: Found) -> FloatArray:
        """Landmarks (n, 5, 2): each the mean of those found and of what a closer look in a mirror shows."""
        scores, landmarks = (of_all[:, 0] for of_all in self._see_windows(image, found.boxes, _IN_A_MIRROR))
        landmarks = landmarks[:, _MIRRORED]
        landmarks[:, :, 0] = 1 - landmarks[:, :, 0]
        around = _around(found.boxes)
        height, width = image.shape[:2]
        edges = np.array([(width - 1) / width, (height - 1) / height], np.float32)  # as windows are cut
        corners, sides = around[:, np.newaxis, :2], (around[:, 2:] - around[:, :2])[:, np.newaxis]
        seen = (scores > self._threshold)[:, np.newaxis, np.newaxis]
        means = (found.landmarks + (corners + landmarks * sides) * edges) / 2
        return np.where(seen, means, found.landmarks)

    def _see_windows(
        self, image: Image, boxes: FloatArray, ways: Sequence[tuple[int, int]]
    ) -> tuple[FloatArray, FloatArray]:
        """What is seen in the middle of windows around n boxes, each shown in w ways.

        The windows of a face lie side by side on one canvas, those of the next below: one run sees many.

        Args:
            image: (h, w, 3) uint8 RGB.
            boxes: (n, 4)
            ways: Of each the quarter turns, and the step along its columns.

        Returns:
            The best scores (n, w), and those faces' landmarks (n, w, 5, 2) in parts of the windows.
        """
        scores = np.full((len(boxes), len(ways)), _LEAST, np.float32)
        landmarks = np.zeros((len(boxes), len(ways), 5, 2), np.float32)
        around = _around(boxes)
        most = (self._side or _WHOLE) // _TILE  # faces in one run
        for start in range(0, len(boxes), most):
            windows = cut_windows(image, around[start : start + most], _TILE).astype(np.uint8)
            shown = [np.rot90(windows, turns, axes=(1, 2))[:, :, ::step] for turns, step in ways]
            canvas = np.concatenate(shown, axis=2).reshape(-1, len(ways) * _TILE, 3)
            found = self._see(canvas, _LEAST)
            middles = (found.boxes[:, :2] + found.boxes[:, 2:]) / (2 * _TILE)
            places = np.floor(middles).astype(int)
            inside = (np.abs(middles - places - 0.5) < 0.25).all(axis=1)
            inside &= (places >= 0).all(axis=1) & (places < (len(ways), len(windows))).all(axis=1)
            order = np.flatnonzero(inside)[np.argsort(found.scores[inside], kind="stable")]
            ways_of, faces_of = places[order].T  # the best comes last, and stays
            scores[start + faces_of, ways_of] = found.scores[order]
            corners = places[order][:, np.newaxis] * np.float32(_TILE)
            landmarks[start + faces_of, ways_of] = (found.landmarks[order] - corners) / (_TILE - 1)
        return scores, landmarks

    @abstractmethod
    def _feed(self, image: Image, shape: tuple[int, int]) -> FloatArray:
        """What the network is given for an image: (1, 3, *shape), the image in its upper left corner."""

    @abstractmethod
    def _read(self, outputs: Sequence[np.ndarray], shape: tuple[int, int], threshold: float) -> Found:
        """What scores above a threshold, in the network's outputs for an image of this height and width."""


@lru_cache(maxsize=64)
def cells(
    shape: tuple[int, int], strides: tuple[int, ...], anchors: int = 1
) -> tuple[FloatArray, FloatArray]:
    """Where answers belong that a network gives for the cells of an image, row by row, stride by stride.

    Args:
        shape: The image's (h, w).
        strides: The sides of the cells, in pixels.
        anchors: How many answers it gives for each cell.

    Returns:
        x and y (n, 2) of the cells' upper left corners and their strides (n, 1), in pixels, float32.
    """
    corners, sides = [], []
    for stride in strides:
        rows, columns = np.mgrid[: -(-shape[0] // stride), : -(-shape[1] // stride)].reshape(2, -1)
        places = np.stack([columns, rows], axis=1).astype(np.float32) * np.float32(stride)
        corners.append(places.repeat(anchors, axis=0))
        sides.append(np.full((len(corners[-1]), 1), stride, np.float32))
    return np.concatenate(corners), np.concatenate(sides)


def _scale(image: Image, side: int) -> Image:
    """An image scaled to this longest side; as the originals do, but for shrinking without losing pixels."""
    height, width = image.shape[:2]
    factor = side / max(height, width)
    if factor == 1:
        return image
    size = (max(int(width * factor), 1), max(int(height * factor), 1))
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size, interpolation=how), np.uint8)


def _around(boxes: FloatArray) -> FloatArray:
    """Squares (n, 4) around boxes (n, 4), with room."""
    squares = square(boxes)
    room = (squares[:, 2:] - squares[:, :2]) * np.float32((_AROUND - 1) / 2)
    return np.concatenate([squares[:, :2] - room, squares[:, 2:] + room], axis=1)


def _whole(pixels: int) -> int:
    return -(-pixels // _STEP) * _STEP


def _boxes(faces: Sequence[Face]) -> FloatArray:
    """(n, 4)"""
    return np.array([face.box for face in faces], np.float32).reshape(-1, 4)
