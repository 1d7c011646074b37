import numpy as np
import pytest
from made_up_calibration import TAIL, calibration_of

from kith.decisions.cosine import score_all, score_pairs
from kith.decisions.decide import compare, decide, decide_photo, threshold_at_fmr
from kith.errors import InvalidArgument, ModelMismatch
from kith.records import Candidate, Measure, Outcome, Policy, Subject, Template

POLICY = Policy(Measure.FPIR, 0.01, threshold=0.7, measured_on="a test", people=10)
CALIBRATION = calibration_of()
ADA, GRACE, MARY = (Subject(index, name) for index, name in enumerate(("Ada", "Grace", "Mary"), start=1))


def candidate(subject: Subject, score: float, probability: float | None = None) -> Candidate:
    return Candidate(subject, score, TAIL.rate(score), probability)


def unit_rows(count: int, seed: int) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal((count, 8)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_scores_equal_a_plain_loop() -> None:
    first, second = unit_rows(4, 0), unit_rows(4, 1)
    expected = [[sum(float(x) * float(y) for x, y in zip(a, b, strict=True)) for b in second] for a in first]
    np.testing.assert_allclose(score_all(first, second), expected, atol=1e-6)
    np.testing.assert_allclose(score_pairs(first, second), np.diag(expected), atol=1e-6)


def test_scores_of_different_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="references must have shape"):
        score_all(unit_rows(2, 0), np.zeros((2, 5), np.float32))


def pair(score: float) -> tuple[Template, Template]:
    return tuple(Template(np.array(v, np.float32), "m") for v in ([1, 0], [score, np.sqrt(1 - score**2)]))


def test_compare_at_the_threshold_is_a_match() -> None:
    assert compare(*pair(0.8001), CALIBRATION, fmr=0.001).outcome is Outcome.MATCH
    assert compare(*pair(0.7999), CALIBRATION, fmr=0.001).outcome is Outcome.NON_MATCH
    assert compare(*pair(0.7999), CALIBRATION, fmr=0.01).is_match


def test_a_comparison_names_its_policy_and_what_its_score_means() -> None:
    comparison = compare(*pair(0.75), CALIBRATION, fmr=0.01)
    assert (comparison.policy.measure, comparison.policy.rate) == (Measure.FMR, 0.01)
    assert (comparison.policy.threshold, comparison.policy.measured_on) == (
        pytest.approx(0.7),
        "made-up people",
    )
    assert comparison.fmr == pytest.approx(10**-2.5, rel=1e-3)
    assert comparison.probability == pytest.approx(CALIBRATION.probability(0.75), abs=1e-6)
    rarer = compare(*pair(0.75), CALIBRATION, prior=0.01)
    assert rarer.probability < comparison.probability


@pytest.mark.parametrize("wrong", [{"fmr": 0}, {"fmr": 1.5}, {"prior": 0}, {"prior": float("nan")}])
def test_what_is_no_rate_and_no_prior_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidArgument, match=f"{next(iter(wrong))} must lie between 0 and 1"):
        compare(*pair(0.75), CALIBRATION, **wrong)


def test_a_lower_rate_than_the_data_carry_is_not_promised() -> None:
    assert compare(*pair(0.75), CALIBRATION, fmr=1e-9).policy.rate == 1e-5


def test_templates_of_two_models_do_not_compare() -> None:
    with pytest.raises(ModelMismatch, match="one and other"):
        compare(Template(unit_rows(1, 0)[0], "one"), Template(unit_rows(1, 0)[0], "other"), CALIBRATION)


def test_nobody_enrolled_is_unknown() -> None:
    decision = decide([], POLICY)
    assert (decision.outcome, decision.subject, decision.score) == (Outcome.UNKNOWN, None, None)


def test_a_stranger_is_unknown_and_keeps_the_candidates() -> None:
    decision = decide([candidate(ADA, 0.69)], POLICY)
    assert (decision.outcome, decision.subject, decision.score) == (Outcome.UNKNOWN, None, 0.69)


def test_a_match() -> None:
    decision = decide([candidate(ADA, 0.8), candidate(GRACE, 0.72)], POLICY)
    assert (decision.outcome, decision.subject) == (Outcome.MATCH, ADA)


def test_two_close_ones_are_ambiguous() -> None:
    decision = decide([candidate(ADA, 0.8), candidate(GRACE, 0.796)], POLICY)
    assert (decision.outcome, decision.subject) == (Outcome.AMBIGUOUS, None)
    assert decision.reason == "Ada or Grace"


def test_the_classifier_chooses_only_among_those_similar_enough() -> None:
    decision = decide([candidate(ADA, 0.3, 0.9), candidate(GRACE, 0.75, 0.1)], POLICY)
    assert decision.subject == GRACE
    assert decision.candidates[0].subject == GRACE


def test_the_classifiers_choice_goes_before_a_better_score_unless_the_two_are_close() -> None:
    assert decide([candidate(ADA, 0.75, 0.9), candidate(GRACE, 0.8, 0.1)], POLICY).subject == ADA
    close = decide([candidate(ADA, 0.796, 0.9), candidate(GRACE, 0.8, 0.1)], POLICY)
    assert close.outcome is Outcome.AMBIGUOUS


def test_a_decision_names_its_policy() -> None:
    for candidates in (
        [],
        [candidate(ADA, 0.2)],
        [candidate(ADA, 0.9)],
        [candidate(ADA, 0.9), candidate(MARY, 0.9)],
    ):
        assert decide(candidates, POLICY).policy is POLICY
    (decision,) = decide_photo([[candidate(ADA, 0.9)]], POLICY, {0: "blurred"})
    assert decision.policy is POLICY


@pytest.mark.parametrize("limit", [1, 2, 5, None])
def test_how_many_are_listed_does_not_change_what_is_decided(limit: int | None) -> None:
    twins = [candidate(ADA, 0.9), candidate(GRACE, 0.899), candidate(MARY, 0.2)]
    (decision,) = decide_photo([twins], POLICY, limit=limit)
    assert (decision.outcome, decision.reason) == (Outcome.AMBIGUOUS, "Ada or Grace")
    assert len(decision.candidates) == min(limit or 3, 3)


def test_nobody_is_twice_in_one_photo() -> None:
    faces = [[candidate(ADA, 0.8), candidate(GRACE, 0.72)], [candidate(ADA, 0.9), candidate(MARY, 0.3)]]
    first, second = decide_photo(faces, POLICY)
    assert (first.subject, second.subject) == (GRACE, ADA)


def test_a_second_face_of_one_person_is_unknown_where_nobody_else_fits() -> None:
    first, second = decide_photo([[candidate(ADA, 0.9)], [candidate(ADA, 0.8)]], POLICY)
    assert (first.subject, second.outcome) == (ADA, Outcome.UNKNOWN)
    assert (second.reason, second.score) == ("Ada is another face of this photo", 0.8)


def test_a_stranger_among_named_people_is_not_similar_enough() -> None:
    first, second = decide_photo([[candidate(ADA, 0.9)], [candidate(ADA, 0.2)]], POLICY)
    assert (first.subject, second.reason) == (ADA, "no one enrolled is similar enough")
    assert second.candidates == (candidate(ADA, 0.2),)


def test_an_unfit_face_takes_no_name_away() -> None:
    faces = [[candidate(ADA, 0.9)], [candidate(ADA, 0.8)]]
    first, second = decide_photo(faces, POLICY, {0: "the face is blurred"})
    assert (first.outcome, first.reason) == (Outcome.LOW_QUALITY, "the face is blurred")
    assert second.subject == ADA


@pytest.mark.parametrize("fmr", [0.0, 0.001, 0.01, 0.25, 1.0])
def test_threshold_at_fmr_is_the_lowest_that_holds(fmr: float) -> None:
    scores = np.random.default_rng(0).normal(0, 0.2, 2000).astype(np.float32)
    threshold = threshold_at_fmr(scores, fmr)
    assert np.mean(scores >= threshold) <= fmr
    lower = scores[scores < threshold]
    if len(lower):
        assert np.mean(scores >= lower.max()) > fmr


def test_ties_do_not_break_the_rate() -> None:
    scores = np.array([0.1, 0.5, 0.5, 0.5], np.float32)
    assert np.mean(scores >= threshold_at_fmr(scores, 0.25)) == 0


def test_too_few_scores_for_a_rate_are_refused() -> None:
    with pytest.raises(ValueError, match="10 non-mated scores cannot show"):
        threshold_at_fmr(np.zeros(10, np.float32), 0.01)
