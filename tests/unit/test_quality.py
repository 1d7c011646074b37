from dataclasses import fields, replace
from itertools import pairwise

import cv2
import numpy as np
import pytest

from kith.catalogue.builtin import EMBEDDERS
from kith.quality import assess, limits_of, why_unfit
from kith.records import Face, Quality

LIMITS = limits_of("dlib-resnet29", "mtcnn")
FRONTAL = np.array([[40, 50], [80, 50], [60, 75], [45, 95], [75, 95]], np.float32)


def noise_crop(blur: float = 0) -> np.ndarray:
    crop = np.random.default_rng(0).integers(0, 256, (150, 150, 3)).astype(np.uint8)
    return cv2.GaussianBlur(crop, (0, 0), blur) if blur else crop


def face(landmarks: np.ndarray, score: float = 0.99) -> Face:
    return Face(np.array([20, 20, 100, 120], np.float32), landmarks, score)


def test_what_is_known_of_a_face_is_told() -> None:
    quality = assess(face(FRONTAL, 0.9), noise_crop(), inside=0.7, recognizability=0.4)
    assert quality.eye_distance == pytest.approx(40)
    assert (quality.inside, quality.detection_score, quality.uprightness) == (0.7, 0.9, 1)
    assert quality.recognizability == 0.4


def test_a_nose_beside_the_eyes_is_a_profile() -> None:
    turned = FRONTAL.copy()
    turned[2, 0] -= 22
    quality = assess(face(turned), noise_crop())
    assert quality.yaw < -50
    assert why_unfit(quality, LIMITS.identify) == "the face is in profile"
    assert not why_unfit(assess(face(FRONTAL), noise_crop()), LIMITS.identify)


def test_blur_lowers_sharpness() -> None:
    values = [assess(face(FRONTAL), noise_crop(blur)).sharpness for blur in (0, 3, 6, 12)]
    assert values == sorted(values, reverse=True)
    assert values[-1] < values[0] / 10


def test_sharpness_is_of_the_face_and_not_of_noise_or_what_is_around() -> None:
    blurred = noise_crop(8)
    noisy = np.clip(blurred + np.random.default_rng(1).normal(0, 4, blurred.shape), 0, 255).astype(np.uint8)
    framed = blurred.copy()
    framed[:36], framed[-36:] = noise_crop()[:36], noise_crop()[-36:]
    sharp, *others = (
        assess(face(FRONTAL), crop).sharpness for crop in (noise_crop(), blurred, noisy, framed)
    )
    assert all(other < sharp / 4 for other in others)


def test_sharpness_does_not_depend_on_the_size_of_the_crop() -> None:
    crop = noise_crop(4)
    small = cv2.resize(crop, (112, 112), interpolation=cv2.INTER_AREA)
    first, second = (assess(face(FRONTAL), one).sharpness for one in (crop, small))
    assert first == pytest.approx(second, rel=0.1)


def test_a_plain_crop_is_measured_without_dividing_by_zero() -> None:
    assert assess(face(FRONTAL), np.full((150, 150, 3), 90, np.uint8)).sharpness == 0


GOOD = Quality(
    eye_distance=60,
    yaw=-8.0,
    inside=1.0,
    sharpness=1.0,
    brightness=0.5,
    detection_score=0.99,
    uprightness=0.999,
    recognizability=1.0,
)


def test_a_good_face_is_fit() -> None:
    assert why_unfit(GOOD, LIMITS.enroll) == ""


@pytest.mark.parametrize(
    ("quality", "reason"),
    [
        (replace(GOOD, eye_distance=5), "too small"),
        (replace(GOOD, yaw=-70), "profile"),
        (replace(GOOD, yaw=70), "profile"),
        (replace(GOOD, inside=0.5), "edge cuts"),
        (replace(GOOD, sharpness=0.2), "blurred"),
        (replace(GOOD, brightness=0.01), "too dark"),
        (replace(GOOD, brightness=0.99), "too bright"),
        (replace(GOOD, detection_score=0.1), "may not be a face"),
        (replace(GOOD, uprightness=0.3), "not upright"),
        (replace(GOOD, recognizability=0.1), "hardly be recognized"),
    ],
)
def test_what_is_wrong_is_said(quality: Quality, reason: str) -> None:
    assert reason in why_unfit(quality, LIMITS.identify)
    assert reason in why_unfit(quality, LIMITS.enroll)


def test_enrolment_is_stricter() -> None:
    small = replace(GOOD, eye_distance=10)
    assert why_unfit(small, LIMITS.enroll)
    assert not why_unfit(small, LIMITS.identify)


def test_a_mediocre_reference_is_enrolled_with_a_warning() -> None:
    mediocre = replace(GOOD, eye_distance=18)
    assert not why_unfit(mediocre, LIMITS.enroll)
    assert why_unfit(mediocre, LIMITS.good)
    assert not why_unfit(GOOD, LIMITS.good)


def test_brightness_is_the_mean_gray() -> None:
    assert assess(face(FRONTAL), np.full((150, 150, 3), 51, np.uint8)).brightness == pytest.approx(0.2)


@pytest.mark.parametrize("detector", ["mtcnn", "yunet-s", "scrfd-10g", "another"])
@pytest.mark.parametrize("embedder", [*EMBEDDERS, "a model of one's own"])
def test_limits_of_every_pair_rise_from_identifying_to_a_good_reference(embedder: str, detector: str) -> None:
    for looser, stricter in pairwise(limits_of(embedder, detector)):
        assert looser != stricter
        for one in fields(looser):
            assert one.name.startswith(("min_", "max_"))
            way = 1 if one.name.startswith("min") else -1
            assert way * getattr(stricter, one.name) >= way * getattr(looser, one.name)


def test_a_detector_and_an_embedder_each_bring_their_own_limits() -> None:
    embedders, detectors = (*EMBEDDERS, "another"), ("mtcnn", "yunet-s", "scrfd-10g")
    assert len({limits_of(embedder, detector) for embedder in embedders for detector in detectors}) == 9
    assert limits_of("kith-mini+yunet-n", "yunet-n") == limits_of("kith-mini", "yunet-s")
