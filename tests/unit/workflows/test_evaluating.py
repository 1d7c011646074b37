"""From a folder to figures, with a fake recognizer whose figures can be told by hand."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import MODEL, fake_recognizer, paint
from witness import Witness

from kith.errors import EvaluationError, InvalidArgument
from kith.presentation.clusters_page import write_clusters_report
from kith.presentation.evaluations import (
    clusters_json,
    comparison_table,
    identification_json,
    transfer_json,
    transfer_table,
    verification_json,
)
from kith.presentation.identification_page import write_identification_report
from kith.presentation.models_page import write_comparison_report
from kith.presentation.verification_page import write_verification_report
from kith.workflows import evaluating


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """Six people with three photos each; of one photo a face is not found."""
    root = tmp_path / "people"
    for person in range(1, 7):
        for photo in range(3):
            paint(root / f"person {person}/{photo}.png", person, photo=photo)
    paint(root / "person 2/3.png")
    return root


def test_verification(people: Path) -> None:
    progress = Witness()
    verified = evaluating.verification(people, fake_recognizer(), progress=progress)
    assert (verified.result.mated, verified.result.non_mated) == (6 * 3 + 3, 19 * 18 // 2 - 21)
    assert verified.acquired.failures == 1
    assert verified.result.not_acquired == 18, "all pairs with the photo that gave no face"
    assert verified.result.eer.value == pytest.approx(3 / 21, abs=0.08), "such pairs never match, and count"
    assert progress.begun == [("embedding", 19)]
    assert progress.said == [f"{people / 'person 2/3.png'}: no face found"]


def test_verification_by_a_file_of_pairs_and_of_groups(people: Path, tmp_path: Path) -> None:
    pairs, groups = tmp_path / "pairs.csv", tmp_path / "groups.csv"
    pairs.write_text(
        "person 1/0.png,person 1/1.png,1\nperson 2/0.png,person 2/1.png,1\n"
        "person 1/0.png,person 2/0.png,0\nperson 1/1.png,person 2/1.png,0\n"
    )
    groups.write_text("person 1,first\nperson 2,first\n")
    verified = evaluating.verification(people, fake_recognizer(), pairs=pairs, groups=groups)
    assert (verified.result.mated, verified.result.non_mated) == (2, 2)
    assert [(group.label, group.people) for group in verified.groups] == [("first", 2)]


def test_identification(people: Path) -> None:
    identified = evaluating.identification(people, fake_recognizer(), people=4, references=1)
    assert (identified.result.people, identified.result.references) == (4, 4)
    assert identified.rule.policy.people == 4, "photos are no people"
    assert identified.result.ranks[1].value > 0.85
    more = evaluating.identification(people, fake_recognizer(), people=3, references=2, strangers=2)
    assert (more.result.people, more.result.references, more.result.strangers) == (3, 6, 2)


def test_clusters(people: Path) -> None:
    clustered = evaluating.clusters(people, fake_recognizer())
    assert (clustered.result.faces, clustered.result.people, clustered.result.clusters) == (18, 6, 6)
    assert clustered.result.bcubed.f == 1
    assert len(clustered.photos) == len(clustered.labels) == 18


def test_clusters_of_photos_without_a_face(tmp_path: Path) -> None:
    for name in ("Ada", "Grace"):
        paint(tmp_path / name / "1.png", photo=len(name))
    with pytest.raises(EvaluationError, match="no photo gave a face"):
        evaluating.clusters(tmp_path, fake_recognizer())


def test_calibration(tmp_path: Path) -> None:
    for person in range(1, 13):
        for photo in range(4):
            paint(tmp_path / "some people" / str(person) / f"{photo}.png", person, photo=photo)
    found = evaluating.calibration(tmp_path / "some people", fake_recognizer())
    assert (found.people, found.mated) == (12, 12 * 6)
    assert found.measured_on.startswith("some people: 1,056 non-mated pairs of 12 people")
    assert found.unrecognizable, "else no face would be too coarse to recognize"


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty-two people with three photos each."""
    root = tmp_path_factory.mktemp("crowd")
    for person in range(1, 23):
        for photo in range(3):
            paint(root / f"{person}/{photo}.png", person, photo=photo)
    return root


def test_a_promise_is_put_to_the_test_on_the_other_half(crowd: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    found = evaluating.transfer(crowd, fake_recognizer(), fmr=0.1, fpir=0.5, keep=kept)
    (of_pairs, *_) = found
    assert of_pairs.policy.measured_on == "half of " + crowd.name + ": 495 non-mated pairs of 11 people"
    other_half = transfer_json(fake_recognizer(), found)["promises"][0]
    assert (other_half["group"], other_half["people"], other_half["policy"]["fmr"]) == ("everyone", 1, 0.1)
    assert other_half["times_the_promise"] == round(of_pairs.measured.value / 0.1, 3)
    again = fake_recognizer()
    assert evaluating.transfer(crowd, again, fmr=0.1, fpir=0.5, keep=kept) == found
    assert again.detector.looked_at == 0


def test_nobody_is_in_both_halves(crowd: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    halves: list[np.ndarray] = []
    for name in ("fit_calibration", "evaluate_transfer"):
        real, place = getattr(evaluating, name), 0 if name == "fit_calibration" else 1

        def witnessed(*arguments: Any, real: Any = real, place: int = place, **settings: Any) -> Any:
            halves.append(arguments[place + 1])
            return real(*arguments, **settings)

        monkeypatch.setattr(evaluating, name, witnessed)
    evaluating.transfer(crowd, fake_recognizer(), fmr=0.1, fpir=0.5)
    known, tested = (set(subjects.tolist()) for subjects in halves)
    assert not known & tested
    assert known | tested == set(range(22))


def test_a_promise_of_other_people_or_of_a_file(crowd: Path, tmp_path: Path) -> None:
    recognizer = fake_recognizer()
    file = tmp_path / "calibration.json"
    groups = tmp_path / "groups.csv"
    groups.write_text("".join(f"{person},{'odd' if person % 2 else 'even'}\n" for person in range(1, 23)))
    file.write_text(recognizer.calibration.to_json())
    of_file = evaluating.transfer(crowd, recognizer, calibrated_on=file, groups=groups)
    assert {promise.policy.measured_on for promise in of_file} == {"made-up people"}
    assert {promise.group for promise in of_file} == {"odd", "even"}
    of_people = evaluating.transfer(crowd, recognizer, calibrated_on=crowd)
    assert of_people[0].policy.measured_on.startswith(f"{crowd.name}: ")
    header, rows = transfer_table(of_file)
    assert [len(row) for row in rows] == [len(header)] * len(of_file)
    with pytest.raises(InvalidArgument, match="fmr must lie between 0 and 1"):
        evaluating.transfer(crowd, recognizer, fmr=2)


def test_calibrating_within_groups(crowd: Path, tmp_path: Path) -> None:
    groups = tmp_path / "groups.csv"
    groups.write_text("".join(f"{person},known\n" for person in range(1, 23)))
    found = evaluating.calibration(crowd, fake_recognizer(), groups=groups)
    assert list(found.comparisons.tails) == ["everyone", "known"]


def test_what_was_embedded_is_kept(people: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    evaluating.clusters(people, fake_recognizer(), keep=kept)
    again = fake_recognizer()
    evaluating.verification(people, again, keep=kept)
    assert again.detector.looked_at == 0


def test_pages_and_their_figures(people: Path, tmp_path: Path) -> None:
    recognizer = fake_recognizer()
    verified = evaluating.verification(people, recognizer)
    identified = evaluating.identification(people, recognizer)
    clustered = evaluating.clusters(people, recognizer)
    pages = {
        "v": (
            write_verification_report(tmp_path / "v", recognizer, verified, data="my people"),
            "least alike",
        ),
        "i": (write_identification_report(tmp_path / "i", recognizer, identified), "Strangers most like"),
        "c": (write_clusters_report(tmp_path / "c", recognizer, clustered), "Agreement"),
    }
    for name, (page, words) in pages.items():
        assert page == tmp_path / name / "index.html"
        assert words in page.read_text()
    assert "on my people" in pages["v"][0].read_text()
    assert "data:image/jpeg;base64," in pages["v"][0].read_text()
    figures = {name: json.loads((tmp_path / name / "result.json").read_text()) for name in pages}
    assert figures["v"] == verification_json(recognizer, verified)
    assert figures["i"] == identification_json(recognizer, identified)
    assert figures["c"] == clusters_json(recognizer, clustered)
    page = write_comparison_report(tmp_path / "m", {MODEL: verified}, {MODEL: identified}, data="my people")
    assert "Models side by side" in page.read_text()
    columns, rows = comparison_table({MODEL: verified}, {MODEL: identified})
    assert columns == ("", MODEL)
    assert [row[0] for row in rows][0 :: len(rows) - 1] == ["EER", "failures to acquire"]


def test_a_photo_that_is_gone_is_gray_in_a_report(people: Path, tmp_path: Path) -> None:
    recognizer = fake_recognizer()
    verified = evaluating.verification(people, recognizer)
    for photo in people.rglob("*.png"):
        photo.unlink()
    page = write_verification_report(tmp_path / "v", recognizer, verified)
    assert "data:image/jpeg;base64," in page.read_text()


def test_subjects_stay_with_their_photos(people: Path) -> None:
    """Whoever gave no face is left out of photos and people alike."""
    clustered = evaluating.clusters(people, fake_recognizer())
    names = np.array([photo.parent.name for photo in clustered.photos])
    assert all(len(set(names[clustered.subjects == subject])) == 1 for subject in clustered.subjects)
