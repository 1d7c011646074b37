import numpy as np
import pytest
from sklearn.metrics import roc_auc_score, roc_curve

from kith.errors import EvaluationError
from kith.evaluation.bootstrap import pair_weights
from kith.evaluation.error_rates import ScoredPairs
from kith.evaluation.verification import best_threshold, evaluate_folds, evaluate_pairs


def pairs(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    mated = random.random(count) < 0.5
    scores = (random.normal(0, 1, count) + 2.5 * mated).astype(np.float32).round(2)  # with ties
    return scores / 10, mated, np.arange(count) * 10 // count


def subjects_of(mated: np.ndarray, people: int = 40, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    first = random.integers(people, size=len(mated))
    other = (first + random.integers(1, people, size=len(mated))) % people
    return np.stack([first, np.where(mated, first, other)], axis=1)


def plain_best_threshold(scores: np.ndarray, mated: np.ndarray) -> float:
    return max(
        sorted(set(scores.tolist())),
        key=lambda t: sum((s >= t) == m for s, m in zip(scores.tolist(), mated, strict=True)),
    )


def plain_accuracies(scores: np.ndarray, mated: np.ndarray, folds: np.ndarray) -> list[float]:
    accuracies = []
    for fold in range(10):
        threshold = plain_best_threshold(scores[folds != fold], mated[folds != fold])
        inside = folds == fold
        right = [(s >= threshold) == m for s, m in zip(scores[inside].tolist(), mated[inside], strict=True)]
        accuracies.append(sum(right) / len(right))
    return accuracies


@pytest.mark.parametrize("seed", range(3))
def test_accuracy_equals_a_plain_loop(seed: int) -> None:
    scores, mated, folds = pairs(600, seed)
    expected = plain_accuracies(scores, mated, folds)
    result = evaluate_folds(scores, mated, folds)
    assert result.accuracies == tuple(expected)
    assert result.mean == np.mean(expected)
    assert result.std == np.std(expected)


def test_best_threshold_equals_a_plain_loop() -> None:
    scores, mated, _ = pairs(300, 5)
    assert best_threshold(scores, mated) == plain_best_threshold(scores, mated)


def test_error_rates_are_scikit_learns_to_the_last_digit() -> None:
    scores, mated, _ = pairs(4000)
    rates = ScoredPairs(scores, mated).rates()
    fmr, tar, thresholds = roc_curve(mated, scores, drop_intermediate=False)
    assert rates.thresholds[::-1].tolist() == thresholds.tolist()
    assert rates.fmr[::-1].tolist() == fmr.tolist()
    np.testing.assert_allclose(1 - rates.fnmr[::-1], tar, rtol=0, atol=1e-15)
    assert rates.area() == pytest.approx(roc_auc_score(mated, scores), abs=1e-14)
    crossing = np.argmin(np.abs(fmr - (1 - tar)))
    assert rates.equal_error_rate() == pytest.approx((fmr[crossing] + 1 - tar[crossing]) / 2, abs=1e-15)
    for wanted in (0.1, 0.01, 0.001):
        assert 1 - rates.fnmr_at_fmr(wanted) == pytest.approx(tar[fmr <= wanted].max(), abs=1e-15)


def test_weights_count_as_copies() -> None:
    scores, mated, _ = pairs(300)
    weights = np.random.default_rng(1).integers(0, 4, 300)
    weighted = ScoredPairs(scores, mated).rates(weights.astype(float))
    copied = ScoredPairs(np.repeat(scores, weights), np.repeat(mated, weights)).rates()
    for threshold in np.linspace(-0.2, 0.5, 29):
        assert weighted.at(threshold) == pytest.approx(copied.at(threshold), abs=1e-12)


def test_bootstrap_weights_equal_a_plain_loop() -> None:
    _, mated, _ = pairs(200)
    subjects = subjects_of(mated, people=7)
    random = np.random.default_rng(0)
    for weights in pair_weights(subjects, mated, replicates=5):
        drawn = random.integers(7, size=7).tolist()
        for weight, (first, second), same in zip(weights, subjects.tolist(), mated, strict=True):
            assert weight == (drawn.count(first) if same else drawn.count(first) * drawn.count(second))


def test_known_error_rates_lie_in_the_interval() -> None:
    """Scores of people, each with a shift of their own, so that pairs of one person are not independent."""
    threshold, shift, runs = 0.0, 0.5, 100
    truth = 0.5 * (1 - _erf(2.0 / np.sqrt(2 * (1 + shift**2))))  # of a normal beyond 2 of its unit
    hits = np.zeros(2)
    for run in range(runs):
        random = np.random.default_rng(run)
        mated = np.arange(1000) < 500
        subjects = subjects_of(mated, people=100, seed=run)
        own = random.normal(0, shift, 100)
        scores = np.where(mated, 2.0, -2.0) + own[subjects[:, 0]] + random.normal(0, 1, 1000)
        result = evaluate_pairs(scores, mated, subjects, fmrs=(), threshold=threshold, replicates=100)
        assert result.at_policy is not None
        for column, rate in enumerate((result.at_policy.fmr, result.at_policy.fnmr)):
            hits[column] += rate.low <= truth <= rate.high
    assert (hits >= 0.95 * runs).all(), hits


def _erf(value: float) -> float:
    from math import erf

    return erf(value)


def test_no_error_seen_is_not_no_error() -> None:
    mated = np.tile([True, False], 50)
    result = evaluate_pairs(mated.astype(np.float32), mated, subjects_of(mated), threshold=0.5)
    assert result.at_policy is not None
    assert (result.at_policy.fmr.value, result.at_policy.fmr.low) == (0, 0)
    assert 0.02 < result.at_policy.fmr.high < 0.2
    assert (result.eer.value, result.auc.value) == (0, 1)


def test_a_rate_that_the_pairs_cannot_show_is_left_out() -> None:
    scores, mated, _ = pairs(600)
    result = evaluate_pairs(scores, mated, subjects_of(mated), replicates=10)
    assert list(result.fnmr_at_fmr) == list(result.threshold_at_fmr) == [0.1, 0.01]
    assert result.too_low == (0.001, 0.0001)


@pytest.mark.parametrize("value", [True, False])
def test_pairs_of_one_kind_are_refused(value: bool) -> None:
    mated = np.full(20, value)
    with pytest.raises(EvaluationError, match="of one person and pairs of different people"):
        evaluate_pairs(np.zeros(20), mated, subjects_of(mated))


def test_one_fold_is_refused() -> None:
    scores, mated, _ = pairs(20)
    with pytest.raises(EvaluationError, match="at least two folds"):
        evaluate_folds(scores, mated, np.zeros(20, int))
