"""Calibrations of no model, for tests."""

from collections.abc import Mapping

import numpy as np

from kith.decisions.calibration import Calibration, Scorer
from kith.decisions.cohort import Cohort, cohort_of
from kith.decisions.groups import EVERYONE, GroupSearchTails, GroupTails
from kith.decisions.inflation import Inflation
from kith.decisions.tail import SearchTails, Tail

NOBODY = Cohort()
TAIL = Tail((0.5, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5), (0.5, 0.6, 0.7, 0.8, 0.9, 0.95))

NO_INFLATION = dict.fromkeys(Scorer, Inflation((1, 100_000), (0.0, 0.0)))


def typical_faces(dimensions: int, count: int = 20) -> Cohort:
    """Faces of nobody, anywhere."""
    faces = np.random.default_rng(11).standard_normal((2, count, dimensions)).astype(np.float32)
    return cohort_of(*(faces / np.linalg.norm(faces, axis=2, keepdims=True)))


def calibration_of(
    comparisons: Tail = TAIL,
    searches: Mapping[Scorer, SearchTails] | None = None,
    inflation: Mapping[Scorer, Inflation] = NO_INFLATION,
    cohort: Cohort = NOBODY,
) -> Calibration:
    """Of everyone together; any number of references changes nothing."""
    return Calibration(
        measured_on="made-up people",
        people=9,
        mated=9,
        non_mated=9,
        comparisons=GroupTails({EVERYONE: comparisons}),
        searches={scorer: GroupSearchTails({EVERYONE: tails}) for scorer, tails in (searches or {}).items()},
        inflation=inflation,
        cohort=cohort,
        scores=(0.0, 1.0),
        log_odds=(-9.0, 9.0),
    )


def measured_up_to(size: int, tail: Tail = TAIL, cohort: Cohort = NOBODY) -> Calibration:
    """Searches measured in galleries of one person and of so many, alike for all scorers."""
    tails = SearchTails((1, size), (tail, tail.of_many(size)))
    return calibration_of(tail, dict.fromkeys(Scorer, tails), cohort=cohort)
