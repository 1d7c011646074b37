"""The question "is this anyone, and who?" has one answer, whoever asks."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from made_up_album import POLICY, face_at
from made_up_calibration import calibration_of, measured_up_to

from kith.decisions.calibration import Calibration
from kith.decisions.cohort import Cohort, cohort_of
from kith.decisions.scoring import ClassifierKind
from kith.evaluation.open_set import OpenSetProtocol
from kith.gallery import Album, Gallery, NewFace, NewReference, PhotoFile
from kith.records import Decision, Outcome, Template
from kith.search.identify import identify
from kith.workflows.albums import cluster_album, suggest
from kith.workflows.evaluating_searches import search_protocol

PEOPLE, PROBES = 160, 120


def made_up_rows() -> tuple[np.ndarray, np.ndarray]:
    """References of each person (p, 32), and probes: of the enrolled, and of people between two of them."""
    random = np.random.default_rng(3)
    people = random.standard_normal((PEOPLE, 32)) + 0.8 * random.standard_normal(32)
    probes = people[:PROBES] + random.uniform(0, 2.2, (PROBES, 1)) * random.standard_normal((PROBES, 32))
    return tuple(
        (each / np.linalg.norm(each, axis=1, keepdims=True)).astype(np.float32) for each in (people, probes)
    )


def typical_of(people: np.ndarray) -> Cohort:
    """Means of four people each."""
    return cohort_of(people.reshape(-1, 4, people.shape[1]).mean(axis=1), people)


CALIBRATIONS = {
    "measured": measured_up_to(400, cohort=typical_of(made_up_rows()[0])),
    "never measured in searches": calibration_of(),
}


@pytest.fixture(scope="module")
def rows() -> tuple[np.ndarray, np.ndarray]:
    return made_up_rows()


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory, rows: tuple[np.ndarray, np.ndarray]) -> Gallery:
    path: Path = tmp_path_factory.mktemp("gallery") / "gallery.db"
    with Gallery.open(path, model_id="test-model") as opened:
        for number, row in enumerate(rows[0]):
            reference = NewReference(
                Template(row, "test-model"), face_at(0), f"{number}.jpg", f"hash {number}"
            )
            opened.enroll(f"person {number:03}", [reference])
        yield opened


Decide = Callable[..., list[Decision]]


@pytest.fixture
def decide(gallery: Gallery, rows: tuple[np.ndarray, np.ndarray]) -> Decide:
    """Each probe as a photo of its own."""

    def decide(calibration: Calibration, classifier: str = "normalized") -> list[Decision]:
        return [
            identify([Template(row, "test-model")], gallery, calibration, classifier=classifier)[0]
            for row in rows[1]
        ]

    return decide


@pytest.mark.parametrize("name", CALIBRATIONS)
@pytest.mark.parametrize("kind", ClassifierKind)
def test_evaluate_and_compare_measure_what_identify_does(
    name: str, kind: ClassifierKind, decide: Decide, rows: tuple[np.ndarray, np.ndarray]
) -> None:
    decisions = decide(CALIBRATIONS[name], kind)
    embeddings = np.concatenate(rows)
    subjects = np.append(np.arange(PEOPLE), np.arange(PROBES))
    everyone = np.arange(len(embeddings))
    protocol = OpenSetProtocol(everyone[:PEOPLE], everyone[PEOPLE:], everyone[PEOPLE:])
    rule, searches = search_protocol(CALIBRATIONS[name], embeddings, subjects, protocol, kind)
    assert {decision.policy for decision in decisions} == {rule.policy}
    assert 0 < sum(one.outcome is Outcome.UNKNOWN for one in decisions) < PROBES, "else this says nothing"
    for number, decision in enumerate(decisions):
        assert (decision.outcome is Outcome.UNKNOWN) == (searches.strangers[number] < rule.policy.threshold)
        if decision.subject is not None:
            is_right = decision.subject.name == f"person {number:03}"
            assert is_right == (searches.rank[number] == 1)


@pytest.mark.parametrize("name", CALIBRATIONS)
def test_clusters_look_like_whom_identify_names(
    name: str, decide: Decide, gallery: Gallery, rows: tuple[np.ndarray, np.ndarray]
) -> None:
    album = Album(gallery)
    if not len(album.faces()):
        for number, row in enumerate(rows[1]):
            face = NewFace(face_at(0), Template(row, "test-model"), "", b"a thumbnail")
            album.add(PhotoFile(f"probe {number}.jpg", 1000 + number, 1), f"probe {number}", [face])
        strict = POLICY.__class__(POLICY.measure, POLICY.rate, 0.999, POLICY.measured_on)
        cluster_album(album, strict)
    looks_like = suggest(album, CALIBRATIONS[name])
    said = {
        int(member.source.split()[1].removesuffix(".jpg")): looks_like[member.cluster].subject
        for member in album.members()
        if member.cluster in looks_like
    }
    decided = {n: one.subject for n, one in enumerate(decide(CALIBRATIONS[name])) if one.subject is not None}
    assert said == decided
