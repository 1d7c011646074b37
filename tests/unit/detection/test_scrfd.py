"""SCRFD's decoding of all its layouts, against a plain loop over its anchors; and what its network is given."""

import numpy as np
import pytest
from test_yunet import Answers

from kith.detection import DetectionSettings
from kith.detection.scrfd import SCRFD

SIDE = 128
LAYOUTS = {
    6: ((8, 16, 32), 2),
    9: ((8, 16, 32), 2),
    10: ((8, 16, 32, 64, 128), 1),
    15: ((8, 16, 32, 64, 128), 1),
}


def answers(count: int) -> dict[tuple[int, int], np.ndarray]:
    """Random ones, by stride and length."""
    strides, anchors = LAYOUTS[count]
    rng = np.random.default_rng(count)
    lengths = (1, 4, 10)[: count // len(strides)]
    return {
        (stride, length): rng.uniform(0, 1 if length == 1 else 4, (anchors * (SIDE // stride) ** 2, length))
        for length in lengths
        for stride in strides
    }


def decode_slowly(count: int, threshold: float) -> list[tuple[float, ...]]:
    """Score, box and perhaps landmarks of each anchor, as insightface's scrfd.py has it."""
    strides, anchors = LAYOUTS[count]
    parts, found = answers(count), []
    for stride in strides:
        for row in range(SIDE // stride):
            for column in range(SIDE // stride):
                for anchor in range(anchors):
                    one = (row * (SIDE // stride) + column) * anchors + anchor
                    score = parts[stride, 1][one, 0]
                    if score <= threshold:
                        continue
                    x, y = column * stride, row * stride
                    left, top, right, bottom = parts[stride, 4][one] * stride
                    marks = ()
                    if (stride, 10) in parts:
                        points = parts[stride, 10][one] * stride
                        marks = tuple(points[k] + (y if k % 2 else x) for k in range(10))
                    found.append((score, x - left, y - top, x + right, y + bottom, *marks))
    return found


@pytest.mark.parametrize("batched", [True, False])
@pytest.mark.parametrize("count", LAYOUTS)
def test_anchors_are_decoded_as_by_a_plain_loop_whatever_the_order(count: int, batched: bool) -> None:
    outputs = [one.astype(np.float32)[np.newaxis if batched else ...] for one in answers(count).values()]
    order = np.random.default_rng(1).permutation(count)
    found = SCRFD(Answers([]))._read([outputs[index] for index in order], (SIDE, SIDE), 0.7)
    expected = np.array(decode_slowly(count, 0.7))
    np.testing.assert_allclose(found.scores, expected[:, 0], rtol=1e-6)
    np.testing.assert_allclose(found.boxes, expected[:, 1:5], rtol=1e-5, atol=1e-4)
    if count in (9, 15):
        np.testing.assert_allclose(found.landmarks.reshape(-1, 10), expected[:, 5:], rtol=1e-5, atol=1e-4)
    else:  # a usual face's: eyes above the nose above the mouth, all in the box
        assert (found.landmarks >= found.boxes[:, np.newaxis, :2]).all()
        assert (found.landmarks <= found.boxes[:, np.newaxis, 2:]).all()
        heights = found.landmarks[:, :, 1]
        assert (heights[:, :2].max(axis=1) < heights[:, 2]).all()
        assert (heights[:, 2] < heights[:, 3:].min(axis=1)).all()


def test_the_network_sees_a_small_image_enlarged_red_first_and_black_beyond_it() -> None:
    image = np.full((50, 100, 3), (255, 0, 127), np.uint8)
    network = Answers([np.zeros((0, length), np.float32) for length in (1, 4, 10) for _ in range(3)])
    SCRFD(network, DetectionSettings(thorough=False)).detect(image)
    (seen,) = network.seen
    assert seen.shape == (1, 3, 320, 640)
    np.testing.assert_allclose(seen[0, :, 100, 100], [127.5 / 128, -127.5 / 128, -0.5 / 128])
    SCRFD(network, DetectionSettings(thorough=False), side=640).detect(image)
    np.testing.assert_allclose(network.seen[-1][0, :, 321:], np.float32(-127.5 / 128))
