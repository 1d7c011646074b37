"""Enrolling with a fake recognizer: what becomes of each photo, and of all."""

from pathlib import Path

import pytest
from fakes import MODEL, fake_recognizer, paint
from witness import Witness

from kith.errors import DuplicateReference, GalleryError, ImageError, LowQuality, NoFaceFound
from kith.gallery import Gallery
from kith.presentation.enrollments import enrolled_photo_json, enrolled_photos_json
from kith.workflows import enrolling
from kith.workflows.enrolling import enroll_folder, enroll_photos
from kith.workflows.people_folders import PersonPhoto


@pytest.fixture
def gallery(tmp_path: Path) -> Gallery:
    with Gallery.open(tmp_path / "gallery.db", model_id=MODEL) as opened:
        yield opened


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """Ada is person 1 on two photos, Grace person 2 on one."""
    root = tmp_path / "people"
    paint(root / "Ada/1.png", 1, photo=1)
    paint(root / "Ada/2.png", 1, photo=2)
    paint(root / "Grace/1.png", 2)
    return root


def references(gallery: Gallery) -> dict[str, int]:
    return {one.subject.name: one.references for one in gallery.subjects()}


def test_a_folder_is_enrolled(people: Path, gallery: Gallery) -> None:
    progress = Witness()
    outcome = enroll_folder(people, gallery, fake_recognizer(), progress=progress)
    assert references(gallery) == {"Ada": 2, "Grace": 1}
    assert (len(outcome.enrolled), outcome.already, outcome.failed) == (3, 0, [])
    assert len(outcome.subjects) == 2, "photos are no people"
    assert progress.begun == [("enrolling", 3)]
    assert (progress.done, progress.said) == (3, [])


def test_again_nothing_is_done(people: Path, gallery: Gallery) -> None:
    enroll_folder(people, gallery, fake_recognizer())
    outcome = enroll_folder(people, gallery, fake_recognizer())
    assert (outcome.enrolled, outcome.already) == ([], 3)
    assert references(gallery) == {"Ada": 2, "Grace": 1}


def test_what_was_enrolled_before_a_break_stays(people: Path, gallery: Gallery) -> None:
    class Impatient(Witness):
        def advance(self, count: int = 1, how: str = "") -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        enroll_folder(people, gallery, fake_recognizer(), progress=Impatient())
    assert references(gallery) == {"Ada": 1}


def test_a_photo_that_cannot_be_used_does_not_stop_the_rest(people: Path, gallery: Gallery) -> None:
    paint(people / "Ada/0.png")
    (people / "Ada/9.png").write_bytes(b"no picture")
    progress = Witness()
    outcome = enroll_folder(people, gallery, fake_recognizer(), progress=progress)
    assert references(gallery) == {"Ada": 2, "Grace": 1}
    assert [(path.name, type(error)) for path, error in outcome.failed] == [
        ("0.png", NoFaceFound),
        ("9.png", ImageError),
    ]
    assert [line.endswith("; left out") for line in progress.said] == [True, True]


def test_a_face_that_is_fit_to_be_identified_may_be_unfit_to_enroll(people: Path, gallery: Gallery) -> None:
    """The limits of enrolling are the strict ones: a bad reference harms every later search."""
    doubtful = fake_recognizer(0.82)
    outcome = enroll_folder(people, gallery, doubtful)
    assert [type(error) for _, error in outcome.failed] == [LowQuality] * 3
    assert references(gallery) == {}


def test_a_usable_face_that_is_not_good_is_told_with_its_weakness(people: Path, gallery: Gallery) -> None:
    outcome = enroll_folder(people, gallery, fake_recognizer(0.87))
    assert ["detection score" in one.weakness for _, one in outcome.enrolled] == [True] * 3


def test_a_photo_enrolled_as_someone_else_is_refused(people: Path, gallery: Gallery) -> None:
    photo = people / "Ada/1.png"
    first, second = enroll_photos(
        [PersonPhoto("Ada", photo), PersonPhoto("Grace", photo)], gallery, fake_recognizer()
    )
    assert first.enrollment is not None
    assert isinstance(second.error, DuplicateReference)
    assert references(gallery) == {"Ada": 1}


def test_another_process_that_was_faster_is_no_error(
    people: Path, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = [PersonPhoto("Ada", people / "Ada/1.png")]
    list(enroll_photos(photos, gallery, fake_recognizer()))
    is_enrolled = enrolling._is_enrolled
    asked: list[bool] = []

    def late(*arguments: object) -> bool:
        asked.append(True)
        return len(asked) > 1 and is_enrolled(*arguments)

    monkeypatch.setattr(enrolling, "_is_enrolled", late)
    (one,) = enroll_photos(photos, gallery, fake_recognizer())
    assert (one.enrollment, one.error) == (None, None)


def test_a_gallery_that_refuses_stops_the_work(people: Path, gallery: Gallery) -> None:
    other = fake_recognizer()
    object.__setattr__(other.spec, "id", "another-model")
    with pytest.raises(GalleryError):
        enroll_folder(people, gallery, other)


def test_someone_who_looks_like_another_is_told(people: Path, gallery: Gallery) -> None:
    paint(people / "Augusta/1.png", 1, photo=7)
    outcome = enroll_folder(people, gallery, fake_recognizer())
    (pair,) = outcome.lookalikes
    assert {pair.subject.name, pair.other.name} == {"Ada", "Augusta"}


def test_what_programs_are_told(people: Path, gallery: Gallery) -> None:
    paint(people / "Ada/0.png")
    outcome = enroll_folder(people, gallery, fake_recognizer())
    failed, enrolled, *_ = map(enrolled_photo_json, outcome.photos)
    assert failed == {
        "image": str(people / "Ada/0.png"),
        "person": "Ada",
        "outcome": "failed",
        "reason": "no face found",
    }
    assert (enrolled["outcome"], enrolled["person"], enrolled["weakness"]) == ("enrolled", "Ada", "")
    answer = enrolled_photos_json(outcome, gallery)
    assert (answer["people"], answer["enrolled"], answer["already"]) == (2, 3, 0)
    assert answer["failed"] == [{"image": str(people / "Ada/0.png"), "reason": "no face found"}]
