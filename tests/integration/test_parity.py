"""Our networks against the original projects' own outputs."""

import json
from pathlib import Path

import numpy as np
import pytest

from kith.catalogue.builtin import EMBEDDERS
from kith.detection import MTCNN, DetectionSettings
from kith.embedding import scale_pixels
from kith.images.reading import load_image
from kith.runtime.keras_models import load_keras
from kith.runtime.prepare import prepare

RESNET29 = EMBEDDERS["dlib-resnet29"]


@pytest.fixture(scope="module")
def descriptors(shared: Path) -> np.ndarray:
    content = json.loads((shared / "parity/dlib_resnet29.json").read_text())
    return np.array(content["descriptors"])


@pytest.fixture(scope="module")
def inputs() -> np.ndarray:
    chips = np.random.default_rng(0).integers(0, 256, (2, 150, 150, 3)).astype(np.uint8)
    return scale_pixels(chips, RESNET29.pixels)


def test_resnet29_in_keras(descriptors: np.ndarray, inputs: np.ndarray) -> None:
    outputs = load_keras(RESNET29.weights).predict_on_batch(inputs)
    assert np.abs(outputs - descriptors).max() < 1e-5


def test_resnet29_in_onnx(descriptors: np.ndarray, inputs: np.ndarray) -> None:
    (outputs,) = prepare(RESNET29.weights).run(inputs)
    assert np.abs(outputs - descriptors).max() < 1e-5


def detections() -> list[dict]:
    path = Path(__file__).parents[3] / "shared/parity/mtcnn_detections.json"
    return json.loads(path.read_text())["images"] if path.is_file() else []


@pytest.fixture(scope="module")
def original_detector() -> MTCNN:
    return MTCNN.from_pretrained(settings=DetectionSettings(thorough=False))


LANDMARKS = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")


@pytest.mark.parametrize("case", detections(), ids=lambda case: Path(case["file"]).name[-20:])
def test_mtcnn_finds_what_the_original_finds(case: dict, shared: Path, original_detector: MTCNN) -> None:
    image = load_image(shared / "data" / case["file"])
    found = [face for face in original_detector.detect(image) if face.detection_score > 0.9]
    expected = [face for face in case["faces"] if face["score"] > 0.9]
    assert len(found) == len(expected)
    for face, wanted in zip(found, expected, strict=True):
        left, top, width, height = wanted["box_xywh"]
        ours = np.clip(face.box, 0, [image.shape[1] - 1, image.shape[0] - 1] * 2)
        assert overlap(ours, (left, top, left + width, top + height)) > 0.9
        assert np.abs(face.landmarks - [wanted["landmarks"][name] for name in LANDMARKS]).max() < 3


def overlap(a: np.ndarray, b: tuple[float, ...]) -> float:
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    common = max(width, 0) * max(height, 0)
    return common / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common)
