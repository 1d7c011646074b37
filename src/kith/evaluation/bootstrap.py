"""How far a measured rate may be off: the bootstrap over subjects.

Pairs that share a person are not independent, so whole people are drawn, not pairs: a mated pair
counts as often as its subject was drawn, a non-mated pair as often as both its subjects together
(the pigeonhole bootstrap, Owen 2007, https://arxiv.org/abs/0712.1111).

The interval of a rate at a fixed threshold is Clopper and Pearson's for the sample size that explains
the bootstrap's variance (Korn and Graubard 1998, Survey Methodology 24). Unlike the percentiles of the
replicates it has a width where no error was seen at all.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

CONFIDENCE = 0.95
_NOMINAL = (
    0.97  # of what is computed: at 0.95, intervals from 100 people held the truth in 93 to 95 of 100 runs
)
REPLICATES = 200


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measured value with its 95 % confidence interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2%} [{self.low:.2%}, {self.high:.2%}]"


def pair_weights(
    subjects: np.ndarray, mated: np.ndarray, *, replicates: int = REPLICATES, seed: int = 0
) -> Iterator[np.ndarray]:
    """Weights (n,) of the pairs in each replicate; one that leaves a kind of pair empty is drawn again.

    Args:
        subjects: (n, 2) int, the subjects of each pair, numbered from 0.
        mated: (n,) bool.
        replicates: How many.
        seed: Of the draws.
    """
    generator = np.random.default_rng(seed)
    count = int(subjects.max()) + 1
    first, second = subjects.T
    made = drawn = 0
    while made < replicates and drawn < 10 * replicates:
        drawn += 1
        times = np.bincount(generator.integers(count, size=count), minlength=count).astype(np.float64)
        weights = np.where(mated, times[first], times[first] * times[second])
        if all(weights[kind].sum() for kind in (mated, ~mated) if kind.any()):
            made += 1
            yield weights


def estimate_rate(value: float, replicates: np.ndarray, trials: int, people: int) -> Estimate:
    """A rate with its interval.

    Args:
        value: The rate, 0 to 1, on all the data.
        replicates: (b,) the rate in each replicate.
        trials: How many pairs or searches the rate is of; sharing people, they are worth no more than that.
        people: How many people they are of: what they are worth where the replicates do not vary.
    """
    from scipy.stats import beta  # here: takes a second to import

    variance = float(np.mean((replicates - value) ** 2)) if len(replicates) else 0.0
    varies = variance > 0 and 0 < value < 1
    size = max(min(value * (1 - value) / variance if varies else people, trials), 1.0)
    errors, tail = value * size, (1 - _NOMINAL) / 2
    low = 0.0 if errors <= 0 else float(beta.ppf(tail, errors, size - errors + 1))
    high = 1.0 if errors >= size else float(beta.ppf(1 - tail, errors + 1, size - errors))
    return Estimate(value, low, high)


def estimate_moving_rate(value: float, replicates: np.ndarray, trials: int) -> Estimate:
    """A rate at a threshold that is itself taken from the data, with its interval.

    A threshold that hangs on a handful of pairs jumps from replicate to replicate, and the rate with it,
    to one side more than to the other: the interval is what the middle of the replicates spans, and at
    least that of so many independent trials.
    """
    least = estimate_rate(value, np.empty(0), trials, trials)
    if not len(replicates):
        return least
    low, high = np.quantile(replicates, [(1 - _NOMINAL) / 2, (1 + _NOMINAL) / 2])
    return Estimate(value, min(least.low, float(low)), max(least.high, float(high)))


def estimate_rates(
    measure: Callable[[np.ndarray | None], list[float]],
    weights: Iterator[np.ndarray],
    trials: Sequence[int],
    people: int,
    moving: Sequence[bool],
) -> list[Estimate]:
    """Several rates of the same pairs, each with its interval.

    Args:
        measure: The rates under given weights; under None, on all the data.
        weights: Of each replicate.
        trials: Of each rate, see `estimate_rate`.
        people: See `estimate_rate`.
        moving: Whether each is at a threshold taken from the data.
    """
    values = measure(None)
    replicates = np.array([measure(one) for one in weights]).reshape(-1, len(values))
    return [
        estimate_moving_rate(value, replicates[:, column], trials[column])
        if moving[column]
        else estimate_rate(value, replicates[:, column], trials[column], people)
        for column, value in enumerate(values)
    ]
