"""How each kind of detector sees one face: where its landmarks lie, and how its box frames it.

Detectors learned from different hands: each sees the eyes a little elsewhere. So a crop rule that was
measured with one kind of detector is told anew for another; one that is meant for all of them stays as it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from kith.catalogue.preprocessing import DLIB_CHIP, AffineCrop, CropRule, MarginCrop, Point
from kith.catalogue.spec import DetectorKind

LANDMARKS: Mapping[DetectorKind, tuple[Point, ...]] = {
    DetectorKind.MTCNN: DLIB_CHIP.template,
    DetectorKind.YUNET: ((45.0, 45.2), (100.8, 45.4), (72.1, 78.5), (48.3, 103.6), (96.5, 103.9)),
    DetectorKind.SCRFD: ((45.7, 45.8), (100.7, 46.3), (73.0, 77.6), (49.8, 104.0), (96.5, 104.2)),
}
"""Where each kind sees the five landmarks in the chips that dlib cuts, in pixels of 150: the mean of 150 to
300 people who are in none of LFW's pairs (`tools/measure_dlib_template.py`; deviation 2 to 6 pixels)."""

FRAMES: Mapping[DetectorKind, tuple[float, float, float, float]] = {
    DetectorKind.MTCNN: (0.0, 0.0, 1.0, 1.0),
    DetectorKind.YUNET: (-0.003, 0.024, 0.968, 0.972),
    DetectorKind.SCRFD: (-0.004, 0.030, 0.965, 0.970),
}
"""Where MTCNN's box lies in that of each kind: x1, y1, x2, y2 in parts of its width and height, in the median
of the same faces (deviation 0.03)."""


def crop_for(crop: CropRule, kind: DetectorKind) -> CropRule:
    """A crop rule as it is said of the landmarks and the box of a kind of detector.

    Args:
        crop: An embedder's rule; one that is meant for all detectors is returned as it is.
        kind: The kind.
    """
    if crop.seen_by in ("", kind):
        return crop
    if isinstance(crop, MarginCrop):
        return replace(crop, frame=FRAMES[kind], seen_by=kind)
    before, after = LANDMARKS[DetectorKind(crop.seen_by)], LANDMARKS[kind]
    points = _carry(after, before[: len(crop.template)], crop.template)
    if isinstance(crop, AffineCrop):
        eye, other_eye, nose, *_ = points
        return replace(crop, template=(eye, other_eye, nose), seen_by=kind)
    return replace(crop, template=points, seen_by=kind)


def _carry(points: Sequence[Point], before: Sequence[Point], after: Sequence[Point]) -> tuple[Point, ...]:
    """Points after the affine map, in least squares, that brings some points to others."""
    known = np.column_stack([np.array(before), np.ones(len(before))])
    carry = np.linalg.lstsq(known, np.array(after), rcond=None)[0]
    carried = np.column_stack([np.array(points), np.ones(len(points))]) @ carry
    return tuple((round(float(x), 4), round(float(y), 4)) for x, y in carried)
