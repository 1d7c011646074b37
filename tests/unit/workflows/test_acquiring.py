"""Photos -> embeddings, kept under the recipe that made them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeDetector, fake_recognizer, paint
from witness import Witness

from kith.errors import EvaluationError
from kith.images.reading import load_image
from kith.recognizer import Recognizer
from kith.sample_people import photos
from kith.workflows.acquiring import acquire


def test_a_photo_without_its_end_is_used_and_told(tmp_path: Path) -> None:
    path = tmp_path / "cut.jpg"
    path.write_bytes(photos()[0].read_bytes()[:-2])
    recognizer, told = fake_recognizer(), Witness()
    recognizer.detector = Nobody()
    acquire(recognizer, [path], progress=told)
    assert recognizer.detector.looked_at == 1
    assert told.said == [f"{path}: its end is missing; what is there was used", f"{path}: no face found"]


class Nobody(FakeDetector):
    def detect(self, image: object) -> list:
        self.looked_at += 1
        return []


class Other(FakeDetector):
    recipe = "another detector"


def test_what_was_kept_is_not_made_again(tmp_path: Path) -> None:
    files = [paint(tmp_path / f"{person}.png", person) for person in (1, 2)]
    nobody = paint(tmp_path / "nobody.png")
    first = acquire(fake_recognizer(), [*files, nobody], keep=tmp_path / "kept")
    recognizer = fake_recognizer()
    second = acquire(recognizer, [*files, nobody], keep=tmp_path / "kept")
    assert recognizer.detector.looked_at == 0
    assert second.failures == 1
    assert second.qualities == first.qualities
    np.testing.assert_array_equal(second.embeddings, first.embeddings)
    (sample,) = recognizer.analyze(load_image(files[1]))
    np.testing.assert_array_equal(second.embeddings[1], sample.template.embedding)


def by_another_detector(recognizer: Recognizer) -> None:
    recognizer.detector = Other()


def by_another_alignment(recognizer: Recognizer) -> None:
    recognizer.spec = replace(recognizer.spec, crop=replace(recognizer.spec.crop, size=150))


def without_the_mirror(recognizer: Recognizer) -> None:
    recognizer.spec = replace(recognizer.spec, mirrored=not recognizer.spec.mirrored)


def by_another_calibration(recognizer: Recognizer) -> None:
    recognizer.calibration = replace(recognizer.calibration, unrecognizable=(1.0,) + (0.0,) * 31)


@pytest.mark.parametrize(
    "change", [by_another_detector, by_another_alignment, without_the_mirror, by_another_calibration]
)
def test_what_was_kept_otherwise_is_not_taken(change: Callable[[Recognizer], None], tmp_path: Path) -> None:
    file, kept = paint(tmp_path / "1.png", 1), tmp_path / "kept"
    acquire(fake_recognizer(), [file], keep=kept)
    other = fake_recognizer()
    change(other)
    with pytest.raises(EvaluationError, match="was made otherwise"):
        acquire(other, [file], keep=kept)
