"""What makes a face unfit to enroll or to decide on."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import cv2
import numpy as np

from kith.pose import pose_of
from kith.records import Face, Quality

_MIN_CONTRAST = 10.0  # gray levels; below it, what looks sharp is rounding
_SEEN = 40  # pixels of a crop's side: so coarse, blur that matters shows, and noise does not
_MIDDLE = slice(_SEEN // 4, -_SEEN // 4)  # of them, the face without hair and background


@dataclass(frozen=True, slots=True)
class QualityLimits:
    """What a face must reach."""

    min_eye_distance: float
    max_yaw: float
    min_inside: float
    min_sharpness: float
    min_brightness: float
    max_brightness: float
    min_detection_score: float
    min_uprightness: float
    min_recognizability: float


class Limits(NamedTuple):
    """The limits of a pair of detector and embedder.

    Attributes:
        identify: Below this a decision would be a guess.
        enroll: Stricter: a bad reference harms every later search.
        good: What a good reference reaches; one that does not is enrolled with a warning.
    """

    identify: QualityLimits
    enroll: QualityLimits
    good: QualityLimits


_USUAL = Limits(
    identify=QualityLimits(
        min_eye_distance=8,
        max_yaw=45,
        min_inside=0.6,
        min_sharpness=0.5,
        min_brightness=0.06,
        max_brightness=0.96,
        min_detection_score=0.5,
        min_uprightness=0.7,
        min_recognizability=0.45,
    ),
    enroll=QualityLimits(
        min_eye_distance=14,
        max_yaw=45,
        min_inside=0.7,
        min_sharpness=0.6,
        min_brightness=0.08,
        max_brightness=0.92,
        min_detection_score=0.6,
        min_uprightness=0.9,
        min_recognizability=0.6,
    ),
    good=QualityLimits(
        min_eye_distance=24,
        max_yaw=35,
        min_inside=0.9,
        min_sharpness=0.7,
        min_brightness=0.15,
        max_brightness=0.85,
        min_detection_score=0.7,
        min_uprightness=0.98,
        min_recognizability=0.68,
    ),
)
"""Of a detector and an embedder of which nothing else was measured."""

_MEASURED: Mapping[str, Mapping[str, tuple[float, float, float]]] = {
    "mtcnn": {"min_detection_score": (0.8, 0.85, 0.9)},
    "yunet": {"min_detection_score": (0.82, 0.86, 0.885)},
    "scrfd": {"min_detection_score": (0.62, 0.68, 0.74)},
    "dlib-resnet29": {"min_recognizability": (0.6, 0.65, 0.7)},
    "kith-mini": {"min_recognizability": (0.58, 0.62, 0.7)},
}
"""What a kind of detector, or an embedder, asks for otherwise: to identify, to enroll, of a good reference.
Chosen on damaged photos of LFW: docs/decisions/0019-quality-that-tells.md."""


def limits_of(embedder_id: str, detector_id: str) -> Limits:
    """The limits of a pair: what was measured of its detector's kind and of its embedder, else the usual.

    Args:
        embedder_id: The embedder's name, or that of its pair with the detector: EMBEDDER+DETECTOR.
        detector_id: The detector's, such as yunet-s, of the kind yunet.
    """
    parts = (detector_id.partition("-")[0], embedder_id.partition("+")[0])
    otherwise = {name: values for part in parts for name, values in _MEASURED.get(part, {}).items()}
    return Limits(
        *(
            replace(limits, **{name: values[place] for name, values in otherwise.items()})
            for place, limits in enumerate(_USUAL)
        )
    )


def assess(face: Face, crop: np.ndarray, *, inside: float = 1.0, recognizability: float = 1.0) -> Quality:
    """Measure a face.

    Args:
        face: The face in its image.
        crop: (s, s, 3) uint8, its aligned crop.
        inside: How much of the crop is from inside the image, see `kith.alignment.share_inside`.
        recognizability: Of its embedding, see `kith.decisions.calibration.Calibration`.
    """
    gray = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    return Quality(
        eye_distance=float(np.hypot(*(face.landmarks[1] - face.landmarks[0]).astype(np.float64))),
        yaw=pose_of(face.landmarks).yaw,
        inside=inside,
        sharpness=_sharpness(gray),
        brightness=float(gray.mean()) / 255,
        detection_score=face.detection_score,
        uprightness=face.uprightness,
        recognizability=recognizability,
    )


def _sharpness(gray: np.ndarray) -> float:
    coarse = cv2.resize(gray, (_SEEN, _SEEN), interpolation=cv2.INTER_AREA)
    edges = cv2.Laplacian(coarse, cv2.CV_32F)[_MIDDLE, _MIDDLE]
    return float(edges.std()) / max(float(coarse[_MIDDLE, _MIDDLE].std()), _MIN_CONTRAST)


def why_unfit(quality: Quality, limits: QualityLimits) -> str:
    """What a face falls short of, in a few words; empty if it is fit."""
    if quality.eye_distance < limits.min_eye_distance:
        return f"the face is too small ({quality.eye_distance:.0f} pixels between the eyes)"
    if quality.inside < limits.min_inside:
        return "the photo's edge cuts the face"
    if quality.detection_score < limits.min_detection_score:
        return f"it may not be a face (detection score {quality.detection_score:.2f})"
    if quality.uprightness < limits.min_uprightness:
        return "the face is not upright, or it is hidden in part"
    if abs(quality.yaw) > limits.max_yaw:
        return "the face is in profile"
    if quality.brightness < limits.min_brightness:
        return "the face is too dark"
    if quality.brightness > limits.max_brightness:
        return "the face is too bright"
    if quality.sharpness < limits.min_sharpness:
        return "the face is blurred"
    if quality.recognizability < limits.min_recognizability:
        return "the face can hardly be recognized"
    return ""
