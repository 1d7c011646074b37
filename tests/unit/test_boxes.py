import numpy as np
import pytest

from kith.boxes import areas, overlap, overlaps, square, suppress


def plain_overlap(a: np.ndarray, b: np.ndarray, of_smaller: bool) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    common = max(width, 0) * max(height, 0)
    first, second = (a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1])
    return common / (min(first, second) if of_smaller else first + second - common)


def plain_suppress(boxes: np.ndarray, scores: np.ndarray, limit: float, of_smaller: bool) -> list[int]:
    order = sorted(range(len(boxes)), key=lambda index: (-scores[index], index))
    return [
        index
        for place, index in enumerate(order)
        if all(plain_overlap(boxes[better], boxes[index], of_smaller) <= limit for better in order[:place])
    ]


def random_boxes(count: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    corners = random.uniform(0, 60, (count, 2))
    return np.concatenate([corners, corners + random.uniform(5, 40, (count, 2))], axis=1).astype(np.float32)


@pytest.mark.parametrize("of_smaller", [False, True])
def test_overlaps_equal_a_plain_loop(of_smaller: bool) -> None:
    first, second = random_boxes(20, 1), random_boxes(15, 2)
    expected = [[plain_overlap(a, b, of_smaller) for b in second] for a in first]
    np.testing.assert_allclose(overlaps(first, second, of_smaller=of_smaller), expected, atol=1e-5)


@pytest.mark.parametrize("of_smaller", [False, True])
@pytest.mark.parametrize("count", [0, 1, 40, 700])  # more than one block of rows
def test_suppress_equals_a_plain_loop(count: int, of_smaller: bool) -> None:
    boxes = random_boxes(count, 3)
    scores = np.random.default_rng(4).integers(0, 20, count) / 20  # with ties
    kept = suppress(boxes, scores, 0.4, of_smaller=of_smaller)
    assert kept.tolist() == plain_suppress(boxes, scores, 0.4, of_smaller)


def test_boxes_turned_inside_out_have_no_area() -> None:
    assert areas(np.array([[10, 10, 5, 20], [0, 0, 2, 3]])).tolist() == [0, 6]


def test_square_keeps_the_centre_and_the_longer_side() -> None:
    assert square(np.array([[10.0, 20.0, 20.0, 60.0]])).tolist() == [[-5, 20, 35, 60]]


def test_the_overlap_of_two_boxes() -> None:
    first = np.array([0.0, 0.0, 10.0, 10.0], np.float32)
    assert overlap(first, first) == 1
    assert overlap(first, np.array([5.0, 0.0, 15.0, 10.0])) == pytest.approx(1 / 3)
    assert overlap(first, first + 20) == 0
