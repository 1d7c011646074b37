"""Calibrations of no model, for tests."""

from collections.abc import Mapping

from kith.decisions.calibration import Calibration, Scorer
from kith.decisions.groups import EVERYONE, GroupSearchTails, GroupTails
from kith.decisions.inflation import Inflation
from kith.decisions.tail import SearchTails, Tail

TAIL = Tail((0.5, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5), (0.5, 0.6, 0.7, 0.8, 0.9, 0.95))


def calibration_of(
    comparisons: Tail = TAIL,
    searches: Mapping[Scorer, SearchTails] | None = None,
    inflation: Inflation = Inflation((1, 100), (0.0, 0.0)),
) -> Calibration:
    """Of everyone together; up to a hundred references change nothing."""
    return Calibration(
        measured_on="made-up people",
        people=9,
        mated=9,
        non_mated=9,
        comparisons=GroupTails({EVERYONE: comparisons}),
        searches={scorer: GroupSearchTails({EVERYONE: tails}) for scorer, tails in (searches or {}).items()},
        inflation=inflation,
        scores=(0.0, 1.0),
        log_odds=(-9.0, 9.0),
    )


def measured_up_to(size: int, tail: Tail = TAIL) -> Calibration:
    """Searches measured in galleries of one person and of so many, alike for all scorers."""
    tails = SearchTails((1, size), (tail, tail.of_many(size)))
    return calibration_of(tail, dict.fromkeys(Scorer, tails))
