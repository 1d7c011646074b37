"""MTCNN: a pyramid of the image, and three networks that look ever closer.

Source: Zhang et al. 2016, https://arxiv.org/abs/1604.02878, section II. P-Net looks at every
12-pixel window of a pyramid of the image and proposes boxes; R-Net sees the proposals at 24 pixels
and O-Net the rest at 48. After each network boxes are moved by its offsets, and of boxes that
cover one another the best stays.

Four things are ours. Every level of the pyramid gets a border nearly half a window wide, so that a
face cut by the image's edge, or as large as the image, still has windows centred on it. An image in
which nothing was found is looked at again with a finer pyramid. O-Net looks at each face that was found
a second time, centred on it and in a mirror: the mean of both has landmarks with a smaller error. And
R-Net looks at it in its four quarter turns, to tell whether the image should be looked at in another.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Protocol, Self

import cv2
import numpy as np

from kith.boxes import areas, square, suppress
from kith.catalogue.builtin import DEFAULT_DETECTOR
from kith.catalogue.installed import find_detector
from kith.detection.pyramid import Level, Pyramid, build_pyramid
from kith.detection.settings import DetectionSettings
from kith.detection.upright import log_odds, turn_upright
from kith.detection.windows import cut_windows
from kith.images.arrays import require_image
from kith.progress import SILENT, Progress
from kith.records import Face, FloatArray, Image
from kith.runtime.cores import available_cores
from kith.runtime.device import Device
from kith.runtime.per_process import PerProcess
from kith.runtime.prepare import prepare
from kith.runtime.workshop import workshop

_THRESHOLDS = (0.6, 0.7, 0.8)  # scores that a window must exceed in P-, R- and O-Net
_WINDOW = 12  # P-Net's field of view, in pixels
_STRIDE = 2
_SMALLEST_OF_SCALED = 20  # pixels of a face: to look for smaller ones would take several times as long
_SCALE_STEP = 0.709  # area halves from level to level
_FINE_SCALE_STEP = 0.84  # two levels where there was one
_BORDER = 5  # around every level, nearly half a window
# ONNX Runtime keeps the memory of its largest run, so that none may be much larger than the usual ones.
_BAND_PIXELS = (1 << 15, 1 << 16)  # that are worth a run of P-Net of their own, and the most in one run
_FEW = 192  # windows that are compared with one another in no time
_WINDOW_PIXELS = 1 << 16  # in one run of R-Net or O-Net
_GRAY = 127.5
_AS_IT_IS = ((0, 1),)  # ways of showing a window: quarter turns, and the step along its columns
_IN_A_MIRROR = ((0, -1),)
_EVERY_WAY = tuple((turns, step) for turns in range(4) for step in (1, -1))
_MIRRORED = [1, 0, 2, 4, 3]  # what each landmark becomes in a mirror: the left eye the right one, and so on


class Network(Protocol):
    """A compiled network: float32 arrays in, float32 arrays out."""

    def run(self, *inputs: np.ndarray) -> list[np.ndarray]:
        """Run it."""
        ...


class MTCNN:
    """The detector; safe to use from many threads.

    Make one with `MTCNN.from_pretrained`.

    Args:
        pnet: Runs P-Net.
        rnet: Runs R-Net.
        onet: Runs O-Net.
        settings: What to look for.
        workers: How many runs of P-Net go on side by side; each should use one thread.
    """

    def __init__(
        self,
        pnet: Network,
        rnet: Network,
        onet: Network,
        settings: DetectionSettings | None = None,
        *,
        workers: int = 2,
    ) -> None:
        self._pnet = pnet
        self._rnet = rnet
        self._onet = onet
        self.settings = settings or DetectionSettings()
        self._thresholds = self.settings.thresholds_or(_THRESHOLDS)
        self._workers = workers
        self._made_by: Callable[[], Self] | None = None
        self._weights: tuple[str, ...] = ()  # their hashes, where they are not the program's own
        self._pool = PerProcess(lambda: ThreadPoolExecutor(workers, thread_name_prefix="kith-pnet"))

    @classmethod
    @workshop()  # one for all three
    def from_pretrained(
        cls,
        detector_id: str = DEFAULT_DETECTOR,
        settings: DetectionSettings | None = None,
        *,
        threads: int = 0,
        device: Device = Device.CPU,
        progress: Progress = SILENT,
    ) -> Self:
        """Load a detector; the first time it is compiled, which takes seconds.

        Args:
            detector_id: Which.
            settings: What to look for.
            threads: How many threads it may use; 0 means one per core.
            device: Where its networks run.
            progress: Told what is being done while it is compiled.

        Raises:
            WeightsError: It cannot be had or read.
        """
        spec = find_detector(detector_id)
        workers = threads or available_cores()
        pnet = prepare(spec.weights["pnet"], threads=1, device=device, progress=progress)
        rnet, onet = (
            prepare(spec.weights[name], threads=workers, device=device, progress=progress)
            for name in ("rnet", "onet")
        )
        detector = cls(pnet, rnet, onet, settings, workers=workers)
        detector._weights = tuple(weights.sha256 for weights in spec.weights.values())
        detector._made_by = partial(
            cls.from_pretrained, detector_id, settings, threads=threads, device=device
        )
        return detector

    def __reduce__(self) -> tuple[Callable[[], Self], tuple[()]]:
        """Pickle and copy it as what it was made of.

        Raises:
            TypeError: Its networks are the program's own.
        """
        if self._made_by is None:
            raise TypeError("an MTCNN with networks of your own cannot be pickled or copied")
        return self._made_by, ()

    @property
    def recipe(self) -> str:
        """What decides which faces are found, and where."""
        return f"mtcnn {self._weights} {self.settings}"

    def detect(self, image: Image) -> list[Face]:
        """Find the faces, the largest first.

        Args:
            image: (h, w, 3) uint8 RGB.

        Returns:
            Faces with boxes and landmarks in the image's own pixels.
        """
        require_image(image)
        image, scale = self._limit_size(image)
        look = partial(self._look, smallest=self._smallest(float(scale)))
        faces = look(image)
        if self.settings.thorough:
            faces = faces or look(image, scale_step=_FINE_SCALE_STEP)
            if self.settings.turned:
                faces = turn_upright(image, faces, look, self.judge)
        order = np.argsort(-areas(_boxes(faces)), kind="stable")
        return [
            replace(faces[index], box=faces[index].box / scale, landmarks=faces[index].landmarks / scale)
            for index in order
        ]

    def judge(self, image: Image, faces: Sequence[Face]) -> FloatArray:
        """How much faces look like faces after 0, 1, 2 and 3 quarter turns of the image, see `upright`.

        Args:
            image: (h, w, 3) uint8 RGB.
            faces: n faces of it.

        Returns:
            (n, 4) log-odds: the means of R-Net's for each window and its mirror image.
        """
        _, scores = _run_on_windows(self._rnet, image, square(_boxes(faces)), 24, _EVERY_WAY)
        return np.asarray(log_odds(scores).reshape(-1, 4, 2).mean(axis=2), np.float32)

    def _limit_size(self, image: Image) -> tuple[Image, np.float32]:
        """The image, smaller if need be, and the factor by which it was scaled."""
        height, width = image.shape[:2]
        limit = self.settings.longest_side
        if limit is None or max(height, width) <= limit:
            return image, np.float32(1)
        factor = limit / max(height, width)
        size = (max(round(width * factor), 1), max(round(height * factor), 1))
        return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8), np.float32(factor)

    def _smallest(self, scale: float) -> float:
        """The size of the smallest face to look for, in pixels of the image after it was scaled by this."""
        wanted = self.settings.min_face_size
        return max(wanted * scale, min(wanted, _SMALLEST_OF_SCALED))

    def _look(self, image: Image, *, smallest: float, scale_step: float = _SCALE_STEP) -> list[Face]:
        """All three networks."""
        boxes = self._propose(image, smallest, scale_step)
        boxes = self._refine(image, boxes)
        return self._finish(image, boxes)

    def _propose(self, image: Image, smallest: float, scale_step: float) -> FloatArray:
        """P-Net over the pyramid: (n, 4) boxes."""
        pyramid = build_pyramid(
            _scale_pixels(image),
            scale=_WINDOW / smallest,
            step=scale_step,
            border=self._border,
            smallest=_WINDOW - self._border,  # a window that sticks out on one side still fits
            fast=self.settings.thorough,
        )
        if not pyramid.levels:
            return np.empty((0, 4), np.float32)
        boxes, scores = self._proposals(pyramid, *self._scan(pyramid.canvas))
        return np.asarray(boxes[suppress(boxes, scores, 0.7)])

    def _proposals(
        self, pyramid: Pyramid, offsets: FloatArray, scores: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """P-Net's maps of the canvas -> the best boxes (n, 4) of each level, in the image's pixels."""
        rows, columns = np.nonzero(scores > self._thresholds[0])
        owners = _levels_of(pyramid.levels, rows, columns)
        rows, columns, owners = rows[owners >= 0], columns[owners >= 0], owners[owners >= 0]
        boxes = _boxes_of_windows(rows, columns, offsets[rows, columns])
        corners = np.array([(level.left, level.top) for level in pyramid.levels], np.float32) + self._border
        scales = np.array([level.scale for level in pyramid.levels], np.float32)
        boxes = (boxes - np.tile(corners[owners], 2)) / scales[owners, np.newaxis]
        box_scores = scores[rows, columns]
        # first within each level: levels in one part are moved so far apart that no box covers one of another
        first = pyramid.levels[0]
        far = np.float32(2 * max(first.width, first.height) / first.scale)
        apart = boxes + owners[:, np.newaxis].astype(np.float32) * far
        kept = np.concatenate(
            [
                part[suppress(apart[part], box_scores[part], 0.5)]
                for part in _parts(owners, len(pyramid.levels))
            ]
        )
        kept = kept[np.argsort(owners[kept], kind="stable")]
        return boxes[kept], box_scores[kept]

    def _scan(self, canvas: FloatArray) -> tuple[FloatArray, FloatArray]:
        """P-Net over a canvas, in bands: offsets (h', w', 4) and scores (h', w')."""
        rows = _windows_along(canvas.shape[0])
        least, most = (max(pixels // (_STRIDE * canvas.shape[1]), 1) for pixels in _BAND_PIXELS)
        height = min(max(-(-rows // self._workers), least), most)
        bands = [
            canvas[np.newaxis, _STRIDE * start : _STRIDE * (start + height - 1) + _WINDOW]
            for start in range(0, rows, height)
        ]
        run = map if len(bands) == 1 else self._pool.get().map
        outputs = list(run(self._pnet.run, bands))
        offsets, scores = (np.concatenate(parts, axis=1)[0] for parts in zip(*outputs, strict=True))
        return offsets, scores[:, :, 0]

    @property
    def _border(self) -> int:
        return _BORDER if self.settings.thorough else 0

    def _refine(self, image: Image, boxes: FloatArray) -> FloatArray:
        """R-Net on each proposal: fewer and better (n, 4) boxes."""
        boxes = square(boxes)
        offsets, scores = _run_on_windows(self._rnet, image, boxes, 24)
        good = scores[:, 0] > self._thresholds[1]
        boxes = _move(boxes[good], offsets[good])
        return np.asarray(boxes[suppress(boxes, scores[good, 0], 0.7)])

    def _finish(self, image: Image, boxes: FloatArray) -> list[Face]:
        """O-Net on each box (n, 4): the faces, the surest first."""
        boxes = square(boxes)
        offsets, points, scores = _run_on_windows(self._onet, image, boxes, 48)
        good = scores[:, 0] > self._thresholds[2]
        boxes, face_scores = boxes[good], scores[good, 0]
        landmarks = _place(_landmarks(points[good]), boxes)
        boxes = _move(boxes, offsets[good])
        kept = suppress(boxes, face_scores, 0.7, of_smaller=True)
        boxes, landmarks, face_scores = boxes[kept], landmarks[kept], face_scores[kept]
        uprightness = np.ones(len(boxes), np.float32)
        if self.settings.thorough:
            mirrored, mirror_scores = self._look_in_mirror(image, boxes)
            landmarks = (landmarks + mirrored) / 2
            uprightness = mirror_scores if self.settings.turned else uprightness
        return [
            Face(box, points, float(score), float(sure))
            for box, points, score, sure in zip(boxes, landmarks, face_scores, uprightness, strict=True)
        ]

    def _look_in_mirror(self, image: Image, boxes: FloatArray) -> tuple[FloatArray, FloatArray]:
        """O-Net on the mirror image of each face that was found (n, 4): landmarks (n, 5, 2), scores (n,)."""
        boxes = square(boxes)
        _, points, scores = _run_on_windows(self._onet, image, boxes, 48, _IN_A_MIRROR)
        landmarks = _landmarks(points)[:, _MIRRORED]
        landmarks[:, :, 0] = 1 - landmarks[:, :, 0]
        return _place(landmarks, boxes), scores[:, 0]


def _windows_along(pixels: int) -> int:
    """How many windows P-Net sees along a side; the last sticks out by a pixel if the side is odd."""
    return max((pixels - _WINDOW + 1) // _STRIDE + 1, 0)


def _scale_pixels(pixels: np.ndarray) -> FloatArray:
    scaled = pixels.astype(np.float32)
    scaled -= _GRAY
    scaled *= 1 / 128
    return scaled


def _levels_of(levels: list[Level], rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """The index of the level that each of P-Net's windows on the canvas (n,) is on; -1 between levels."""
    owners = np.full(len(rows), -1)
    for index, level in enumerate(levels):
        down, right = rows - level.top // _STRIDE, columns - level.left // _STRIDE
        inside = (down >= 0) & (down < _windows_along(level.height))
        owners[inside & (right >= 0) & (right < _windows_along(level.width))] = index
    return owners


def _parts(owners: np.ndarray, levels: int) -> list[np.ndarray]:
    """Indices of windows (n,) in parts: whole levels, small ones together, for each call has its price."""
    parts = [np.empty(0, np.int64)]
    for level in range(levels):
        own = np.flatnonzero(owners == level)
        if len(parts[-1]) + len(own) <= _FEW:
            parts[-1] = np.concatenate([parts[-1], own])
        else:
            parts.append(own)
    return parts


def _boxes_of_windows(rows: np.ndarray, columns: np.ndarray, offsets: FloatArray) -> FloatArray:
    """P-Net's windows (n,) with their offsets (n, 4) -> boxes (n, 4) in the canvas's pixels."""
    corners = np.stack([columns, rows], axis=1) * np.float32(_STRIDE)
    # the original counts pixels from 1 and calls a window of 12 pixels 11 wide
    windows = np.concatenate([corners + 1, corners + _WINDOW], axis=1)
    return np.asarray(windows + offsets * (_WINDOW - 1))


def _run_on_windows(
    network: Network,
    image: Image,
    boxes: FloatArray,
    size: int,
    ways: Sequence[tuple[int, int]] = _AS_IT_IS,
) -> list[np.ndarray]:
    """All outputs of a network for the windows of these boxes, each shown in all of these ways in turn."""
    at_once = _WINDOW_PIXELS // (size**2 * len(ways))
    starts = range(0, max(len(boxes), 1), at_once)
    parts = [
        network.run(_scale_pixels(_show(cut_windows(image, boxes[start : start + at_once], size), ways)))
        for start in starts
    ]
    return [np.concatenate(outputs) for outputs in zip(*parts, strict=True)]


def _show(windows: FloatArray, ways: Sequence[tuple[int, int]]) -> FloatArray:
    """Windows (n, s, s, 3) in w ways: (n * w, s, s, 3), those of one window side by side."""
    shown = [np.rot90(windows, turns, axes=(1, 2))[:, :, ::step] for turns, step in ways]
    return np.stack(shown, axis=1).reshape(-1, *windows.shape[1:])


def _boxes(faces: Sequence[Face]) -> FloatArray:
    """(n, 4)"""
    return np.array([face.box for face in faces], np.float32).reshape(-1, 4)


def _landmarks(points: FloatArray) -> FloatArray:
    """O-Net's points (n, 10), first all x, then all y -> landmarks (n, 5, 2), in parts of the window."""
    return np.asarray(points.reshape(-1, 2, 5).transpose(0, 2, 1))


def _place(landmarks: FloatArray, windows: FloatArray) -> FloatArray:
    """Landmarks (n, 5, 2) in parts of their windows (n, 4) -> in the image's pixels."""
    corners, sides = windows[:, np.newaxis, :2] - 1, (windows[:, 2:] - windows[:, :2] + 1)[:, np.newaxis]
    return np.asarray(corners + landmarks * sides)


def _move(boxes: FloatArray, offsets: FloatArray) -> FloatArray:
    sides = boxes[:, 2:] - boxes[:, :2] + 1  # pixels counted as the original counts them
    return boxes + offsets * np.tile(sides, 2)
