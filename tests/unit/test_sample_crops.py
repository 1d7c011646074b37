"""The sample people's faces, found once."""

import numpy as np
import pytest
from fakes import FakeDetector

from kith import sample_crops as module
from kith.alignment import align
from kith.catalogue.preprocessing import ARCFACE_CROP, DLIB_CROP
from kith.images.reading import load_image
from kith.recognizer import Recognizer
from kith.records import Face, Image
from kith.sample_crops import sample_crops
from kith.sample_people import photos

MARKS = np.float32([[30, 40], [70, 40], [50, 60], [35, 80], [65, 80]])
LARGE = Face(np.float32([10, 10, 90, 110]), MARKS, 0.9)
SMALL = Face(np.float32([0, 0, 9, 9]), MARKS / 9, 0.8)


class FindsAllButOne(FakeDetector):
    """A large and a small face in each photo but the first."""

    recipe = "all but one"

    def detect(self, image: Image) -> list[Face]:
        self.looked_at += 1
        return [LARGE, SMALL] if self.looked_at > 1 else []


@pytest.fixture(autouse=True)
def nothing_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_found", {})


def test_largest_face_of_each_photo_and_whose_it_is() -> None:
    detector = FindsAllButOne()
    crops, people = sample_crops(detector, ARCFACE_CROP)
    assert people.tolist() == [number // 6 for number in range(1, 48)], "the first photo has none"
    expected = align(load_image(photos()[1]), [LARGE], ARCFACE_CROP)
    np.testing.assert_array_equal(crops[:1], expected)
    assert crops.shape == (47, 112, 112, 3)


def test_each_detector_looks_once() -> None:
    first, again, other = FindsAllButOne(), FindsAllButOne(), FindsAllButOne()
    other.recipe = "another"
    sample_crops(first, ARCFACE_CROP)
    sample_crops(again, DLIB_CROP)
    assert (first.looked_at, again.looked_at) == (48, 0)
    sample_crops(other, ARCFACE_CROP)
    assert other.looked_at == 48


def test_every_sample_person_is_found(recognizer: Recognizer) -> None:
    crops, people = sample_crops(recognizer.detector, recognizer.spec.crop)
    assert np.bincount(people).tolist() == [6] * 8
    image = load_image(photos()[-1])
    np.testing.assert_array_equal(crops[-1:], recognizer.align(image, recognizer.detect(image)[:1]))
