"""How high strangers score: thresholds and the rates at which they are reached, both ways."""

from bisect import bisect_right
from dataclasses import dataclass, replace
from functools import cached_property
from math import expm1, log, log1p, log10
from typing import Self

from kith.decisions.rates import require_rate


@dataclass(frozen=True)
class Tail:
    """Thresholds, and the share of strangers' scores that reach each.

    Between the rates that were measured, lines over the rate's logarithm; below the lowest the line of
    the last two goes on, see `carries`.

    Attributes:
        rates: Descending, 1 at most, above 0.
        thresholds: Of each rate, ascending.
        times: Of how many such scores the best counts, as if they were independent: 1 - (1 - f)^n. They are
            not quite, for some strangers resemble many people; so it errs to the safe side.
        carried: The lowest of the rates that was measured, where that is not the last.
    """

    rates: tuple[float, ...]
    thresholds: tuple[float, ...]
    times: float = 1.0
    carried: float = 0.0

    def __post_init__(self) -> None:
        if len(self.rates) < 2 or len(self.rates) != len(self.thresholds):
            raise ValueError(f"needs a threshold for each of at least two rates, got {len(self.rates)}")
        falling = all(high > low for high, low in zip(self.rates, self.rates[1:], strict=False))
        rising = all(low <= high for low, high in zip(self.thresholds, self.thresholds[1:], strict=False))
        if not (falling and rising and self.rates[-1] > 0 and self.rates[0] <= 1):
            raise ValueError("needs rates between 0 and 1 that fall, and thresholds that do not")

    @cached_property
    def _knots(self) -> tuple[list[float], list[float]]:
        """Thresholds, each once and ascending, and -log10 of the lowest rate of each."""
        lowest = dict(zip(self.thresholds, self.rates, strict=True))
        return list(lowest), [-log10(rate) for rate in lowest.values()]

    def threshold(self, rate: float) -> float:
        """The threshold that at most this share reaches."""
        require_rate("rate", rate)
        thresholds, places = self._knots
        return _on_lines(-log10(_of_many(rate, 1 / self.times)), places, thresholds)

    def rate(self, score: float) -> float:
        """The share that reaches a score: the inverse of `threshold`."""
        thresholds, places = self._knots
        if len(places) == 1:  # nothing was told apart
            return 0.0 if score >= thresholds[0] else 1.0
        return _of_many(10.0 ** -max(_on_lines(score, thresholds, places), 0.0), self.times)

    @property
    def lowest(self) -> float:
        """The lowest rate that was measured, not extrapolated."""
        return _of_many(max(self.rates[-1], self.carried), self.times)

    def carries(self, rate: float) -> bool:
        """Whether so low a rate was measured, not extrapolated."""
        return rate >= self.lowest * (1 - 1e-9)

    def of_many(self, times: float) -> Self:
        """The tail of the best of so many scores; see `times`."""
        return replace(self, times=self.times * times)

    def between(self, other: Self, share: float) -> Self:
        """The tail that lies at this share of the way to another; it carries what both carry."""
        rates = sorted({rate for rate in (*self.rates, *other.rates) if rate < 1}, reverse=True)
        thresholds = [
            self.threshold(rate) + share * (other.threshold(rate) - self.threshold(rate)) for rate in rates
        ]
        return type(self)(tuple(rates), tuple(thresholds), carried=max(self.lowest, other.lowest))


def _of_many(rate: float, times: float) -> float:
    """The rate of so many searches that are independent of one another, of which each has this rate."""
    return 1.0 if rate >= 1 else -expm1(times * log1p(-rate))


def _on_lines(x: float, xs: list[float], ys: list[float]) -> float:
    """The value at x of the lines between points; the first and the last go on."""
    if len(xs) == 1:
        return ys[0]
    upper = min(max(bisect_right(xs, x), 1), len(xs) - 1)
    share = (x - xs[upper - 1]) / (xs[upper] - xs[upper - 1])
    return ys[upper - 1] + share * (ys[upper] - ys[upper - 1])


@dataclass(frozen=True)
class SearchTails:
    """How alike the likeliest of the enrolled seems to a stranger, by how many are enrolled.

    Attributes:
        sizes: Ascending, from 1: how many people were searched, or references.
        tails: Of each size.
    """

    sizes: tuple[int, ...]
    tails: tuple[Tail, ...]

    def __post_init__(self) -> None:
        rising = all(low < high for low, high in zip(self.sizes, self.sizes[1:], strict=False))
        if not self.sizes or len(self.sizes) != len(self.tails) or self.sizes[0] != 1 or not rising:
            raise ValueError("needs a tail for each of the sizes, which begin with 1 and rise")

    @property
    def largest(self) -> int:
        """The largest size that was measured."""
        return self.sizes[-1]

    def at(self, size: int) -> Tail:
        """The tail for a gallery of this size: on lines over the size's logarithm.

        Beyond the largest that was measured, a search counts as so many searches of that one.
        """
        if size >= self.largest:
            return self.tails[-1] if size == self.largest else self.tails[-1].of_many(size / self.largest)
        upper = bisect_right(self.sizes, max(size, 1))
        low, high = self.sizes[upper - 1 : upper + 1]
        share = log(max(size, 1) / low) / log(high / low)
        lower = self.tails[upper - 1]
        return lower if share == 0 else lower.between(self.tails[upper], share)
