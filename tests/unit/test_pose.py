import numpy as np
import pytest

from kith.catalogue.preprocessing import ARCFACE_CROP
from kith.pose import pose_of

FACE = np.array([(-31.5, -36, 30), (31.5, -36, 30), (0, 0, 0), (-26, 36.5, 22), (26, 36.5, 22)])


def turn(degrees: float, first: int, second: int) -> np.ndarray:
    """(3, 3): from one axis to another."""
    angle, rotation = np.deg2rad(degrees), np.eye(3)
    rotation[[first, second], [first, second]] = np.cos(angle)
    rotation[second, first], rotation[first, second] = np.sin(angle), -np.sin(angle)
    return rotation


def seen(yaw: float, pitch: float, tilt: float, scale: float = 0.7) -> np.ndarray:
    """Where the landmarks are in an image of a head that looks to the right, down, and is tilted."""
    rotation = turn(tilt, 0, 1) @ turn(pitch, 1, 2) @ turn(yaw, 0, 2)
    return ((FACE @ rotation.T)[:, :2] * scale + [90, 130]).astype(np.float32)


@pytest.mark.parametrize("tilt", [0, 35, 90, 180, -120])
@pytest.mark.parametrize(
    ("yaw", "pitch"), [(0, 0), (40, 0), (-70, 0), (0, 25), (0, -25), (50, 20), (-60, -15)]
)
def test_the_pose_is_found_however_the_face_is_tilted(yaw: float, pitch: float, tilt: float) -> None:
    found = pose_of(seen(yaw, pitch, tilt))
    assert found.yaw == pytest.approx(yaw, abs=0.5)
    assert found.pitch == pytest.approx(pitch, abs=0.5)


def test_a_nose_to_the_right_looks_to_the_right_and_a_low_one_down() -> None:
    frontal = np.array(ARCFACE_CROP.template, np.float32)
    assert np.abs(pose_of(frontal)).max() < 5
    aside, below = frontal.copy(), frontal.copy()
    aside[2, 0] += 8
    below[2, 1] += 8
    assert pose_of(aside).yaw > 15
    assert pose_of(below).pitch > 15


def test_landmarks_in_one_point_have_a_pose_of_finite_numbers() -> None:
    assert np.isfinite(pose_of(np.zeros((5, 2), np.float32))).all()
