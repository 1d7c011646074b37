"""Words for how sure a decision is."""

import pytest

from kith.decisions.calibration import Calibration, Tail
from kith.presentation.certainty import RUNGS, how_sure
from kith.records import Candidate, Decision, IdentificationPolicy, Outcome, Subject

THRESHOLDS = {0.1: 0.90, 1e-2: 0.92, 1e-3: 0.94, 1e-4: 0.96}
NO_ONE_IS_SIMILAR = "no one enrolled is similar enough"


def decided(outcome: Outcome, score: float, reason: str = "") -> Decision:
    return Decision(outcome, (Candidate(Subject(1, "Ada"), score),), reason)


def policy_measured_to(lowest: float):
    return lambda fpir: IdentificationPolicy(
        THRESHOLDS[fpir], fpir, 8, "invented people", extrapolated=fpir < lowest
    )


@pytest.mark.parametrize(
    ("score", "said"),
    [
        (0.899, "perhaps: how many strangers look so alike was not measured"),
        (0.90, "perhaps: fewer than 1 in 10 strangers look so alike"),
        (0.919, "perhaps: fewer than 1 in 10 strangers look so alike"),
        (0.92, "probably: fewer than 1 in 100 strangers look so alike"),
        (0.939, "probably: fewer than 1 in 100 strangers look so alike"),
        (0.94, "very likely: fewer than 1 in 1,000 strangers look so alike"),
        (0.959, "very likely: fewer than 1 in 1,000 strangers look so alike"),
        (0.96, "almost certainly: fewer than 1 in 10,000 strangers look so alike"),
        (1.0, "almost certainly: fewer than 1 in 10,000 strangers look so alike"),
    ],
)
def test_a_match_is_as_sure_as_the_lowest_rate_it_reaches(score: float, said: str) -> None:
    assert how_sure(decided(Outcome.MATCH, score), policy_measured_to(1e-4)) == said


@pytest.mark.parametrize(
    ("lowest", "words"),
    [
        (1e-4, "almost certainly"),
        (1e-3, "very likely"),
        (1e-2, "probably"),
        (0.1, "perhaps"),
        (0.5, "perhaps"),
    ],
)
def test_no_word_is_stronger_than_what_was_measured(lowest: float, words: str) -> None:
    assert how_sure(decided(Outcome.MATCH, 1.0), policy_measured_to(lowest)).split(":")[0] == words


@pytest.mark.parametrize(
    ("score", "words"),
    [(0.5, "nobody we know"), (0.8999, "nobody we know"), (0.9, "probably nobody we know")],
)
def test_an_unknown_face_is_less_surely_nobody_where_few_strangers_look_so_alike(
    score: float, words: str
) -> None:
    decision = decided(Outcome.UNKNOWN, score, NO_ONE_IS_SIMILAR)
    assert how_sure(decision, policy_measured_to(1e-4)) == f"{words}: {NO_ONE_IS_SIMILAR}"


@pytest.mark.parametrize(
    ("decision", "said"),
    [
        (decided(Outcome.LOW_QUALITY, 0.99, "too blurred"), "cannot tell: too blurred"),
        (decided(Outcome.AMBIGUOUS, 0.99, "Ada or Grace"), "one of two: Ada or Grace"),
        (Decision(Outcome.UNKNOWN, (), "no one is enrolled"), "nobody we know: no one is enrolled"),
    ],
)
def test_where_it_cannot_be_told_the_reason_is(decision: Decision, said: str) -> None:
    assert how_sure(decision, policy_measured_to(1e-4)) == said


def test_rungs_go_from_weak_to_strong() -> None:
    rates = [rate for rate, _ in RUNGS]
    assert rates == sorted(rates, reverse=True)


def test_the_more_people_are_enrolled_the_less_is_said_of_one_score() -> None:
    tail = Tail((0.5, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5), (0.5, 0.6, 0.7, 0.8, 0.9, 0.95))
    calibration = Calibration("invented people", 9, 9, 9, tail, tail, None, (0.0, 1.0), (-9.0, 9.0))
    said = [
        how_sure(
            decided(Outcome.MATCH, 0.96),
            lambda fpir, people=people: calibration.identification_policy(people, fpir=fpir),
        ).split(":")[0]
        for people in (1, 100, 10_000)
    ]
    assert said == ["almost certainly", "very likely", "perhaps"]
