"""1:1 accuracy from the scores of labelled pairs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kith.comparison import threshold_at_fmr
from kith.errors import EvaluationError
from kith.records import require_shape

FMRS = (0.01, 0.001)


@dataclass(frozen=True, slots=True)
class VerificationResult:
    """How well mated and non-mated pairs are told apart.

    Attributes:
        pairs: How many pairs.
        accuracy_mean: Share of right decisions, the mean over the folds.
        accuracy_std: Its standard deviation over the folds.
        tar_at_fmr: For each false match rate, the share of mated pairs that match.
        threshold_at_fmr: For each false match rate, the threshold.
        eer: The error rate where false matches and false non-matches are equally frequent.
    """

    pairs: int
    accuracy_mean: float
    accuracy_std: float
    tar_at_fmr: dict[float, float]
    threshold_at_fmr: dict[float, float]
    eer: float


def evaluate_pairs(
    scores: np.ndarray, mated: np.ndarray, folds: np.ndarray, fmrs: Sequence[float] = FMRS
) -> VerificationResult:
    """Evaluate the scores of pairs.

    Accuracy follows LFW's protocol: the threshold that is best on all other folds is applied to a
    fold. A rate that the number of non-mated pairs cannot show is left out.

    Args:
        scores: (n,) float32; a pair that could not be compared has the score -1.
        mated: (n,) bool.
        folds: (n,) int, the fold of each pair.
        fmrs: The false match rates to report at.

    Raises:
        EvaluationError: There are no mated or no non-mated pairs, in all or outside some fold.
    """
    require_shape("mated", mated, scores.shape)
    require_shape("folds", folds, scores.shape)
    mated_scores, non_mated_scores = scores[mated], scores[~mated]
    if not len(mated_scores) or not len(non_mated_scores):
        raise EvaluationError(
            f"needs mated and non-mated pairs, got {len(mated_scores)} and {len(non_mated_scores)}"
        )
    accuracies = [_accuracy_of_fold(scores, mated, folds == fold) for fold in np.unique(folds)]
    shown = [fmr for fmr in fmrs if fmr * len(non_mated_scores) >= 1]
    thresholds = {fmr: threshold_at_fmr(non_mated_scores, fmr) for fmr in shown}
    return VerificationResult(
        pairs=len(scores),
        accuracy_mean=float(np.mean(accuracies)),
        accuracy_std=float(np.std(accuracies)),
        tar_at_fmr={fmr: float(np.mean(mated_scores >= threshold)) for fmr, threshold in thresholds.items()},
        threshold_at_fmr=thresholds,
        eer=equal_error_rate(mated_scores, non_mated_scores),
    )


def best_threshold(scores: np.ndarray, mated: np.ndarray) -> float:
    """The threshold with the most right decisions; of several, the lowest."""
    thresholds = np.unique(scores)
    mated_scores, non_mated_scores = np.sort(scores[mated]), np.sort(scores[~mated])
    matches = len(mated_scores) - np.searchsorted(mated_scores, thresholds, side="left")
    rejections = np.searchsorted(non_mated_scores, thresholds, side="left")
    return float(thresholds[np.argmax(matches + rejections)])


def equal_error_rate(mated_scores: np.ndarray, non_mated_scores: np.ndarray) -> float:
    """The mean of both error rates at the threshold where they are closest."""
    thresholds = np.unique(np.concatenate([mated_scores, non_mated_scores]))
    fnmr = np.searchsorted(np.sort(mated_scores), thresholds, side="left") / len(mated_scores)
    fmr = 1 - np.searchsorted(np.sort(non_mated_scores), thresholds, side="left") / len(non_mated_scores)
    closest = np.argmin(np.abs(fnmr - fmr))
    return float((fnmr[closest] + fmr[closest]) / 2)


def _accuracy_of_fold(scores: np.ndarray, mated: np.ndarray, in_fold: np.ndarray) -> float:
    threshold = best_threshold(scores[~in_fold], mated[~in_fold])
    return float(np.mean((scores[in_fold] >= threshold) == mated[in_fold]))
