import json
from dataclasses import replace

import numpy as np
import pytest

from kith.decisions.calibration import Calibration, Scorer
from kith.decisions.groups import EVERYONE
from kith.decisions.scoring import ClassifierKind, rule_for
from kith.errors import EvaluationError
from kith.evaluation.open_set import draw_open_set
from kith.search.people import People
from kith.search.ranking import search
from kith.workflows.calibrating import fit_calibration
from kith.workflows.measured_tails import LEAST_ERRORS


def faces(
    people: int, photos: int, noise: float = 0.6, seed: int = 0, common: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings (n, 24) and subjects; what all faces have in common makes centroids more like everyone."""
    random = np.random.default_rng(seed)
    X = np.repeat(random.standard_normal((people, 24)) + common, photos, axis=0)
    X += noise * random.standard_normal(X.shape)
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    return X.astype(np.float32), np.repeat(np.arange(people), photos)


@pytest.fixture(scope="module")
def fitted() -> tuple[Calibration, np.ndarray, np.ndarray]:
    X, y = faces(1400, 3)
    return fit_calibration(X, y, "a test"), X, y


def test_false_match_rates_equal_a_plain_count(fitted: tuple[Calibration, np.ndarray, np.ndarray]) -> None:
    calibration, X, y = fitted
    scores = (X @ X.T)[np.triu(y[:, np.newaxis] != y)]
    assert calibration.non_mated == len(scores)
    everyone = calibration.comparisons.tails[EVERYONE]
    for rate, threshold in zip(everyone.rates, everyone.thresholds, strict=True):
        assert np.mean(scores >= threshold) <= rate
        assert np.mean(scores >= threshold - 1e-4) >= rate * 0.99  # and it is the lowest such step
        assert rate * len(scores) >= LEAST_ERRORS


@pytest.mark.parametrize("kind", ClassifierKind)
@pytest.mark.parametrize("people", [20, 100, 150, 250])
def test_rates_hold_on_other_people_at_the_size_of_their_gallery(
    fitted: tuple[Calibration, np.ndarray, np.ndarray], people: int, kind: ClassifierKind
) -> None:
    calibration, _, _ = fitted
    X, y = faces(3000, 4, seed=7)
    protocol = draw_open_set(y, people=people, references=2, strangers=2500)
    gallery = People.of(X[protocol.references], y[protocol.references])
    rule = rule_for(calibration, kind, people=people, references=2 * people, fpir=0.02)
    assert (rule.policy.people, rule.policy.rate, rule.policy.extrapolated) == (people, 0.02, False)
    best = search(X[protocol.strangers], gallery, rule, count=1).evidence[:, 0]
    assert 0.008 < np.mean(best >= rule.policy.threshold) < 0.04


def of_two_kinds(people: int, photos: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Faces of two groups, the people of one of whom are more alike: embeddings, subjects, labels."""
    X, y = faces(2 * people, photos, seed=seed)
    near = y % 2 == 1
    X[near] += 0.6 * X[near].mean(axis=0) + 0.25
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    return X, y, np.where(near, "alike", "others")


@pytest.fixture(scope="module")
def grouped() -> Calibration:
    X, y, labels = of_two_kinds(300, 4)
    return fit_calibration(X, y, "two kinds", groups=labels)


def test_what_is_promised_holds_within_the_group_that_it_is_hardest_for(grouped: Calibration) -> None:
    X, y, labels = of_two_kinds(300, 4, seed=3)
    policy = grouped.verification_policy(0.01)
    assert policy.group == "alike"
    shares = {}
    for name in ("alike", "others"):
        own = labels == name
        scores = (X[own] @ X[own].T)[np.triu(y[own][:, np.newaxis] != y[own])]
        shares[name] = float(np.mean(scores >= policy.threshold))
    assert shares["alike"] == pytest.approx(0.01, rel=0.5)
    assert shares["others"] < 0.005
    assert dict(policy.rates)["alike"] == pytest.approx(0.01, rel=0.05)
    assert dict(policy.rates)["others"] < 0.005
    assert grouped.comparisons.tails[EVERYONE].threshold(0.01) < policy.threshold


@pytest.mark.parametrize("kind", ["normalized", "centroid"])
def test_searches_are_promised_within_the_hardest_group_too(grouped: Calibration, kind: str) -> None:
    X, y, labels = of_two_kinds(300, 4, seed=3)
    rule = rule_for(grouped, kind, people=50, references=50, fpir=0.02)
    named = {}
    for name in ("alike", "others"):
        own = np.flatnonzero(labels == name)
        enrolled = own[np.unique(y[own], return_index=True)[1]][:50]
        gallery = People.of(X[enrolled], y[enrolled])
        strangers = X[own[~np.isin(y[own], y[enrolled])]]
        best = search(strangers, gallery, rule, count=1).evidence[:, 0]
        named[name] = float(np.mean(best >= rule.policy.threshold))
    assert 0.005 < named[rule.policy.group] < 0.04
    assert max(named.values()) < 0.04
    if kind == "centroid":  # where it counts who else is near, the groups hardly differ
        assert rule.policy.group == "alike"
        assert named["others"] < named["alike"] / 2


def test_a_group_of_few_people_promises_nothing() -> None:
    X, y, labels = of_two_kinds(100, 3)
    labels[y > 20] = ""
    calibration = fit_calibration(X, y, "few", groups=labels)
    assert list(calibration.comparisons.tails) == [EVERYONE]


@pytest.fixture(scope="module")
def inflated() -> Calibration:
    return fit_calibration(*faces(300, 12, noise=1.2, common=1.5), "a test")


@pytest.mark.parametrize("references", [2, 3, 10])
def test_more_references_of_a_person_name_no_more_strangers(inflated: Calibration, references: int) -> None:
    calibration = inflated
    inflation = calibration.inflation[Scorer.NORMALIZED]
    assert inflation.references == (1, 3, 10)
    assert sorted(inflation.gains) == list(inflation.gains)
    assert inflation.gains[-1] > 0.02, "else there is nothing to test"
    X, y = faces(400, 12, noise=1.2, seed=2, common=1.5)
    enrolled = np.flatnonzero((y < 50) & (np.arange(len(y)) % 12 < references))
    gallery = People.of(X[enrolled], y[enrolled])
    rule = rule_for(calibration, people=50, references=50 * references, fpir=0.02)
    best = search(X[y >= 50], gallery, rule, count=1).evidence[:, 0]
    assert 0.01 < np.mean(best >= rule.policy.threshold) < 0.035
    gain = inflation.of(np.array([references]))
    named = np.mean(best >= rule.policy.threshold)
    assert np.mean(best + gain >= rule.policy.threshold) > 1.3 * named, "without it more would be"


def test_searches_are_measured_at_several_sizes(fitted: tuple[Calibration, np.ndarray, np.ndarray]) -> None:
    calibration, _, _ = fitted
    sizes = [calibration.searches[scorer].tails[EVERYONE].sizes for scorer in Scorer]
    assert sizes == [(1, 2, 5, 10, 20, 50, 100, 200, 400, 525)] * len(Scorer)


def test_a_larger_gallery_needs_a_higher_threshold(
    fitted: tuple[Calibration, np.ndarray, np.ndarray],
) -> None:
    calibration, _, _ = fitted
    policies = [
        rule_for(calibration, "centroid", people=size, references=size).policy for size in (2, 10, 50, 199)
    ]
    assert [policy.threshold for policy in policies] == sorted(policy.threshold for policy in policies)
    rates = [
        rule_for(calibration, people=10, references=10, fpir=fpir).policy.threshold
        for fpir in (0.1, 0.01, 0.001)
    ]
    assert rates == sorted(rates)
    assert rule_for(calibration, people=150, references=150, fpir=1e-6).policy.extrapolated
    assert rule_for(calibration, people=100_000, references=100_000).policy.extrapolated


def test_no_person_more_makes_a_cliff(fitted: tuple[Calibration, np.ndarray, np.ndarray]) -> None:
    calibration, _, _ = fitted
    for fpir in (0.01, 0.003):
        thresholds = [
            rule_for(calibration, people=people, references=people, fpir=fpir).policy.threshold
            for people in range(90, 450)
        ]
        assert np.abs(np.diff(thresholds)).max() < 0.005


def test_a_probability_is_right_as_often_as_it_says_on_other_people() -> None:
    calibration = fit_calibration(*faces(1500, 4, noise=0.8, seed=4), "harder")
    X, y = faces(1500, 4, noise=0.8, seed=5)
    scores, same = X @ X.T, y[:, np.newaxis] == y
    once = np.triu(np.ones_like(same), 1)
    mated, non_mated = scores[same & once], scores[~same & once][::100]
    for prior in (0.5, 0.1):
        said = [np.array([calibration.probability(s, prior) for s in kind]) for kind in (mated, non_mated)]
        for low, high in ((0.2, 0.4), (0.6, 0.8), (0.8, 0.95)):
            among = [(one >= low) & (one < high) for one in said]
            right = prior * among[0].mean()
            wrong = (1 - prior) * among[1].mean()
            mean = (prior * said[0][among[0]].sum() / len(mated)) + (
                (1 - prior) * said[1][among[1]].sum() / len(non_mated)
            )
            assert right / (right + wrong) == pytest.approx(mean / (right + wrong), abs=0.08)


def test_probability_rises_with_score_and_prior(fitted: tuple[Calibration, np.ndarray, np.ndarray]) -> None:
    calibration, _, _ = fitted
    curve = [calibration.probability(score) for score in np.linspace(-1, 1, 81)]
    assert curve == sorted(curve)
    assert 0 < curve[0] < 0.01 < 0.99 < curve[-1] < 1, "never certain"
    assert calibration.probability(0.5, 0.01) < calibration.probability(0.5, 0.5)
    with pytest.raises(ValueError, match="prior must lie between 0 and 1"):
        calibration.probability(0.5, 0.0)


def test_json_holds_everything(fitted: tuple[Calibration, np.ndarray, np.ndarray]) -> None:
    calibration, _, _ = fitted
    found = Calibration.from_json(json.loads(calibration.to_json()))
    assert found.to_json() == calibration.to_json()
    assert len(calibration.cohort) > 50
    np.testing.assert_array_equal(found.cohort.centers, calibration.cohort.centers)
    assert replace(found, cohort=calibration.cohort) == calibration


def test_a_few_people_give_a_rough_calibration() -> None:
    X, y = faces(6, 3)
    calibration = fit_calibration(X, y, "a few")
    assert calibration.searches == {}
    assert calibration.verification_policy().rate == calibration.comparisons.lowest > 0.01
    policy = rule_for(calibration, people=10, references=10).policy
    assert -1 < policy.threshold < 2
    assert policy.extrapolated


@pytest.mark.parametrize("shape", [(1, 5), (4, 1), (2, 2)])
def test_too_little_is_told(shape: tuple[int, int]) -> None:
    X, y = faces(*shape)
    with pytest.raises(EvaluationError, match="at least two people|too few"):
        fit_calibration(X, y, "nothing")


def test_recognizability_is_a_distance() -> None:
    X, y = faces(40, 3)
    coarse = np.tile(X[:1], (5, 1))
    calibration = fit_calibration(X, y, "a test", unrecognizable=coarse)
    assert calibration.recognizability(X[0]) == pytest.approx(0, abs=1e-5)
    others = [calibration.recognizability(row) for row in X]
    assert np.median(others) == pytest.approx(1, abs=1e-5)


def test_scores_that_say_nothing_change_no_prior() -> None:
    X = np.zeros((30, 4), np.float32)
    X[:, 0] = 1
    calibration = fit_calibration(X, np.arange(30) // 3, "all alike")
    assert calibration.probability(1.0, 0.3) == pytest.approx(0.3, abs=0.01)
