"""What makes a face unfit to enroll or to decide on."""

from dataclasses import dataclass

import cv2
import numpy as np

from kith.records import Face, Quality

_MIN_CONTRAST = 10.0  # gray levels; below it, what looks sharp is rounding


@dataclass(frozen=True, slots=True)
class QualityLimits:
    """What a face must reach."""

    min_eye_distance: float
    max_turn: float
    min_sharpness: float
    min_brightness: float
    max_brightness: float
    min_detection_score: float
    min_uprightness: float
    min_recognizability: float


IDENTIFY_LIMITS = QualityLimits(
    min_eye_distance=8,
    max_turn=1.5,
    min_sharpness=0.01,
    min_brightness=0.04,
    max_brightness=0.96,
    min_detection_score=0.8,
    min_uprightness=0.5,
    min_recognizability=0.45,
)
"""Below this a decision would be a guess."""

ENROLL_LIMITS = QualityLimits(
    min_eye_distance=14,
    max_turn=1.0,
    min_sharpness=0.02,
    min_brightness=0.08,
    max_brightness=0.92,
    min_detection_score=0.85,
    min_uprightness=0.9,
    min_recognizability=0.6,
)
"""Stricter: a bad reference harms every later search."""

GOOD_LIMITS = QualityLimits(
    min_eye_distance=24,
    max_turn=0.6,
    min_sharpness=0.04,
    min_brightness=0.15,
    max_brightness=0.85,
    min_detection_score=0.9,
    min_uprightness=0.98,
    min_recognizability=0.68,
)
"""What a good reference reaches; one that does not is enrolled with a warning."""


def assess(face: Face, crop: np.ndarray, recognizability: float = 1.0) -> Quality:
    """Measure a face.

    Args:
        face: The face in its image.
        crop: (s, s, 3) uint8, its aligned crop.
        recognizability: Of its embedding, see `kith.decisions.calibration.Calibration`.
    """
    left, right, nose = face.landmarks[:3].astype(np.float64)
    across = right - left
    distance = float(np.hypot(*across))
    unit = across / max(distance, 1e-6)
    turn = abs(float(np.dot(nose - (left + right) / 2, unit))) / max(distance, 1e-6)
    gray = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    sharpness = float(cv2.Laplacian(gray, cv2.CV_32F).std() / max(float(gray.std()), _MIN_CONTRAST))
    brightness = float(gray.mean()) / 255
    return Quality(
        distance,
        turn,
        sharpness,
        brightness,
        face.detection_score,
        face.uprightness,
        recognizability,
    )


def why_unfit(quality: Quality, limits: QualityLimits) -> str:
    """What a face falls short of, in a few words; empty if it is fit."""
    if quality.eye_distance < limits.min_eye_distance:
        return f"the face is too small ({quality.eye_distance:.0f} pixels between the eyes)"
    if quality.detection_score < limits.min_detection_score:
        return f"it may not be a face (detection score {quality.detection_score:.2f})"
    if quality.uprightness < limits.min_uprightness:
        return "the face is not upright"
    if quality.turn > limits.max_turn:
        return "the face is in profile"
    if quality.sharpness < limits.min_sharpness:
        return "the face is blurred"
    if quality.brightness < limits.min_brightness:
        return "the face is too dark"
    if quality.brightness > limits.max_brightness:
        return "the face is too bright"
    if quality.recognizability < limits.min_recognizability:
        return "the face can hardly be recognized"
    return ""
