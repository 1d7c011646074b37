"""YuNet's decoding, against a plain loop over its cells; and what its network is given."""

import math

import numpy as np
import pytest

from kith.detection import DetectionSettings
from kith.detection.yunet import YuNet

HEIGHT, WIDTH = 64, 96


class Answers:
    """A network that answers what it was made with, and remembers what it was given."""

    def __init__(self, outputs: list[np.ndarray]) -> None:
        self.outputs = outputs
        self.seen: list[np.ndarray] = []

    def run(self, *inputs: np.ndarray) -> list[np.ndarray]:
        self.seen += inputs
        return self.outputs


def answers(highest: float = 1.1) -> list[np.ndarray]:
    """Random ones, of which scores reach beyond 0 and 1."""
    rng = np.random.default_rng(0)
    cells = [HEIGHT * WIDTH // stride**2 for stride in (8, 16, 32)]
    scores = [rng.uniform(-0.1, highest, (1, n, 1)) for _ in range(2) for n in cells]
    boxes = [rng.normal(0, 1, (1, n, 4)) for n in cells]
    points = [rng.normal(0, 2, (1, n, 10)) for n in cells]
    return [one.astype(np.float32) for one in (*scores, *boxes, *points)]


def decode_slowly(outputs: list[np.ndarray], threshold: float) -> list[tuple[float, ...]]:
    """Score, box, landmarks of each cell, as OpenCV's face_detect.cpp has it."""
    found = []
    for index, stride in enumerate((8, 16, 32)):
        faces, middles, boxes, points = (outputs[index + 3 * part][0] for part in range(4))
        for row in range(HEIGHT // stride):
            for column in range(WIDTH // stride):
                cell = row * (WIDTH // stride) + column
                sure = min(max(float(faces[cell, 0]), 0), 1) * min(max(float(middles[cell, 0]), 0), 1)
                score = math.sqrt(sure)
                if score <= threshold:
                    continue
                x, y = (column + boxes[cell, 0]) * stride, (row + boxes[cell, 1]) * stride
                w, h = math.exp(boxes[cell, 2]) * stride, math.exp(boxes[cell, 3]) * stride
                marks = [(points[cell, k] + (row if k % 2 else column)) * stride for k in range(10)]
                found.append((score, x - w / 2, y - h / 2, x + w / 2, y + h / 2, *map(float, marks)))
    return found


@pytest.mark.parametrize("threshold", [0.0, 0.5, 0.9, 0.999])
def test_cells_are_decoded_as_by_a_plain_loop(threshold: float) -> None:
    outputs = answers()
    found = YuNet(Answers(outputs))._read(outputs, (HEIGHT, WIDTH), threshold)
    ours = np.column_stack([found.scores, found.boxes, found.landmarks.reshape(-1, 10)])
    expected = np.array(decode_slowly(outputs, threshold)).reshape(-1, 15)
    np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-3)
    assert 0 < len(expected) < HEIGHT * WIDTH


def test_the_network_sees_blue_first_and_black_beyond_the_image() -> None:
    image = np.random.default_rng(0).integers(0, 256, (50, 70, 3), np.uint8)
    network = Answers(answers(highest=0.1))
    YuNet(network, DetectionSettings(thorough=False)).detect(image)
    (seen,) = network.seen
    assert seen.shape == (1, 3, HEIGHT, WIDTH)
    np.testing.assert_array_equal(seen[0, :, :50, :70], image.transpose(2, 0, 1)[::-1])
    assert not seen[0, :, 50:].any()
    assert not seen[0, :, :, 70:].any()
