"""1:1 accuracy from the scores of labelled pairs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kith.decisions.decide import threshold_at_fmr
from kith.errors import EvaluationError
from kith.evaluation.bootstrap import REPLICATES, Estimate, estimate_rates, pair_weights
from kith.evaluation.error_rates import ErrorRates, ScoredPairs
from kith.records import require_shape

FMRS = (1e-1, 1e-2, 1e-3, 1e-4)
NOT_ACQUIRED = -1.0
"""The score of a pair with a photo that gave no face: it never matches (ISO/IEC 19795-1's way)."""


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """What a threshold does.

    Attributes:
        threshold: Scores at or above it match.
        fmr: False match rate, with its interval.
        fnmr: False non-match rate, with its interval.
    """

    threshold: float
    fmr: Estimate
    fnmr: Estimate


@dataclass(frozen=True, slots=True, eq=False)
class VerificationResult:
    """How well mated and non-mated pairs are told apart.

    Attributes:
        mated: How many pairs show one person.
        non_mated: How many show two.
        not_acquired: How many pairs had a photo without a face; they are among the above.
        eer: The error rate where false matches and false non-matches are equally frequent.
        auc: Area under the ROC curve.
        fnmr_at_fmr: For each false match rate that the data can carry, the false non-match rate.
        threshold_at_fmr: For the same, the threshold.
        too_low: The false match rates asked for that this many non-mated pairs cannot show.
        at_policy: What the model's own threshold does, if it was asked for.
        rates: The whole curve.
    """

    mated: int
    non_mated: int
    not_acquired: int
    eer: Estimate
    auc: Estimate
    fnmr_at_fmr: dict[float, Estimate]
    threshold_at_fmr: dict[float, float]
    too_low: tuple[float, ...]
    at_policy: OperatingPoint | None
    rates: ErrorRates


@dataclass(frozen=True, slots=True)
class FoldsResult:
    """Accuracy by LFW's protocol: a threshold is learned on all folds but one, and applied to that one.

    Attributes:
        mean: Share of right decisions, the mean over the folds.
        std: Its standard deviation over the folds.
        accuracies: Of each fold.
        thresholds: Of each fold, learned on the others.
    """

    mean: float
    std: float
    accuracies: tuple[float, ...]
    thresholds: tuple[float, ...]


def evaluate_pairs(
    scores: np.ndarray,
    mated: np.ndarray,
    subjects: np.ndarray,
    *,
    fmrs: Sequence[float] = FMRS,
    threshold: float | None = None,
    replicates: int = REPLICATES,
) -> VerificationResult:
    """Evaluate the scores of pairs.

    Args:
        scores: (n,); `NOT_ACQUIRED` where a pair could not be compared.
        mated: (n,) bool.
        subjects: (n, 2) int, whom the two photos of a pair show, numbered from 0.
        fmrs: The false match rates to report at; one below 1 / non-mated pairs cannot be shown.
        threshold: The model's own, to be measured too.
        replicates: Of the bootstrap.

    Raises:
        EvaluationError: There are no mated or no non-mated pairs.
    """
    require_shape("subjects", subjects, (len(scores), 2))
    pairs = ScoredPairs(scores, mated)
    shown = [fmr for fmr in fmrs if fmr * pairs.non_mated_count >= 1]

    def measure(weights: np.ndarray | None) -> list[float]:
        under = pairs.rates(weights)
        policy = [] if threshold is None else under.at(threshold)
        return [under.equal_error_rate(), under.area(), *map(under.fnmr_at_fmr, shown), *policy]

    people = len(np.unique(subjects))
    moving = 2 + len(shown)  # EER, AUC and FNMR at FMR
    eer, auc, *rest = estimate_rates(
        measure,
        pair_weights(subjects, mated, replicates=replicates),
        trials=[pairs.mated_count] * moving + [pairs.non_mated_count, pairs.mated_count],
        people=people,
        moving=[True] * moving + [False, False],
    )
    return VerificationResult(
        mated=pairs.mated_count,
        non_mated=pairs.non_mated_count,
        not_acquired=int(np.sum(scores == NOT_ACQUIRED)),
        eer=eer,
        auc=auc,
        fnmr_at_fmr=dict(zip(shown, rest, strict=False)),
        threshold_at_fmr={fmr: threshold_at_fmr(scores[~mated], fmr) for fmr in shown},
        too_low=tuple(fmr for fmr in fmrs if fmr not in shown),
        at_policy=None if threshold is None else OperatingPoint(threshold, *rest[len(shown) :]),
        rates=pairs.rates(),
    )


def evaluate_folds(scores: np.ndarray, mated: np.ndarray, folds: np.ndarray) -> FoldsResult:
    """Accuracy by LFW's protocol.

    Args:
        scores: (n,).
        mated: (n,) bool.
        folds: (n,) int, the fold of each pair; at least two.

    Raises:
        EvaluationError: There is one fold only.
    """
    require_shape("mated", mated, scores.shape)
    require_shape("folds", folds, scores.shape)
    names = np.unique(folds)
    if len(names) < 2:
        raise EvaluationError(f"needs at least two folds, got {len(names)}")
    thresholds = [best_threshold(scores[folds != fold], mated[folds != fold]) for fold in names]
    accuracies = [
        float(np.mean((scores[folds == fold] >= threshold) == mated[folds == fold]))
        for fold, threshold in zip(names, thresholds, strict=True)
    ]
    return FoldsResult(
        float(np.mean(accuracies)), float(np.std(accuracies)), tuple(accuracies), tuple(thresholds)
    )


def best_threshold(scores: np.ndarray, mated: np.ndarray) -> float:
    """The threshold with the most right decisions; of several, the lowest."""
    thresholds = np.unique(scores)
    mated_scores, non_mated_scores = np.sort(scores[mated]), np.sort(scores[~mated])
    matches = len(mated_scores) - np.searchsorted(mated_scores, thresholds, side="left")
    rejections = np.searchsorted(non_mated_scores, thresholds, side="left")
    return float(thresholds[np.argmax(matches + rejections)])
