import cv2
import numpy as np
import pytest

from kith.alignment import align, similarity_transform
from kith.records import Face
from kith.weights.preprocessing import DLIB_CROP

TEMPLATE = np.array(DLIB_CROP.template, np.float32)


def plain_similarity(points: np.ndarray, template: np.ndarray) -> np.ndarray:
    """The same least squares, written as four unknowns and solved by NumPy."""
    rows, values = [], []
    for (x, y), (u, v) in zip(points, template, strict=True):
        rows += [[x, -y, 1, 0], [y, x, 0, 1]]
        values += [u, v]
    a, b, tx, ty = np.linalg.lstsq(np.array(rows), np.array(values), rcond=None)[0]
    return np.array([[a, -b, tx], [b, a, ty]])


@pytest.mark.parametrize("seed", range(5))
def test_similarity_equals_plain_least_squares(seed: int) -> None:
    points = TEMPLATE * 1.7 + np.random.default_rng(seed).normal(0, 4, (5, 2)).astype(np.float32) + 30
    expected = plain_similarity(points.astype(np.float64), TEMPLATE.astype(np.float64))
    np.testing.assert_allclose(similarity_transform(points, TEMPLATE), expected, atol=1e-6)


def test_similarity_undoes_turn_scale_and_shift() -> None:
    angle, scale = np.deg2rad(25), 2.4
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = (TEMPLATE @ turn.T + [100, 40]).astype(np.float32)
    transform = similarity_transform(points, TEMPLATE)
    mapped = points @ transform[:, :2].T + transform[:, 2]
    np.testing.assert_allclose(mapped, TEMPLATE, atol=1e-3)


def test_points_that_coincide_give_a_shift() -> None:
    transform = similarity_transform(np.zeros((5, 2), np.float32), TEMPLATE)
    assert np.isfinite(transform).all()


@pytest.mark.parametrize("scale", [1.0, 3.0, 7.3])  # the larger ones are shrunk first
def test_features_land_on_the_template(scale: float) -> None:
    size = int(200 * scale)
    landmarks = ((TEMPLATE + [20, 30]) * scale).astype(np.float32)
    image = np.zeros((size, size, 3), np.uint8)
    for x, y in landmarks:
        cv2.circle(image, (round(float(x)), round(float(y))), round(3 * scale), (255, 255, 255), -1)
    face = Face(np.array([0, 0, size, size], np.float32), landmarks, 1.0)
    (crop,) = align(image, [face], DLIB_CROP)
    count, _, _, centroids = cv2.connectedComponentsWithStats((crop[:, :, 0] > 127).astype(np.uint8))
    assert count == 6
    found = sorted(centroids[1:].tolist())
    np.testing.assert_allclose(found, sorted(TEMPLATE.tolist()), atol=0.6)


def test_outside_the_image_is_black() -> None:
    face = Face(np.zeros(4, np.float32), TEMPLATE - 75, 1.0)
    (crop,) = align(np.full((150, 150, 3), 200, np.uint8), [face], DLIB_CROP)
    assert crop[0, 0].tolist() == [0, 0, 0]
    assert crop[-1, -1].tolist() == [200, 200, 200]


def test_no_faces_give_no_crops() -> None:
    assert align(np.zeros((10, 10, 3), np.uint8), [], DLIB_CROP).shape == (
        0,
        DLIB_CROP.size,
        DLIB_CROP.size,
        3,
    )


def test_a_wrong_shape_is_named() -> None:
    with pytest.raises(ValueError, match=r"image must have shape \(n, n, 3\), got \(10, 10\)"):
        align(np.zeros((10, 10), np.uint8), [], DLIB_CROP)
