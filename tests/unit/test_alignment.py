import cv2
import numpy as np
import pytest

from kith.alignment import align, share_inside, similarity_transform
from kith.catalogue.families import FAMILIES
from kith.catalogue.preprocessing import DLIB_CROP, AffineCrop, MarginCrop, MarginUnit, resize_template
from kith.detection.upright import turn_back
from kith.records import Face

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


def test_an_affine_crop_brings_three_points_exactly_to_their_places() -> None:
    rule = FAMILIES["openface"].crop
    assert isinstance(rule, AffineCrop)
    landmarks = np.array([[60, 80], [130, 70], [90, 140], [70, 170], [120, 165]], np.float32)
    image = np.zeros((240, 240, 3), np.uint8)
    for x, y in landmarks[:3].astype(int):
        cv2.circle(image, (int(x), int(y)), 4, (255, 255, 255), -1)
    (crop,) = align(image, [Face(np.array([40, 40, 160, 200], np.float32), landmarks, 1.0)], rule)
    count, _, _, centroids = cv2.connectedComponentsWithStats((crop[:, :, 0] > 127).astype(np.uint8))
    assert count == 4
    np.testing.assert_allclose(sorted(centroids[1:].tolist()), sorted(rule.template), atol=0.8)


def test_an_affine_crop_of_points_in_a_line_is_a_similarity() -> None:
    landmarks = np.array([[10, 10], [20, 20], [30, 30], [40, 40], [50, 50]], np.float32)
    face = Face(np.array([0, 0, 60, 60], np.float32), landmarks, 1.0)
    (crop,) = align(np.full((60, 60, 3), 200, np.uint8), [face], FAMILIES["openface"].crop)
    assert crop.max() == 200


GRADIENT = np.zeros((200, 200, 3), np.uint8)
GRADIENT[:, :, 0] = np.arange(200)
GRADIENT[:, :, 1] = np.arange(200)[:, np.newaxis]
"""Red says the column, green the row."""


@pytest.mark.parametrize(
    ("unit", "margin", "expected"),
    [
        (MarginUnit.SOURCE, 32, (44, 34, 156, 166)),  # 16 pixels on each side, whatever the box
        (MarginUnit.CROP, 40, (46, 33, 153, 166)),  # 40 of 160 is a third of the box's 80 x 100
    ],
)
def test_a_margin_grows_the_box(unit: MarginUnit, margin: int, expected: tuple[int, ...]) -> None:
    face = Face(np.array([60, 50, 140, 150], np.float32), np.zeros((5, 2), np.float32), 1.0)
    (crop,) = align(GRADIENT, [face], MarginCrop(160, margin, unit))
    left, top, right, bottom = expected
    assert crop.shape == (160, 160, 3)  # squashed: 112 x 132 pixels become a square
    assert (crop[80, 0, 0], crop[80, -1, 0]) == pytest.approx((left, right - 1), abs=1)
    assert (crop[0, 80, 1], crop[-1, 80, 1]) == pytest.approx((top, bottom - 1), abs=1)


def test_a_margin_ends_at_the_images_edge() -> None:
    face = Face(np.array([-20, 150, 90, 260], np.float32), np.zeros((5, 2), np.float32), 1.0)
    (crop,) = align(GRADIENT, [face], MarginCrop(160, 32, MarginUnit.SOURCE))
    assert (int(crop[80, 0, 0]), int(crop[-1, 80, 1])) == pytest.approx((0, 199), abs=1)


def test_a_box_outside_the_image_gives_a_crop_all_the_same() -> None:
    face = Face(np.array([300, 300, 400, 400], np.float32), np.zeros((5, 2), np.float32), 1.0)
    assert align(GRADIENT, [face], MarginCrop(160, 32, MarginUnit.SOURCE)).shape == (1, 160, 160, 3)


def test_a_template_at_another_size_shows_the_same_part() -> None:
    """Pixels are points: the middle of 150 is 74.5, and of 75 it is 37."""
    half = resize_template(resize_template(DLIB_CROP, 150), 75)
    np.testing.assert_allclose(
        np.array(half.template) - 37,
        (np.array(resize_template(DLIB_CROP, 150).template) - 74.5) / 2,
        atol=1e-9,
    )
    zoomed = resize_template(DLIB_CROP, DLIB_CROP.size, zoom=2)
    middle = (DLIB_CROP.size - 1) / 2
    np.testing.assert_allclose(
        np.array(zoomed.template) - middle, 2 * (np.array(DLIB_CROP.template) - middle), atol=1e-9
    )


@pytest.mark.parametrize("family", ["sandberg-2017", "facenet-pytorch", "openface"])
@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_face_that_lies_turned_gives_the_crop_of_the_upright_one(family: str, turns: int) -> None:
    image = cv2.GaussianBlur(np.random.default_rng(5).integers(0, 255, (81, 64, 3), np.uint8), (0, 0), 3)
    landmarks = np.array([[25, 30], [41, 31], [32, 42], [26, 50], [39, 51]], np.float32)
    upright = Face(np.array([15, 18, 51, 62], np.float32), landmarks, 0.9)
    lying = np.rot90(image, -turns)
    rule = FAMILIES[family].crop
    (wanted,) = align(image, [upright], rule)
    (crop,) = align(lying, [turn_back(upright, turns, lying.shape)], rule)
    assert np.abs(crop.astype(int) - wanted).mean() < 2  # boxes are rounded towards zero


def placed(scale: float, x: float, y: float, degrees: float = 0) -> Face:
    """A face whose crop is this much larger in the image, turned, with its middle here."""
    angle = np.deg2rad(degrees)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = (TEMPLATE - (DLIB_CROP.size - 1) / 2) @ turn.T + [x, y]
    return Face(np.array([x - 20, y - 20, x + 20, y + 20], np.float32), points.astype(np.float32), 1.0)


@pytest.mark.parametrize("degrees", [0, 90, 180, 30])
def test_the_share_of_a_crop_that_is_inside_the_image(degrees: float) -> None:
    image = np.zeros((300, 400, 3), np.uint8)
    assert share_inside(image, placed(1, 200, 150, degrees), DLIB_CROP) == pytest.approx(1)
    assert share_inside(image, placed(1, -0.5, 150, degrees), DLIB_CROP) == pytest.approx(0.5, abs=1e-3)
    assert share_inside(image, placed(1, 399.5, 299.5, degrees), DLIB_CROP) == pytest.approx(0.25, abs=1e-3)
    assert share_inside(image, placed(1, -500, 150, degrees), DLIB_CROP) == 0


def test_the_share_inside_is_that_of_the_pixels_that_are_not_black() -> None:
    image, face = np.full((300, 400, 3), 255, np.uint8), placed(1.3, 20, 260, 17)
    (crop,) = align(image, [face], DLIB_CROP)
    assert share_inside(image, face, DLIB_CROP) == pytest.approx(crop.mean() / 255, abs=0.005)


def test_the_share_inside_of_a_box_counts_its_margin() -> None:
    image, box = np.zeros((300, 400, 3), np.uint8), np.array([0, 100, 40, 140], np.float32)
    rule = MarginCrop(size=80, margin=40, unit=MarginUnit.SOURCE)
    assert share_inside(image, Face(box, np.zeros((5, 2), np.float32), 1.0), rule) == pytest.approx(0.75)
