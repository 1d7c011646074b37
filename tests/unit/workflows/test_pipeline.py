"""Photos side by side: the samples that one photo after the other gives."""

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeDetector, FakeEmbedder, fake_recognizer, paint

from kith.detection import foremost_faces
from kith.errors import ImageError, NoFaceFound
from kith.images.reading import Photo, load_image, read_photo
from kith.recognizer import Recognizer
from kith.records import Face, Image, Sample
from kith.sample_people import GROUP_PHOTO
from kith.sample_people import photos as sample_photos
from kith.workflows import pipeline
from kith.workflows.pipeline import analyze_photos, detect_photos


@pytest.fixture(autouse=True)
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "available_cores", lambda: 2)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Of one person, of several, of nobody, and what is no picture."""
    files = [paint(tmp_path / f"{person}.png", person) for person in range(1, 7)]
    files += [paint(tmp_path / "several.png", 1, 2, 3), paint(tmp_path / "nobody.png")]
    damaged = tmp_path / "damaged.png"
    damaged.write_bytes(b"no picture")
    return [*files[:3], damaged, *files[3:]]


def same(first: Sequence[Sample], second: Sequence[Sample]) -> bool:
    """Whether samples are the same to the bit."""
    return len(first) == len(second) and all(
        (one.face.box == other.face.box).all()
        and (one.face.landmarks == other.face.landmarks).all()
        and (one.template.embedding == other.template.embedding).all()
        and one.template.model_id == other.template.model_id
        and one.quality == other.quality
        for one, other in zip(first, second, strict=True)
    )


def test_every_photo_has_its_outcome_in_order(files: list[Path]) -> None:
    recognizer = fake_recognizer()
    outcomes = list(analyze_photos(recognizer, files, read_photo))
    assert [outcome.item for outcome in outcomes] == files
    for file, outcome in zip(files, outcomes, strict=True):
        if file.name == "damaged.png":
            with pytest.raises(ImageError, match="damaged.png"):
                outcome.get()
        else:
            assert same(outcome.get().samples, recognizer.analyze(load_image(file)))
            assert outcome.get().read.file_hash == read_photo(file).file_hash


def test_real_networks_give_the_same_to_the_bit(recognizer: Recognizer) -> None:
    """The group photo has ten faces: more than one run of the embedder takes, on a processor."""
    files = [*sample_photos()[:3], GROUP_PHOTO, *sample_photos()[8:11]]
    found = [outcome.get().samples for outcome in analyze_photos(recognizer, files, read_photo)]
    assert [len(samples) for samples in found] == [1, 1, 1, 10, 1, 1, 1]
    for file, samples in zip(files, found, strict=True):
        assert same(samples, recognizer.analyze(load_image(file)))


def test_faces_of_several_photos_are_embedded_at_once(files: list[Path]) -> None:
    class Slow(FakeEmbedder):
        """Waits until all photos are looked at."""

        def __init__(self, detector: FakeDetector) -> None:
            self._detector = detector
            self._all = threading.Event()
            self.batches: list[int] = []

        def embed(self, crops: np.ndarray) -> np.ndarray:
            self.batches.append(len(crops))
            while len(self.batches) == 1 and self._detector.looked_at < 6:
                self._all.wait(0.005)
            return super().embed(crops)

    recognizer = fake_recognizer()
    embedder = recognizer.embedder = Slow(recognizer.detector)
    singles = [file for file in files if file.stem.isdigit()]
    found = [outcome.get().samples for outcome in analyze_photos(recognizer, singles, read_photo)]
    assert sum(embedder.batches) == 6
    assert max(embedder.batches) > 1
    for file, samples in zip(singles, found, strict=True):
        assert same(samples, fake_recognizer().analyze(load_image(file)))


def test_only_the_chosen_faces_are_embedded_and_none_is_an_outcome_too(files: list[Path]) -> None:
    def foremost(_: Path, image: Image, faces: list[Face]) -> list[Face]:
        return foremost_faces(faces)[:1]

    outcomes = {
        outcome.item.stem: outcome
        for outcome in analyze_photos(fake_recognizer(), files, read_photo, foremost)
    }
    assert len(outcomes["several"].get().samples) == 1
    with pytest.raises(NoFaceFound):
        outcomes["nobody"].get()


class NotToBeLookedAt:
    image = None


def test_what_need_not_be_looked_at_is_not(files: list[Path]) -> None:
    recognizer = fake_recognizer()
    outcomes = list(analyze_photos(recognizer, files, lambda _: NotToBeLookedAt()))
    assert [outcome.get().samples for outcome in outcomes] == [[]] * len(files)
    assert recognizer.detector.looked_at == 0


def test_detecting_only(files: list[Path]) -> None:
    outcomes = list(detect_photos(FakeDetector(), files, read_photo))
    assert [len(outcome.result.faces) if outcome.result else None for outcome in outcomes] == [
        *[1, 1, 1, None],
        *[1, 1, 1, 3, 0],
    ]


@pytest.mark.parametrize(
    ("photos", "threads", "wanted"), [(9, 0, 2), (1, 0, 1), (9, 1, 1), (9, 5, 5), (0, 0, 1)]
)
def test_how_many_photos_are_looked_at_side_by_side(photos: int, threads: int, wanted: int) -> None:
    assert pipeline._workers(photos, threads) == wanted


def test_many_pixels_are_heavy(tmp_path: Path) -> None:
    photo = read_photo(paint(tmp_path / "1.png", 1, 2))
    assert pipeline._pixels(pipeline.Analyzed(photo)) == 100 * 200
    assert pipeline._pixels(pipeline.Analyzed(NotToBeLookedAt())) == 0
    assert isinstance(photo, Photo)


def test_one_for_each_core_is_the_same_recognizer(recognizer: Recognizer) -> None:
    one = recognizer.side_by_side()
    assert (one.threads, recognizer.threads) == (1, 0)
    assert one.recipe == recognizer.recipe
    assert one.calibration is recognizer.calibration
    assert one.side_by_side() is one
    own = fake_recognizer()
    assert own.side_by_side() is own, "nobody can make its parts again"
