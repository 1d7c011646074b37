"""Searches are evaluated as they are decided."""

import numpy as np
import pytest
from made_up_calibration import calibration_of, measured_up_to

from kith.decisions.decide import decide
from kith.decisions.scoring import ClassifierKind
from kith.decisions.svm import LinearSVM
from kith.decisions.tail import Tail
from kith.errors import EvaluationError
from kith.evaluation.identification import evaluate_searches
from kith.evaluation.labelled import LabelledPhotos
from kith.evaluation.open_set import draw_open_set
from kith.records import Outcome
from kith.search.people import People
from kith.search.ranking import rank
from kith.workflows.evaluating_searches import draw_searches, growth_of_fpir, search_protocol


def faces(people: int, photos: int, noise: float = 0.25, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    centres = random.standard_normal((people, 16))
    X = np.repeat(centres, photos, axis=0) + noise * 4 * random.standard_normal((people * photos, 16))
    return (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float32), np.repeat(
        np.arange(people), photos
    )


@pytest.mark.parametrize("kind", ClassifierKind)
def test_what_is_measured_is_what_is_decided(kind: ClassifierKind) -> None:
    """Of every search: named and rightly so, exactly where a decision is a match of the right person."""
    X, subjects = faces(40, 5, noise=0.35)
    protocol = draw_open_set(subjects, people=20, references=2)
    rule, searches = search_protocol(measured_up_to(400), X, subjects, protocol, kind)
    people = People.of(X[protocol.references], subjects[protocol.references])
    svm = LinearSVM().fit(people.references, people.owners) if kind is ClassifierKind.SVM else None
    for rows, best in ((protocol.mated, searches.best), (protocol.strangers, searches.strangers)):
        for candidates, evidence in zip(rank(X[rows], people, rule, svm=svm), best, strict=True):
            is_unknown = decide(candidates, rule.policy).outcome is Outcome.UNKNOWN
            assert is_unknown == (evidence < rule.policy.threshold)


def test_the_rule_is_that_of_the_enrolled_whose_photos_gave_a_face() -> None:
    X, subjects = faces(40, 5)
    protocol = draw_open_set(subjects, people=20, references=2)
    lost = np.unique(subjects[protocol.references])[:5]
    X[protocol.references[np.isin(subjects[protocol.references], lost)]] = 0
    rule, searches = search_protocol(measured_up_to(400), X, subjects, protocol)
    assert rule.policy.people == 15
    assert (searches.rank[np.isin(searches.subjects, lost)] == 0).all(), "who is not enrolled is not found"


def test_nobody_enrolled_is_told() -> None:
    X, subjects = faces(10, 3)
    protocol = draw_open_set(subjects, people=5, references=1)
    X[protocol.references[1:]] = 0
    with pytest.raises(EvaluationError, match="at least two enrolled people"):
        search_protocol(measured_up_to(400), X, subjects, protocol)


def test_half_of_those_with_enough_photos_are_enrolled() -> None:
    labelled = LabelledPhotos((), np.repeat(np.arange(9), 3), tuple("abcdefghi"))
    assert len(draw_searches(labelled).references) == 5
    assert len(draw_searches(labelled, people=3, references=2).references) == 6
    with pytest.raises(EvaluationError, match="0 people have more than 3 photos; at least two must"):
        draw_searches(labelled, references=3)


def test_rates_equal_a_plain_loop() -> None:
    X, subjects = faces(40, 5, noise=0.35)
    protocol = draw_open_set(subjects, people=20, references=2)
    _, searches = search_protocol(calibration_of(), X, subjects, protocol)
    result = evaluate_searches(searches, people=20, references=40, fpirs=(0.1, 0.02, 0.001), replicates=5)
    enrolled = People.of(X[protocol.references], subjects[protocol.references])
    # at once: one by one differs in the last digit
    of_strangers = X[protocol.strangers] @ enrolled.centroids.T
    best_of_strangers = sorted((max(row) for row in of_strangers), reverse=True)
    ranks, best = [], []
    of_mated = X[protocol.mated] @ enrolled.centroids.T
    for one, scores in zip(protocol.mated, of_mated, strict=True):
        own = scores[enrolled.ids.tolist().index(subjects[one])]
        ranks.append(sum(score >= own for score in scores))
        best.append(max(scores))
    for place, found in result.ranks.items():
        assert found.value == pytest.approx(np.mean([r <= place for r in ranks]))
    assert result.cmc.tolist() == pytest.approx([np.mean([r <= k for r in ranks]) for k in range(1, 21)])
    assert set(result.fnir_at_fpir) == {0.1, 0.02}
    assert result.too_low == (0.001,)
    for fpir, fnir in result.fnir_at_fpir.items():
        limit = best_of_strangers[int(fpir * len(best_of_strangers))]
        missed = [place != 1 or score <= limit for place, score in zip(ranks, best, strict=True)]
        assert fnir.value == pytest.approx(np.mean(missed))
        assert fnir.low <= fnir.value <= fnir.high
        named = np.mean([score >= result.threshold_at_fpir[fpir] for score in best_of_strangers])
        assert named <= fpir


def test_a_photo_without_a_face_is_an_error_for_the_enrolled_and_none_for_a_stranger() -> None:
    X, subjects = faces(20, 3, noise=0.05)
    protocol = draw_open_set(subjects, people=10, references=1)
    X[protocol.mated[:5]] = 0
    X[protocol.strangers] = 0
    _, searches = search_protocol(calibration_of(), X, subjects, protocol)
    assert (searches.rank[:5] == 0).all()
    result = evaluate_searches(searches, people=10, references=10, threshold=0.5, replicates=5)
    assert result.ranks[1].value == pytest.approx(15 / 20)
    assert result.at_policy is not None
    assert result.at_policy.fpir.value == 0


def test_growth_is_measured_and_predicted() -> None:
    X, subjects = faces(120, 2, noise=0.3)
    protocol = draw_open_set(subjects, people=60, references=1)
    calibration = calibration_of(Tail((0.5, 0.003), (0.5, 0.6)))
    growth = growth_of_fpir(calibration, X, subjects, protocol)
    sizes = [point.people for point in growth]
    assert sizes[:4] == [10, 20, 50, 60]
    measured = [point.fpir for point in growth[:4]]
    assert measured == sorted(measured)
    assert growth[3].predicted == pytest.approx(measured[-1])
    assert np.isnan(growth[-1].fpir)
    assert growth[-1].predicted > growth[3].predicted
