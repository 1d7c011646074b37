"""Does a quality measure tell which faces will fail? Error against the share that is discarded."""

from dataclasses import dataclass

import numpy as np

_BEST_AT = {"yaw": 0.0, "brightness": 0.5}
"""Where a measure is best, if that is not as high as can be."""
SHARES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3)


@dataclass(frozen=True, slots=True)
class DiscardCurve:
    """What is left of an error when the worst pairs by some measure are left out.

    Attributes:
        measure: What they were ordered by.
        shares: Of mated pairs left out.
        fnmr: False non-match rate of the others, at a fixed threshold.
    """

    measure: str
    shares: tuple[float, ...]
    fnmr: tuple[float, ...]


def goodness(measure: str, values: np.ndarray) -> np.ndarray:
    """Values of a measure of `kith.Quality`, turned so that larger is better.

    Args:
        measure: Its name.
        values: (n,)
    """
    if measure in _BEST_AT:
        return -np.abs(values - _BEST_AT[measure])
    return values


def discard_curve(measure: str, quality: np.ndarray, pairs: np.ndarray, matches: np.ndarray) -> DiscardCurve:
    """The error-versus-discard curve of a measure (Grother and Tabassi 2007).

    Args:
        measure: What to call it.
        quality: (photos,) larger is better.
        pairs: (n, 2) mated pairs, positions among the photos; a pair is as good as its worse photo.
        matches: (n,) bool, whether each pair's score reaches the threshold.
    """
    order = np.argsort(quality[pairs].min(axis=1), kind="stable")
    missed = ~matches[order]
    kept = [missed[int(share * len(order)) :] for share in SHARES]
    return DiscardCurve(measure, SHARES, tuple(float(rest.mean()) if len(rest) else 0.0 for rest in kept))
