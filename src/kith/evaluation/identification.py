"""1:N accuracy in the open set: are the enrolled found, and are strangers told from them?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from kith.errors import EvaluationError
from kith.evaluation.bootstrap import REPLICATES, Estimate, estimate_rates
from kith.records import require_shape

FPIRS = (1e-1, 1e-2, 1e-3)
RANKS = (1, 5, 10)
_CMC_LENGTH = 50


@dataclass(frozen=True, slots=True, eq=False)
class Searches:
    """What a gallery answered to faces of the enrolled and to strangers.

    Attributes:
        best: (m,) what speaks for the best candidate of each search for someone enrolled.
        rank: (m,) the place of the right person among the candidates, from 1; 0 if never found.
        subjects: (m,) int, whom each shows.
        strangers: (s,) the same of each search for a stranger.
        stranger_subjects: (s,) int.
    """

    best: np.ndarray
    rank: np.ndarray
    subjects: np.ndarray
    strangers: np.ndarray
    stranger_subjects: np.ndarray


@dataclass(frozen=True, slots=True)
class SearchPoint:
    """What a threshold does to searches.

    Attributes:
        threshold: A search whose best score is below it finds no one.
        fpir: Share of strangers who get a name.
        fnir: Share of the enrolled who are not named, or not rightly.
    """

    threshold: float
    fpir: Estimate
    fnir: Estimate


@dataclass(frozen=True, slots=True, eq=False)
class IdentificationResult:
    """How well a gallery tells its people, and strangers from them.

    Attributes:
        people: How many were enrolled.
        references: How many photos of them.
        mated: How many searches were for someone enrolled.
        strangers: How many were for someone else.
        ranks: For each rank, the share of mated searches with the right person at it or better.
        cmc: (k,) the same for every rank from 1 (cumulative match characteristic).
        fnir_at_fpir: For each false positive identification rate that the data can carry, the
            false negative identification rate: the right person is not the best, or below the threshold.
        threshold_at_fpir: For the same, the threshold.
        too_low: The rates asked for that so many strangers cannot show.
        at_policy: What the model's own threshold does, if it was asked for.
        searches: What all that was computed of.
    """

    people: int
    references: int
    mated: int
    strangers: int
    ranks: dict[int, Estimate]
    cmc: np.ndarray
    fnir_at_fpir: dict[float, Estimate]
    threshold_at_fpir: dict[float, float]
    too_low: tuple[float, ...]
    at_policy: SearchPoint | None
    searches: Searches


@dataclass(frozen=True, slots=True)
class Growth:
    """What becomes of a fixed threshold as the gallery grows.

    Attributes:
        people: Enrolled.
        fpir: Measured share of strangers who get a name.
        predicted: The same, from the largest gallery's, if comparisons were independent.
    """

    people: int
    fpir: float
    predicted: float


def evaluate_searches(
    searches: Searches,
    *,
    people: int,
    references: int,
    fpirs: Sequence[float] = FPIRS,
    threshold: float | None = None,
    replicates: int = REPLICATES,
) -> IdentificationResult:
    """Evaluate what a gallery answered.

    Args:
        searches: The answers.
        people: How many were enrolled.
        references: How many photos of them.
        fpirs: The rates to report at; one below 1 / strangers cannot be shown.
        threshold: The model's own, to be measured too.
        replicates: Of the bootstrap over people.

    Raises:
        EvaluationError: There was no search for someone enrolled, or none for a stranger.
    """
    mated, strangers = len(searches.best), len(searches.strangers)
    if not mated or not strangers:
        raise EvaluationError(
            f"needs searches for the enrolled and for strangers, got {mated} and {strangers}"
        )
    require_shape("rank", searches.rank, (mated,))
    shown = [fpir for fpir in fpirs if fpir * strangers >= 1]
    order = np.argsort(-searches.strangers, kind="stable")

    def measure(weights: np.ndarray | None) -> list[float]:
        every = np.ones(mated + strangers) if weights is None else weights
        own, others = every[:mated] / every[:mated].sum(), every[mated:] / every[mated:].sum()
        thresholds = [_threshold_at_fpir(searches.strangers[order], others[order], fpir) for fpir in shown]
        fnirs = [_fnir(searches, own, one) for one in thresholds]
        found = [float(own[(searches.rank > 0) & (searches.rank <= rank)].sum()) for rank in RANKS]
        if threshold is None:
            return found + fnirs
        fpir = float(others[searches.strangers >= threshold].sum())
        return [*found, *fnirs, fpir, _fnir(searches, own, threshold)]

    subjects = np.concatenate([searches.subjects, searches.stranger_subjects])
    people_searched = min(len(np.unique(searches.subjects)), len(np.unique(searches.stranger_subjects)))
    estimates = estimate_rates(
        measure,
        _search_weights(subjects, mated, replicates),
        trials=[mated] * (len(RANKS) + len(shown)) + [strangers, mated],
        people=people_searched,
        moving=[False] * len(RANKS) + [True] * len(shown) + [False, False],
    )
    rest = estimates[len(RANKS) :]
    even = np.full(strangers, 1 / strangers)
    return IdentificationResult(
        people=people,
        references=references,
        mated=mated,
        strangers=strangers,
        ranks=dict(zip(RANKS, estimates, strict=False)),
        cmc=np.array(
            [
                np.mean((searches.rank > 0) & (searches.rank <= rank))
                for rank in range(1, min(people, _CMC_LENGTH) + 1)
            ]
        ),
        fnir_at_fpir=dict(zip(shown, rest, strict=False)),
        threshold_at_fpir={fpir: _threshold_at_fpir(searches.strangers[order], even, fpir) for fpir in shown},
        too_low=tuple(fpir for fpir in fpirs if fpir not in shown),
        at_policy=None if threshold is None else SearchPoint(threshold, *rest[len(shown) :]),
        searches=searches,
    )


def _threshold_at_fpir(descending: np.ndarray, weights: np.ndarray, fpir: float) -> float:
    """The smallest step above the highest stranger who must not be named."""
    allowed = int(np.searchsorted(np.cumsum(weights), fpir * (1 + 1e-9) + 1e-12, side="right"))
    return float(np.nextafter(descending[min(allowed, len(descending) - 1)], np.float32(9)))


def _fnir(searches: Searches, weights: np.ndarray, threshold: float) -> float:
    return float(weights[(searches.rank != 1) | (searches.best < threshold)].sum())


def _search_weights(subjects: np.ndarray, mated: int, replicates: int) -> Iterator[np.ndarray]:
    """Weights of the searches in each replicate: as often as the person was drawn."""
    generator = np.random.default_rng(0)
    people, numbers = np.unique(subjects, return_inverse=True)
    made = drawn = 0
    while made < replicates and drawn < 10 * replicates:
        drawn += 1
        times = np.bincount(generator.integers(len(people), size=len(people)), minlength=len(people))
        weights = times[numbers].astype(np.float64)
        if weights[:mated].any() and weights[mated:].any():
            made += 1
            yield weights


def grow(sizes: Sequence[int], fpirs: Sequence[float]) -> tuple[Growth, ...]:
    """Measured rates by the gallery's size, and what the largest one's would be at any size.

    The prediction assumes that a stranger's comparisons are independent of one another, and computes
    1 - (1 - f)^n. They are not (some strangers resemble many), so beyond the largest gallery it errs to
    the safe side: it names more strangers than there will be.

    Args:
        sizes: Ascending, the people enrolled.
        fpirs: The share of strangers who got a name among so many.
    """
    each = 1 - (1 - fpirs[-1]) ** (1 / sizes[-1])
    beyond = [size for size in GALLERY_SIZES if size > sizes[-1]][:3]
    measured = [*fpirs, *[float("nan")] * len(beyond)]
    return tuple(
        Growth(size, fpir, 1 - (1 - each) ** size)
        for size, fpir in zip([*sizes, *beyond], measured, strict=True)
    )


GALLERY_SIZES = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 100_000)
