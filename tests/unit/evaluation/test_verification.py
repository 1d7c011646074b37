import numpy as np
import pytest
from sklearn.metrics import roc_curve

from kith.errors import EvaluationError
from kith.evaluation.verification import best_threshold, equal_error_rate, evaluate_pairs


def pairs(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    mated = random.random(count) < 0.5
    scores = (random.normal(0, 1, count) + 2.5 * mated).astype(np.float32).round(2)  # with ties
    return scores / 10, mated, np.arange(count) * 10 // count


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
    result = evaluate_pairs(scores, mated, folds)
    assert result.accuracy_mean == pytest.approx(np.mean(expected), abs=1e-12)
    assert result.accuracy_std == pytest.approx(np.std(expected), abs=1e-12)


def test_best_threshold_equals_a_plain_loop() -> None:
    scores, mated, _ = pairs(300, 5)
    assert best_threshold(scores, mated) == plain_best_threshold(scores, mated)


def test_tar_at_fmr_agrees_with_scikit_learn() -> None:
    scores, mated, folds = pairs(4000)
    result = evaluate_pairs(scores, mated, folds, fmrs=(0.1, 0.01, 0.001))
    fmr, tar, _ = roc_curve(mated, scores, drop_intermediate=False)
    for wanted, found in result.tar_at_fmr.items():
        assert found == tar[fmr <= wanted].max()


def test_equal_error_rate_lies_where_scikit_learns_curve_crosses() -> None:
    scores, mated, _ = pairs(4000)
    fmr, tar, _ = roc_curve(mated, scores, drop_intermediate=False)
    crossing = np.argmin(np.abs(fmr - (1 - tar)))
    assert equal_error_rate(scores[mated], scores[~mated]) == pytest.approx(
        (fmr[crossing] + 1 - tar[crossing]) / 2
    )


def test_a_rate_that_the_pairs_cannot_show_is_left_out() -> None:
    scores, mated, folds = pairs(600)
    assert list(evaluate_pairs(scores, mated, folds).tar_at_fmr) == [0.01]


def test_perfect_scores() -> None:
    mated = np.tile([True, False], 50)
    result = evaluate_pairs(mated.astype(np.float32), mated, np.arange(100) // 10)
    assert (result.accuracy_mean, result.eer) == (1.0, 0.0)


@pytest.mark.parametrize("value", [True, False])
def test_pairs_of_one_kind_are_refused(value: bool) -> None:
    with pytest.raises(EvaluationError, match="needs mated and non-mated pairs"):
        evaluate_pairs(np.zeros(20, np.float32), np.full(20, value), np.arange(20) // 2)
