from dataclasses import replace

import numpy as np
import pytest

from kith.records import Candidate, Decision, Face, Measure, Outcome, Policy, Subject, Template


def test_a_face_knows_its_sides(face: Face) -> None:
    assert (face.width, face.height) == (80, 100)


@pytest.mark.parametrize(
    ("degrees", "turned"),
    [
        (0, 0),
        (30, 0),
        (-40, 0),
        (60, 90),
        (90, 90),
        (179, 180),
        (170, 180),
        (-170, 180),
        (-90, 270),
        (-50, 270),
    ],
)
def test_a_face_knows_how_it_lies(face: Face, degrees: float, turned: int) -> None:
    angle = np.radians(degrees)
    clockwise = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])  # y points down
    lying = replace(face, landmarks=(face.landmarks @ clockwise).astype(np.float32))
    assert lying.roll == pytest.approx(degrees, abs=0.01)
    assert lying.turned == turned


def test_a_face_without_a_direction_is_upright() -> None:
    assert Face(np.zeros(4, np.float32), np.zeros((5, 2), np.float32), 1.0).turned == 0


def test_wrong_shapes_are_named() -> None:
    with pytest.raises(ValueError, match=r"box must have shape \(4\), got \(3,\)"):
        Face(np.zeros(3, np.float32), np.zeros((5, 2), np.float32), 1.0)
    with pytest.raises(ValueError, match=r"landmarks must have shape \(5, 2\), got \(68, 2\)"):
        Face(np.zeros(4, np.float32), np.zeros((68, 2), np.float32), 1.0)
    with pytest.raises(ValueError, match="one dimension"):
        Template(np.zeros((1, 128), np.float32), "m")


@pytest.mark.parametrize("rate", [1.1, -0.1, float("nan")])
def test_a_policy_promises_a_rate(rate: float) -> None:
    with pytest.raises(ValueError, match="rate"):
        Policy(Measure.FMR, rate, 0.5, "nothing")


def test_only_a_match_has_a_subject() -> None:
    candidates = (Candidate(Subject(1, "Ada"), 0.9, 0.001),)
    policy = Policy(Measure.FPIR, 0.01, 0.5, "nothing")
    assert Decision(Outcome.MATCH, candidates, policy).subject == Subject(1, "Ada")
    for outcome in (Outcome.UNKNOWN, Outcome.AMBIGUOUS, Outcome.LOW_QUALITY):
        assert Decision(outcome, candidates, policy).subject is None
        assert Decision(outcome, candidates, policy).score == 0.9


def test_records_do_not_change() -> None:
    with pytest.raises(AttributeError):
        Subject(1, "Ada").name = "Grace"
