from dataclasses import replace

import cv2
import numpy as np
import pytest

from kith.quality import ENROLL_LIMITS, GOOD_LIMITS, IDENTIFY_LIMITS, assess, why_unfit
from kith.records import Face, Quality

FRONTAL = np.array([[40, 50], [80, 50], [60, 75], [45, 95], [75, 95]], np.float32)


def noise_crop(blur: float = 0) -> np.ndarray:
    crop = np.random.default_rng(0).integers(0, 256, (150, 150, 3)).astype(np.uint8)
    return cv2.GaussianBlur(crop, (0, 0), blur) if blur else crop


def face(landmarks: np.ndarray, score: float = 0.99) -> Face:
    return Face(np.array([20, 20, 100, 120], np.float32), landmarks, score)


def test_a_frontal_face_is_not_turned() -> None:
    quality = assess(face(FRONTAL), noise_crop())
    assert quality.eye_distance == pytest.approx(40)
    assert quality.turn == pytest.approx(0)


def test_turn_does_not_depend_on_how_the_head_is_tilted() -> None:
    turned = FRONTAL.copy()
    turned[2, 0] += 20
    angle = np.deg2rad(30)
    tilt = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], np.float32)
    upright, tilted = (assess(face(points), noise_crop()) for points in (turned, turned @ tilt.T))
    assert upright.turn == pytest.approx(0.5)
    assert tilted.turn == pytest.approx(0.5, abs=1e-4)


def test_blur_lowers_sharpness() -> None:
    values = [assess(face(FRONTAL), noise_crop(blur)).sharpness for blur in (0, 1, 3, 8)]
    assert values == sorted(values, reverse=True)
    assert values[-1] < values[0] / 10


def test_a_plain_crop_is_measured_without_dividing_by_zero() -> None:
    assert assess(face(FRONTAL), np.full((150, 150, 3), 90, np.uint8)).sharpness == 0


GOOD = Quality(
    eye_distance=60,
    turn=0.1,
    sharpness=0.2,
    brightness=0.5,
    detection_score=0.99,
    uprightness=0.999,
    recognizability=1.0,
)


def test_a_good_face_is_fit() -> None:
    assert why_unfit(GOOD, ENROLL_LIMITS) == ""


@pytest.mark.parametrize(
    ("quality", "reason"),
    [
        (replace(GOOD, eye_distance=5), "too small"),
        (replace(GOOD, turn=3.0), "profile"),
        (replace(GOOD, sharpness=0.001), "blurred"),
        (replace(GOOD, brightness=0.01), "too dark"),
        (replace(GOOD, brightness=0.99), "too bright"),
        (replace(GOOD, detection_score=0.1), "may not be a face"),
        (replace(GOOD, uprightness=0.3), "not upright"),
        (replace(GOOD, recognizability=0.1), "hardly be recognized"),
    ],
)
def test_what_is_wrong_is_said(quality: Quality, reason: str) -> None:
    assert reason in why_unfit(quality, IDENTIFY_LIMITS)
    assert reason in why_unfit(quality, ENROLL_LIMITS)


def test_enrolment_is_stricter() -> None:
    small = replace(GOOD, eye_distance=10)
    assert why_unfit(small, ENROLL_LIMITS)
    assert not why_unfit(small, IDENTIFY_LIMITS)


def test_a_mediocre_reference_is_enrolled_with_a_warning() -> None:
    mediocre = replace(GOOD, eye_distance=18)
    assert not why_unfit(mediocre, ENROLL_LIMITS)
    assert why_unfit(mediocre, GOOD_LIMITS)
    assert not why_unfit(GOOD, GOOD_LIMITS)


def test_brightness_is_the_mean_gray() -> None:
    assert assess(face(FRONTAL), np.full((150, 150, 3), 51, np.uint8)).brightness == pytest.approx(0.2)
