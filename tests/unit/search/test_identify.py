from collections.abc import Callable

import numpy as np
import pytest
from made_up_calibration import measured_up_to

from kith.errors import InvalidArgument, ModelMismatch
from kith.gallery import Gallery, NewReference
from kith.records import Face, Outcome, Template
from kith.search.identify import identify

MODEL = "test-model"
CALIBRATION = measured_up_to(400)


@pytest.fixture
def enroll(gallery: Gallery, face: Face) -> Callable[..., None]:
    def enroll(name: str, *rows: np.ndarray) -> None:
        new = [
            NewReference(Template(row, MODEL), face, f"{name} {number}.jpg", f"{name} {number}")
            for number, row in enumerate(rows)
        ]
        gallery.enroll(name, new)

    return enroll


def row(*values: float) -> np.ndarray:
    vector = np.zeros(16, np.float32)
    vector[: len(values)] = values
    return vector / np.linalg.norm(vector)


@pytest.mark.parametrize("limit", [1, 2, 5, 20])
def test_twins_are_ambiguous_however_few_are_listed(
    gallery: Gallery, enroll: Callable[..., None], limit: int
) -> None:
    enroll("Ada", row(1, 0.05))
    enroll("Ada's twin", row(1, -0.05))
    enroll("Grace", row(0, 0, 1))
    (decision,) = identify([Template(row(1, 0.001), MODEL)], gallery, CALIBRATION, limit=limit)
    assert decision.outcome is Outcome.AMBIGUOUS
    assert len(decision.candidates) == min(limit, 3)


def test_the_policy_counts_people_not_their_photos(gallery: Gallery, enroll: Callable[..., None]) -> None:
    enroll("Ada", *(row(1, 0, 0.01 * number) for number in range(30)))
    enroll("Grace", row(0, 1))
    (decision,) = identify([Template(row(1), MODEL)], gallery, CALIBRATION)
    assert (decision.policy.people, decision.subject and decision.subject.name) == (2, "Ada")
    alone = CALIBRATION.searches["normalized"].at(2).threshold(decision.policy.rate)
    assert decision.policy.threshold == pytest.approx(alone)


def test_nobody_is_enrolled(gallery: Gallery) -> None:
    (decision,) = identify([Template(row(1), MODEL)], gallery, CALIBRATION)
    assert (decision.outcome, decision.reason) == (Outcome.UNKNOWN, "no one is enrolled")


def test_templates_of_another_model_are_refused(gallery: Gallery, enroll: Callable[..., None]) -> None:
    enroll("Ada", row(1))
    with pytest.raises(ModelMismatch, match="holds templates of test-model"):
        identify([Template(row(1), "another")], gallery, CALIBRATION)


@pytest.mark.parametrize("wrong", [{"limit": 0}, {"fpir": 0}, {"fpir": 1.0}])
def test_what_cannot_be_asked_is_refused(gallery: Gallery, wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidArgument, match=next(iter(wrong))):
        identify([Template(row(1), MODEL)], gallery, CALIBRATION, **wrong)
