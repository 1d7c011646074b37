"""What is done around a network that sees an image at one scale, with a network that knows marked boxes.

A face is a red box; its upper half, as the face sees it, is green too. The network takes any for upright: one
that is gives a score of 0.95, one that is not 0.8; one that is larger than it can see, none.
"""

import pickle
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
import pytest
from write_detector import write_yunet

from kith.catalogue.installed import install_detector, write_card
from kith.catalogue.spec import ONNX, DetectorKind, DetectorSpec, InstalledFile, WeightsSpec
from kith.detection import DetectionSettings, load_detector
from kith.detection.single_shot import Found, SingleShot, cells
from kith.records import Face, FloatArray, Image
from kith.runtime.adopt_detector import adopt_detector

UPRIGHT, TURNED = 0.95, 0.8
PLACES = np.array([[0.3, 0.3], [0.7, 0.3], [0.5, 0.5], [0.35, 0.75], [0.65, 0.75]], np.float32)


class Camera:
    """Passes images on, and remembers their sizes."""

    def __init__(self) -> None:
        self.sizes: list[tuple[int, ...]] = []

    def run(self, *inputs: np.ndarray) -> list[np.ndarray]:
        self.sizes.append(inputs[0].shape[2:])
        return list(inputs)


class Boxes(SingleShot):
    """Finds red boxes of up to 300 pixels."""

    KIND = "boxes"
    THRESHOLD = 0.5
    OVERLAP = 0.3
    ALONE = 128 * 128
    CLEAR = 0.9
    TELLING = 8.0
    most = 300

    def _feed(self, image: Image, shape: tuple[int, int]) -> FloatArray:
        planes = np.zeros((1, 3, *shape), np.float32)
        planes[0, :, : image.shape[0], : image.shape[1]] = image.transpose(2, 0, 1)
        return planes

    def _read(self, outputs: Sequence[np.ndarray], shape: tuple[int, int], threshold: float) -> Found:
        assert outputs[0].shape[2:] == shape
        red, green, _ = outputs[0][0]
        count, _, stats, _ = cv2.connectedComponentsWithStats((red > 100).astype(np.uint8))
        boxes, scores = [], []
        for left, top, wide, tall, _ in stats[1:count]:
            part = green[top : top + tall, left : left + wide]
            score = UPRIGHT if part[: tall // 2].mean() > part[tall // 2 :].mean() + 50 else TURNED
            if 4 < max(wide, tall) <= self.most and score > threshold:
                boxes.append((left, top, left + wide, top + tall))
                scores.append(score)
        found = np.array(boxes, np.float32).reshape(-1, 4)
        sides = (found[:, 2:] - found[:, :2])[:, np.newaxis]
        return Found(found, found[:, np.newaxis, :2] + PLACES * sides, np.array(scores, np.float32))


def painted(height: int, width: int, *faces: tuple[int, int, int, int]) -> Image:
    """An image with faces: left, top, size, and by how many quarter turns each lies turned clockwise."""
    image = np.zeros((height, width, 3), np.uint8)
    for left, top, size, turned in faces:
        face = np.zeros((size, size, 3), np.uint8)
        face[:, :, 0] = 255
        face[: size // 2, :, 1] = 255
        image[top : top + size, left : left + size] = np.rot90(face, -turned)
    return image


def boxes_of(faces: Sequence[Face]) -> list[list[int]]:
    return [np.round(face.box).astype(int).tolist() for face in faces]


def test_faces_are_told_in_the_images_own_pixels_the_largest_first() -> None:
    image = painted(400, 2000, (100, 50, 60, 0), (1000, 100, 200, 0))
    camera = Camera()
    small, large = boxes_of(Boxes(camera, DetectionSettings(longest_side=500)).detect(image))[::-1]
    assert np.abs(np.subtract(large, [1000, 100, 1200, 300])).max() <= 4
    assert np.abs(np.subtract(small, [100, 50, 160, 110])).max() <= 4
    assert camera.sizes[0] == (128, 512), "100 x 500 pixels, and what is missing to multiples of 32"


@pytest.mark.parametrize(("size", "found"), [(61, 0), (59, 1)])
def test_the_smallest_face_is_in_the_images_own_pixels(size: int, found: int) -> None:
    settings = DetectionSettings(longest_side=500, min_face_size=size)
    assert len(Boxes(Camera(), settings).detect(painted(1000, 1000, (100, 100, 60, 0)))) == found


@pytest.mark.parametrize("size", [300, 500, 900])
def test_a_face_that_is_too_large_is_looked_for_in_a_smaller_image(size: int) -> None:
    image = painted(1000, 1000, (40, 40, size, 0))
    (face,) = Boxes(Camera()).detect(image)
    assert np.abs(face.box - [40, 40, 40 + size, 40 + size]).max() < 8
    original = Boxes(Camera(), DetectionSettings(thorough=False)).detect(image)
    assert len(original) == (size <= Boxes.most), "off, the detector finds what the original finds"


def test_an_image_that_is_small_enough_is_looked_at_once() -> None:
    camera = Camera()
    Boxes(camera, DetectionSettings(turned=False)).detect(painted(600, 600, (40, 40, 100, 0)))
    assert camera.sizes == [(608, 608), (96, 96)], "and its one face again, closer"


def test_a_large_face_is_found_beside_a_small_one() -> None:
    image = painted(1000, 1000, (40, 40, 500, 0), (700, 700, 100, 0))
    assert len(Boxes(Camera()).detect(image)) == 2
    assert len(Boxes(Camera(), DetectionSettings(thorough=False)).detect(image)) == 1


def test_what_was_taken_for_a_face_is_a_part_of_a_larger_one() -> None:
    class Parts(Boxes):
        """Takes the upper left quarter of what is too large for a face."""

        def _read(self, outputs: Sequence[np.ndarray], shape: tuple[int, int], threshold: float) -> Found:
            found = super()._read(outputs, shape, threshold)
            if shape[0] < 1000:
                return found
            box = np.array([[45, 45, 240, 240]], np.float32)
            return Found(box, box[:, np.newaxis, :2] + 200 * PLACES, np.array([0.6], np.float32))

    (face,) = Parts(Camera()).detect(painted(1000, 1000, (40, 40, 600, 0)))
    np.testing.assert_allclose(face.box, [40, 40, 640, 640], atol=8)


def test_a_face_seen_in_both_looks_is_one() -> None:
    assert len(Boxes(Camera()).detect(painted(1000, 1000, (40, 40, 250, 0), (600, 600, 100, 0)))) == 2


class Shaky(Boxes):
    """Sees landmarks too far left, by as many pixels of what it sees."""

    def _read(self, outputs: Sequence[np.ndarray], shape: tuple[int, int], threshold: float) -> Found:
        found = super()._read(outputs, shape, threshold)
        return found._replace(landmarks=found.landmarks - np.float32([6, 0]))


def test_landmarks_are_the_mean_of_two_looks() -> None:
    image = painted(200, 200, (60, 60, 80, 0))
    (face,) = Shaky(Camera()).detect(image)
    # closer, 96 pixels show 1.6 * 80: there 6 pixels are 8 of the image, in the mirror to the right
    np.testing.assert_allclose(face.landmarks, 60 + 80 * PLACES + np.float32([1, 0]), atol=0.7)


@pytest.mark.parametrize("turned", [0, 1, 2, 3])
def test_a_photo_that_lies_on_its_side_is_looked_at_in_other_turns(turned: int) -> None:
    (face,) = Boxes(Camera()).detect(painted(300, 500, (60, 90, 100, turned)))
    assert face.turned == 90 * turned
    assert face.uprightness > 0.98
    np.testing.assert_allclose(face.box, [60, 90, 160, 190], atol=2)
    (mistaken,) = Boxes(Camera(), DetectionSettings(turned=False)).detect(
        painted(300, 500, (60, 90, 100, turned))
    )
    assert mistaken.turned == 0


def test_a_clear_face_is_not_shown_in_other_turns() -> None:
    camera = Camera()
    image = painted(300, 300, (60, 60, 100, 0), (200, 200, 40, 1))
    detector = Boxes(camera)
    faces = detector._look(image)
    camera.sizes.clear()
    odds = detector.judge(image, faces)
    assert camera.sizes == [(96, 4 * 96)], "the doubtful one, in four turns"
    assert odds.argmax(axis=1).tolist() == [int(face.detection_score < 0.9) for face in faces]


def test_many_faces_are_looked_at_closer_in_several_runs() -> None:
    camera = Camera()
    places = [(40 * column + 10, 40 * row + 10, 24, 0) for row in range(5) for column in range(5)]
    faces = Shaky(camera).detect(painted(220, 220, *places))
    assert len(faces) == 25
    for face in faces:  # the first look is 6 pixels off to the left, the closer one 6 of 96 to the right
        expected = face.box[:2] + 24 * PLACES + np.float32([(6 * 1.6 * 24 / 96 - 6) / 2, 0])
        np.testing.assert_allclose(face.landmarks, expected, atol=1)
    assert all(height <= 640 for height, _ in camera.sizes)


def test_a_network_of_one_size_sees_all_images_on_it() -> None:
    camera = Camera()
    (face,) = Boxes(camera, side=640).detect(painted(300, 1280, (400, 100, 120, 1)))
    assert set(camera.sizes) == {(640, 640)}
    assert face.turned == 90


@pytest.mark.parametrize(("longest", "seen"), [(None, 3072), (1280, 1280), (3500, 3520)])
def test_how_much_is_seen_in_one_run_is_bounded(longest: int | None, seen: int) -> None:
    camera = Camera()
    Boxes(camera, DetectionSettings(longest_side=longest)).detect(painted(40, 5000))
    assert max(max(size) for size in camera.sizes) == seen


def test_of_too_many_answers_the_best_count() -> None:
    class Crowd(Boxes):
        """Sees a face everywhere, surest on the right."""

        def _read(self, outputs: Sequence[np.ndarray], shape: tuple[int, int], threshold: float) -> Found:
            places = np.arange(9000, dtype=np.float32)[:, np.newaxis] * np.float32([30, 0, 30, 0])
            boxes = places + np.float32([0, 0, 25, 25])
            return Found(
                boxes, boxes[:, np.newaxis, :2] + PLACES, np.linspace(0.6, 0.9, 9000, dtype=np.float32)
            )

    faces = Crowd(Camera(), DetectionSettings(thorough=False)).detect(painted(64, 64))
    assert len(faces) == 5000
    assert min(face.box[0] for face in faces) == 30 * 4000


def test_what_is_small_is_seen_by_one_thread() -> None:
    several, alone = Camera(), Camera()
    Boxes(several, DetectionSettings(turned=False), alone=alone).detect(painted(400, 400, (50, 50, 100, 0)))
    assert (several.sizes, alone.sizes) == ([(416, 416)], [(96, 96)])


def test_no_face_and_an_image_of_one_pixel() -> None:
    assert Boxes(Camera()).detect(np.zeros((1, 1, 3), np.uint8)) == []
    assert Boxes(Camera()).detect(np.zeros((40, 3000, 3), np.uint8)) == []


def test_cells_lie_row_by_row_each_for_all_its_anchors() -> None:
    places, strides = cells((16, 20), strides=(8, 16), anchors=2)
    of_eight = [[x, y] for y in (0, 8) for x in (0, 0, 8, 8, 16, 16)]
    assert places.tolist() == [*of_eight, [0, 0], [0, 0], [16, 0], [16, 0]]
    assert strides[:, 0].tolist() == [8] * 12 + [16] * 4


def test_an_installed_one_is_loaded_pickled_and_named_by_its_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KITH_MODELS", str(tmp_path))
    weights = WeightsSpec(ONNX, ONNX, InstalledFile(Path()), sha256="", size=0)
    content = write_yunet()
    adopted = adopt_detector(content)
    spec = DetectorSpec("tiny", "", DetectorKind.YUNET, {"network": weights}, "", "")
    spec = replace(spec, weights={"network": replace(weights, sha256=sha256(adopted.content).hexdigest())})
    write_card(install_detector(spec, {"network": adopted.content}))
    detector = load_detector("tiny", DetectionSettings(min_score=0.6), threads=1)
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    copy = pickle.loads(pickle.dumps(detector))
    assert copy.recipe == detector.recipe
    assert boxes_of(copy.detect(image)) == boxes_of(detector.detect(image))
    assert sha256(adopted.content).hexdigest() in detector.recipe
    assert load_detector("tiny").recipe != detector.recipe
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(Boxes(Camera()))
