"""Words for how sure a decision is."""

import pytest
from made_up_calibration import measured_up_to

from kith.decisions.scoring import rule_for
from kith.presentation.certainty import RUNGS, how_sure
from kith.records import Candidate, Decision, Measure, Outcome, Policy, Subject

NO_ONE_IS_SIMILAR = "no one enrolled is similar enough"


def decided(outcome: Outcome, fpir: float, reason: str = "", lowest: float = 1e-4) -> Decision:
    policy = Policy(Measure.FPIR, 3e-3, 0.93, "invented people", 8, lowest=lowest)
    return Decision(outcome, (Candidate(Subject(1, "Ada"), 0.9, fpir),), policy, reason)


@pytest.mark.parametrize(
    ("fpir", "said"),
    [
        (0.11, "perhaps: how many strangers look so alike was not measured"),
        (0.1, "perhaps: fewer than 1 in 10 strangers look so alike"),
        (0.011, "perhaps: fewer than 1 in 10 strangers look so alike"),
        (0.01, "probably: fewer than 1 in 100 strangers look so alike"),
        (0.0011, "probably: fewer than 1 in 100 strangers look so alike"),
        (0.001, "very likely: fewer than 1 in 1,000 strangers look so alike"),
        (0.00011, "very likely: fewer than 1 in 1,000 strangers look so alike"),
        (0.0001, "almost certainly: fewer than 1 in 10,000 strangers look so alike"),
        (0.0, "almost certainly: fewer than 1 in 10,000 strangers look so alike"),
    ],
)
def test_a_match_is_as_sure_as_the_lowest_rate_it_reaches(fpir: float, said: str) -> None:
    assert how_sure(decided(Outcome.MATCH, fpir)) == said


@pytest.mark.parametrize(
    ("lowest", "words"),
    [
        (1e-4, "almost certainly"),
        (1e-3, "very likely"),
        (1e-2, "probably"),
        (0.1, "perhaps"),
        (1.0, "perhaps"),
    ],
)
def test_no_word_is_stronger_than_what_was_measured(lowest: float, words: str) -> None:
    assert how_sure(decided(Outcome.MATCH, 1e-9, lowest=lowest)).split(":")[0] == words


@pytest.mark.parametrize(
    ("fpir", "words"), [(0.9, "nobody we know"), (0.101, "nobody we know"), (0.1, "probably nobody we know")]
)
def test_an_unknown_face_is_less_surely_nobody_where_few_strangers_look_so_alike(
    fpir: float, words: str
) -> None:
    assert how_sure(decided(Outcome.UNKNOWN, fpir, NO_ONE_IS_SIMILAR)) == f"{words}: {NO_ONE_IS_SIMILAR}"


@pytest.mark.parametrize(
    ("decision", "said"),
    [
        (decided(Outcome.LOW_QUALITY, 1e-4, "too blurred"), "cannot tell: too blurred"),
        (decided(Outcome.AMBIGUOUS, 1e-4, "Ada or Grace"), "one of two: Ada or Grace"),
        (
            Decision(Outcome.UNKNOWN, (), Policy(Measure.FPIR, 3e-3, 0.9, "x"), "no one is enrolled"),
            "nobody we know: no one is enrolled",
        ),
    ],
)
def test_where_it_cannot_be_told_the_reason_is(decision: Decision, said: str) -> None:
    assert how_sure(decision) == said


def test_rungs_go_from_weak_to_strong() -> None:
    rates = [rate for rate, _ in RUNGS]
    assert rates == sorted(rates, reverse=True)


def test_the_more_people_are_enrolled_the_less_is_said_of_one_score() -> None:
    said = []
    for people in (1, 100, 10_000):
        rule = rule_for(measured_up_to(100), people=people, references=people)
        found = (Candidate(Subject(1, "Ada"), 0.96, rule.tail.rate(0.96)),)
        said.append(how_sure(Decision(Outcome.MATCH, found, rule.policy)).split(":")[0])
    assert said == ["almost certainly", "very likely", "perhaps"]
