import numpy as np
import pytest

from kith.decisions.cosine import score_all, score_pairs
from kith.decisions.decide import compare, decide, decide_photo, threshold_at_fmr
from kith.errors import ModelMismatch
from kith.records import Candidate, DecisionPolicy, IdentificationPolicy, Outcome, Subject, Template

POLICY = IdentificationPolicy(threshold=0.5, fpir=0.01, people=10, measured_on="a test", margin=0.05)
VERIFICATION = DecisionPolicy(threshold=0.5, fmr=0.001, measured_on="a test")
ADA, GRACE, MARY = (Subject(index, name) for index, name in enumerate(("Ada", "Grace", "Mary"), start=1))


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


def test_compare_at_the_threshold_is_a_match() -> None:
    template = Template(np.array([1, 0], np.float32), "m")
    at = Template(np.array([0.5, np.sqrt(0.75)], np.float32), "m")
    assert compare(template, at, VERIFICATION).outcome is Outcome.MATCH
    below = Template(np.array([0.49, np.sqrt(1 - 0.49**2)], np.float32), "m")
    assert compare(template, below, VERIFICATION).outcome is Outcome.NON_MATCH


def test_templates_of_two_models_do_not_compare() -> None:
    with pytest.raises(ModelMismatch, match="one and other"):
        compare(Template(unit_rows(1, 0)[0], "one"), Template(unit_rows(1, 0)[0], "other"), VERIFICATION)


def test_nobody_enrolled_is_unknown() -> None:
    decision = decide([], POLICY)
    assert (decision.outcome, decision.subject, decision.score) == (Outcome.UNKNOWN, None, None)


def test_a_stranger_is_unknown_and_keeps_the_candidates() -> None:
    decision = decide([Candidate(ADA, 0.49)], POLICY)
    assert (decision.outcome, decision.subject, decision.score) == (Outcome.UNKNOWN, None, 0.49)


def test_a_match() -> None:
    decision = decide([Candidate(ADA, 0.8), Candidate(GRACE, 0.6)], POLICY)
    assert (decision.outcome, decision.subject) == (Outcome.MATCH, ADA)


def test_two_close_ones_are_ambiguous() -> None:
    decision = decide([Candidate(ADA, 0.8), Candidate(GRACE, 0.78)], POLICY)
    assert (decision.outcome, decision.subject) == (Outcome.AMBIGUOUS, None)
    assert decision.reason == "Ada or Grace"


def test_the_classifier_chooses_only_among_those_similar_enough() -> None:
    decision = decide([Candidate(ADA, 0.3, 0.9), Candidate(GRACE, 0.7, 0.1)], POLICY)
    assert decision.subject == GRACE
    assert decision.candidates[0].subject == GRACE


def test_the_classifiers_choice_against_a_better_score_is_ambiguous() -> None:
    decision = decide([Candidate(ADA, 0.6, 0.9), Candidate(GRACE, 0.8, 0.1)], POLICY)
    assert decision.outcome is Outcome.AMBIGUOUS


def test_nobody_is_twice_in_one_photo() -> None:
    faces = [[Candidate(ADA, 0.7), Candidate(GRACE, 0.6)], [Candidate(ADA, 0.9), Candidate(MARY, 0.3)]]
    first, second = decide_photo(faces, POLICY)
    assert (first.subject, second.subject) == (GRACE, ADA)


def test_a_second_face_of_one_person_is_unknown_where_nobody_else_fits() -> None:
    first, second = decide_photo([[Candidate(ADA, 0.9)], [Candidate(ADA, 0.8)]], POLICY)
    assert (first.subject, second.outcome) == (ADA, Outcome.UNKNOWN)
    assert (second.reason, second.score) == ("Ada is another face of this photo", 0.8)


def test_a_stranger_among_named_people_is_not_similar_enough() -> None:
    first, second = decide_photo([[Candidate(ADA, 0.9)], [Candidate(ADA, 0.2)]], POLICY)
    assert (first.subject, second.reason) == (ADA, "no one enrolled is similar enough")
    assert second.candidates == (Candidate(ADA, 0.2),)


def test_an_unfit_face_takes_no_name_away() -> None:
    faces = [[Candidate(ADA, 0.9)], [Candidate(ADA, 0.8)]]
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
