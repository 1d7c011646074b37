"""Our networks against the original projects' own outputs."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from recipes import report

from kith.catalogue.builtin import EMBEDDERS
from kith.detection import MTCNN, DetectionSettings
from kith.detection.scrfd import SCRFD
from kith.detection.single_shot import SingleShot
from kith.detection.yunet import YuNet
from kith.embedding import scale_pixels
from kith.images.reading import load_image
from kith.runtime.adopt_detector import adopt_detector
from kith.runtime.keras_models import load_keras
from kith.runtime.prepare import prepare
from kith.runtime.session import Session

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


SINGLE_SHOTS = [
    ("yunet", "yunet_s_640_640", "yunet_s_640_640.onnx", YuNet, 0.6, (1, 2e-3)),
    ("yunet", "yunet_n_dynamic", "yunet_n_dynamic.onnx", YuNet, 0.6, (1, 2e-3)),
    ("scrfd", "500m", "scrfd_500m_kps.onnx", SCRFD, 0.5, (0.5, 1e-3)),
    ("scrfd", "2.5g", "scrfd_2.5g_kps.onnx", SCRFD, 0.5, (0.5, 1e-3)),
]
"""File of parity and entry in it, the weights, their kind, the score, and tolerances in pixels and of scores."""


@pytest.mark.parametrize(
    ("parity", "entry", "file", "kind", "score", "tolerances"),
    SINGLE_SHOTS,
    ids=[file for _, _, file, *_ in SINGLE_SHOTS],
)
def test_yunet_and_scrfd_find_what_the_originals_find(
    parity: str,
    entry: str,
    file: str,
    kind: type[SingleShot],
    score: float,
    tolerances: tuple[float, float],
    shared: Path,
) -> None:
    model = json.loads((shared / f"parity/{parity}_detections.json").read_text())["models"][entry]
    data = (shared / "data/weights" / file).read_bytes()
    assert hashlib.sha256(data).hexdigest() == model["sha256"]
    settings = DetectionSettings(thorough=False, min_score=score, min_face_size=12, longest_side=640)
    detector = kind(Session(adopt_detector(data).content, threads=1), settings)
    worst = np.zeros(3)
    for image in model["images"]:
        found = detector.detect(load_image(shared / "data" / image["file"]))
        assert len(found) == len(image["faces"]), image["file"]
        for wanted in image["faces"]:
            box = np.array(wanted.get("box") or _corners(*wanted["box_xywh"]))
            face = min(found, key=lambda one: np.abs(one.box - box).max())
            differences = (
                np.abs(face.box - box).max(),
                np.abs(face.landmarks - wanted["landmarks"]).max(),
                abs(face.detection_score - wanted["score"]),
            )
            worst = np.maximum(worst, differences)
    report(f"{file}: boxes, landmarks and scores differ by at most {worst.round(5).tolist()}")
    assert worst[:2].max() < tolerances[0]
    assert worst[2] < tolerances[1]


def _corners(left: float, top: float, width: float, height: float) -> tuple[float, ...]:
    return left, top, left + width, top + height


def overlap(a: np.ndarray, b: tuple[float, ...]) -> float:
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    common = max(width, 0) * max(height, 0)
    return common / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common)
