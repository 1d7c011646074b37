"""Scores of labelled pairs -> error rates at every threshold."""

from dataclasses import dataclass

import numpy as np

from kith.errors import EvaluationError
from kith.records import require_shape


@dataclass(frozen=True, slots=True, eq=False)
class ErrorRates:
    """False match and false non-match rate at every threshold that makes a difference.

    Attributes:
        thresholds: (k,) float64, ascending; a score at or above it matches. The last is infinite.
        fmr: (k,) share of non-mated pairs that match; falls.
        fnmr: (k,) share of mated pairs that do not; rises.
    """

    thresholds: np.ndarray
    fmr: np.ndarray
    fnmr: np.ndarray

    def equal_error_rate(self) -> float:
        """The mean of both rates where they are closest."""
        closest = np.argmin(np.abs(self.fnmr - self.fmr))
        return float((self.fnmr[closest] + self.fmr[closest]) / 2)

    def area(self) -> float:
        """Area under the ROC curve: how often a mated pair scores above a non-mated one; ties half."""
        return float(-np.trapezoid(1 - self.fnmr, self.fmr))

    def position_at_fmr(self, fmr: float) -> int:
        """Where the false match rate is first no more than this."""
        return int(np.argmax(self.fmr <= fmr * (1 + 1e-9)))

    def fnmr_at_fmr(self, fmr: float) -> float:
        """The false non-match rate at the lowest threshold with at most this false match rate."""
        return float(self.fnmr[self.position_at_fmr(fmr)])

    def at(self, threshold: float) -> tuple[float, float]:
        """FMR and FNMR at a threshold."""
        position = int(np.searchsorted(self.thresholds, threshold, side="left"))
        return float(self.fmr[position]), float(self.fnmr[position])


class ScoredPairs:
    """Pairs with their scores, sorted once and measured under as many weights as wanted.

    Args:
        scores: (n,) comparison scores; larger is more alike.
        mated: (n,) bool, whether both faces are one person's.

    Raises:
        EvaluationError: There is no mated or no non-mated pair.
    """

    def __init__(self, scores: np.ndarray, mated: np.ndarray) -> None:
        require_shape("scores", scores, (None,))
        require_shape("mated", mated, scores.shape)
        self.mated_count, self.non_mated_count = int(mated.sum()), int((~mated).sum())
        if not self.mated_count or not self.non_mated_count:
            raise EvaluationError(
                "needs pairs of one person and pairs of different people, "
                f"got {self.mated_count} and {self.non_mated_count}"
            )
        self.scores, self.mated = scores, mated
        self._order = np.argsort(scores, kind="stable")
        ascending = scores[self._order].astype(np.float64)
        self._mated_ascending = mated[self._order]
        self._thresholds, self._starts = np.unique(ascending, return_index=True)

    def rates(self, weights: np.ndarray | None = None) -> ErrorRates:
        """Error rates, each pair counted as often as its weight (n,) says."""
        ascending = np.ones(len(self.scores)) if weights is None else weights[self._order]
        mated = np.where(self._mated_ascending, ascending, 0)
        below_mated = self._below(mated)
        below_non_mated = self._below(ascending - mated)
        return ErrorRates(
            np.append(self._thresholds, np.inf),
            (below_non_mated[-1] - below_non_mated) / below_non_mated[-1],
            below_mated / below_mated[-1],
        )

    def _below(self, ascending: np.ndarray) -> np.ndarray:
        """Summed weights below each threshold; the last is the sum of all."""
        sums = np.concatenate([[0.0], np.cumsum(ascending)])
        return np.append(sums[self._starts], sums[-1])
