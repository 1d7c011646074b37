import numpy as np
import pytest
from made_up_calibration import NOBODY, calibration_of, measured_up_to, typical_faces

from kith.decisions.calibration import Scorer
from kith.decisions.cohort import NEAREST, Cohort
from kith.decisions.inflation import Inflation
from kith.decisions.scoring import SHARE, ClassifierKind, rule_for
from kith.decisions.svm import LinearSVM
from kith.search.people import People
from kith.search.ranking import CONSIDERED, find, rank, search


def people_of(count: int, photos: int = 2, seed: int = 0) -> People:
    random = np.random.default_rng(seed)
    owners = np.repeat(np.arange(count), photos)
    X = random.standard_normal((count, 12))[owners]
    X = X + 0.5 * random.standard_normal(X.shape)
    X = (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float32)
    some = owners % 3 != 2  # others have one photo
    some[::photos] = True
    return People.of(X[some], owners[some])


def probes(count: int, seed: int = 5) -> np.ndarray:
    X = np.random.default_rng(seed).standard_normal((count, 12)).astype(np.float32)
    return X / np.linalg.norm(X, axis=1, keepdims=True)


def plain_evidence(people: People, probe: np.ndarray, cohort: Cohort, inflation: Inflation) -> list[float]:
    """Of every person, by comparing everyone with everyone."""
    gain = [float(inflation.of(np.array([count]))[0]) for count in people.counts]

    def mean_of_others(scores: list[float], typical: np.ndarray) -> float:
        return sum(sorted([*scores, *map(float, typical)], reverse=True)[:NEAREST]) / NEAREST

    typical = cohort.centers if len(cohort) else np.full((NEAREST, len(probe)), -1.0)
    found = []
    for own, centroid in enumerate(people.centroids):
        others = [place for place in range(len(people)) if place != own]
        score = float(probe @ centroid) - gain[own]
        of_face = mean_of_others(
            [float(probe @ people.centroids[place]) - gain[place] for place in others], typical @ probe
        )
        of_person = mean_of_others(
            [float(centroid @ people.centroids[place]) - gain[place] for place in others],
            typical @ centroid,
        )
        near = (of_face + of_person - gain[own]) / 2 - cohort.usual
        found.append(score - SHARE * near if len(cohort) else score)
    return found


@pytest.mark.parametrize("cohort", [NOBODY, typical_faces(12), typical_faces(12, count=400)])
@pytest.mark.parametrize("inflation", [Inflation(), Inflation((1, 3), (0.0, 0.1))])
@pytest.mark.parametrize("count", [3, 60])
def test_the_nearest_few_give_the_likeliest_of_all(cohort: Cohort, inflation: Inflation, count: int) -> None:
    people, faces = people_of(count), probes(20)
    found = find(faces, people, Scorer.NORMALIZED, cohort=cohort, inflation=inflation, count=3)
    for row, face in enumerate(faces):
        everyone = plain_evidence(people, face, cohort, inflation)
        expected = sorted(range(count), key=lambda place: -everyone[place])[:3]
        assert found.positions[row].tolist() == expected
        np.testing.assert_allclose(found.evidence[row], [everyone[place] for place in expected], atol=1e-5)
        np.testing.assert_allclose(found.cosines[row], people.centroids[expected] @ face, atol=1e-6)


def test_candidates_carry_score_and_rate() -> None:
    people, calibration = people_of(60), measured_up_to(400, cohort=typical_faces(12))
    rule = rule_for(calibration, people=400, references=400)
    for row, candidates in enumerate(rank(probes(5), people, rule)):
        everyone = plain_evidence(people, probes(5)[row], rule.cohort, rule.inflation)
        assert len(candidates) == CONSIDERED
        assert [one.fpir for one in candidates] == sorted(one.fpir for one in candidates)
        for one in candidates:
            assert one.score == pytest.approx(
                float(people.centroids[one.subject.id] @ probes(5)[row]), abs=1e-6
            )
            assert one.fpir == pytest.approx(rule.tail.rate(everyone[one.subject.id]), rel=1e-3)
            assert one.probability is None


@pytest.mark.parametrize("kind", ClassifierKind)
def test_a_reference_finds_its_own_person(kind: ClassifierKind) -> None:
    people = people_of(30)
    svm = LinearSVM().fit(people.references, people.owners) if kind is ClassifierKind.SVM else None
    rule = rule_for(calibration_of(), kind, people=30, references=60)
    ranked = rank(people.references, people, rule, svm=svm)
    assert (
        np.mean([one[0].subject.id == owner for one, owner in zip(ranked, people.owners, strict=True)]) > 0.95
    )


def test_an_svm_orders_those_who_are_alike_enough_and_never_brings_another_before_them() -> None:
    """Of those who are alike enough the SVM's likeliest comes first, whoever it prefers among the others."""
    people = people_of(6, photos=4)
    rule = rule_for(measured_up_to(400), "svm", people=6, references=24, fpir=0.2)
    face = people.centroids[0] + people.centroids[1]
    face = (face / np.linalg.norm(face))[np.newaxis]

    class Contrary(LinearSVM):
        """Prefers whoever is least alike."""

        def predict_proba(self, X: np.ndarray) -> np.ndarray:
            return np.argsort(np.argsort(-(X @ people.centroids.T), axis=1), axis=1) / 15

    found = search(face, people, rule, svm=Contrary())
    enough = found.evidence[0] >= rule.policy.threshold
    assert 2 <= enough.sum() < 6, "else this test says nothing"
    assert enough.tolist() == sorted(enough.tolist(), reverse=True)
    for kind in (enough, ~enough):
        assert found.shares[0][kind].tolist() == sorted(found.shares[0][kind].tolist(), reverse=True)
    (candidates,) = rank(face, people, rule, svm=Contrary())
    assert [one.subject.id for one in candidates] == found.positions[0].tolist()
    assert candidates[0].probability == pytest.approx(found.shares[0][0])


def test_more_are_considered_than_one() -> None:
    assert len(rank(probes(1), people_of(30), rule_for(calibration_of(), people=30, references=60))[0]) > 1


def test_nobody_enrolled_or_nobody_asked() -> None:
    nobody = People.of(np.empty((0, 0), np.float32), np.empty(0, np.int64))
    rule = rule_for(calibration_of(), people=0, references=0)
    assert rank(probes(2), nobody, rule) == [[], []]
    assert rank(probes(0), people_of(3), rule) == []
