from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from witness import Witness

from kith.catalogue.preprocessing import DLIB_CHIP, SimilarityCrop, resize_template
from kith.errors import TrainingError
from kith.records import Face, Image
from kith.training.faces import FaceSet, describe, prepare_faces, tell_unusable
from kith.workflows.people_folders import PersonPhoto

RULE = resize_template(DLIB_CHIP, 24)


class Detector:
    """Finds a face wherever the first pixel is not black."""

    recipe = "fake"

    def __init__(self) -> None:
        self.asked = 0

    def detect(self, image: Image) -> list[Face]:
        self.asked += 1
        landmarks = np.array(RULE.template, np.float32)
        box = np.array([0, 0, 24, 24], np.float32)
        return [Face(box, landmarks, 0.9)] if image[0, 0].any() else []


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("KITH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "training"


@pytest.fixture
def photos(tmp_path: Path) -> list[PersonPhoto]:
    made = []
    for person in range(4):
        for number in range(3):
            path = tmp_path / f"person {person}" / f"{number}.png"
            path.parent.mkdir(exist_ok=True)
            cv2.imwrite(str(path), np.full((24, 24, 3), 10 + person * 3 + number, np.uint8))
            made.append(PersonPhoto(f"person {person}", path))
    return made


def prepare(photos: Sequence[PersonPhoto], detector: Detector | None = None) -> FaceSet:
    return prepare_faces(photos, RULE, detector or Detector())


def test_every_photo_gives_its_own_crop_in_the_order_of_people(photos: list[PersonPhoto]) -> None:
    faces = prepare(photos[::-1])
    assert list(faces.photos) == photos
    assert [int(crop.max()) for crop in faces.crops] == list(range(10, 22))
    assert faces.crops[0].shape == (24, 24, 3)
    np.testing.assert_array_equal(faces.labels, np.repeat(np.arange(4), 3))
    assert describe(faces) == "12 photos of 4 people"


def test_faces_are_found_once(photos: list[PersonPhoto]) -> None:
    detector = Detector()
    first = prepare(photos, detector)
    second = prepare(photos, detector)
    assert detector.asked == 12
    assert first.key == second.key
    np.testing.assert_array_equal(np.stack(list(first.crops)), np.stack(list(second.crops)))


def test_a_changed_photo_is_looked_at_again_and_few_others(photos: list[PersonPhoto]) -> None:
    first = prepare(photos)
    cv2.imwrite(str(photos[5].path), np.full((24, 24, 3), 99, np.uint8))
    detector = Detector()
    faces = prepare(photos, detector)
    assert 1 <= detector.asked < 12
    assert int(faces.crops[5].max()) == 99
    assert faces.key != first.key


def test_a_break_keeps_what_was_done(photos: list[PersonPhoto]) -> None:
    class Breaking(Detector):
        def detect(self, image: Image) -> list[Face]:
            if self.asked == 6:
                raise KeyboardInterrupt
            return super().detect(image)

    with pytest.raises(KeyboardInterrupt):
        prepare(photos, Breaking())
    detector = Detector()
    prepare(photos, detector)
    assert detector.asked < 12


def test_photos_without_a_face_and_unreadable_ones_are_told_and_left_out(photos: list[PersonPhoto]) -> None:
    cv2.imwrite(str(photos[0].path), np.zeros((24, 24, 3), np.uint8))
    photos[1].path.write_bytes(b"no picture")
    photos[2].path.unlink()
    faces = prepare(photos)
    assert len(faces.crops) == 9
    told = Witness()
    tell_unusable(faces, told)
    said = told.said
    assert len(said) == 3
    assert "no face found" in said[0]
    assert all(str(photo.path) in line for photo, line in zip(photos[:3], sorted(said), strict=True))


def test_no_face_at_all_is_told(photos: list[PersonPhoto]) -> None:
    for photo in photos:
        photo.path.write_bytes(b"no picture")
    with pytest.raises(TrainingError, match="none of 12 photos"):
        prepare(photos)


def test_a_full_disk_is_told_and_nothing_half_is_left(
    photos: list[PersonPhoto], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(TrainingError, match="No space left on device; set KITH_CACHE"):
        prepare(photos)
    assert not list(cache.iterdir())


def test_a_subset_keeps_crops_and_people_together(photos: list[PersonPhoto]) -> None:
    part = prepare(photos).subset(np.array([7, 2, 8]))
    assert [photo.path for photo in part.photos] == [photos[i].path for i in (7, 2, 8)]
    assert [int(crop.max()) for crop in part.crops] == [17, 12, 18]
    np.testing.assert_array_equal(part.labels, [1, 0, 1])


class Other(Detector):
    recipe = "another"


@pytest.mark.parametrize(
    ("rule", "detector"),
    [(replace(RULE, size=RULE.size + 1), Detector()), (RULE, Other())],
    ids=["rule", "detector"],
)
def test_crops_of_another_alignment_or_detector_are_made_anew(
    rule: SimilarityCrop, detector: Detector, photos: list[PersonPhoto]
) -> None:
    prepare(photos)
    prepare_faces(photos, rule, detector)
    assert detector.asked == len(photos)
