"""Scores of strangers -> the tail that they make, as far as they are enough to show it."""

import numpy as np

from kith.decisions.tail import Tail

RATES = tuple(float(f"{digit}e-{power}") for power in range(1, 8) for digit in (5, 2, 1))
LEAST_ERRORS = 10
"""A rate is stated only if so many of the pairs at hand reach its threshold."""
BINS = 40_000
"""Steps of 0.00005 each."""


def histogram_of(scores: np.ndarray) -> np.ndarray:
    """How many scores (n,) lie in each of `BINS` steps from -1 to 1."""
    steps = np.clip(((scores + 1) * (BINS / 2)).astype(np.int64), 0, BINS - 1)
    return np.bincount(steps, minlength=BINS)


def tail_of(histogram: np.ndarray) -> Tail | None:
    """The tail of scores (`BINS`,), at the rates that they can carry; None if those are fewer than two.

    A step is counted whole above its lower edge, so no rate is understated.
    """
    edges = np.linspace(-1, 1, BINS + 1)
    reached = np.cumsum(histogram[::-1])[::-1]
    count = int(histogram.sum())
    rates = [rate for rate in RATES if rate * count >= LEAST_ERRORS]
    if len(rates) < 2:
        return None
    thresholds = [edges[int(np.argmax(reached <= rate * count + 1e-9))] for rate in rates]
    return Tail(tuple(rates), tuple(round(float(threshold), 6) for threshold in thresholds))
