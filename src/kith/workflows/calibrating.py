"""Embeddings of known people -> the calibration of their model."""

from collections.abc import Mapping

import numpy as np

from kith.decisions.calibration import VERIFICATION_FMR, Calibration
from kith.decisions.cohort import Cohort
from kith.decisions.cosine import score_pairs
from kith.decisions.groups import EVERYONE, GroupTails
from kith.errors import EvaluationError
from kith.records import FloatArray
from kith.workflows.calibrating_searches import (
    LEAST_PEOPLE,
    draw_cohort,
    measure_inflation,
    measure_searches,
)
from kith.workflows.measured_tails import BINS, histogram_of, tail_of

FEW_PEOPLE = 100
"""A calibration on fewer people is a beginning."""

_MATED_PER_PERSON = 10  # else a person with 500 photos would speak for all
_NON_MATED_FOR_ODDS = 1_000_000
_AT_ONCE = 500


def fit_calibration(
    embeddings: FloatArray,
    subjects: np.ndarray,
    data: str,
    *,
    groups: np.ndarray | None = None,
    cohort: Cohort | None = None,
    unrecognizable: FloatArray | None = None,
    seed: int = 0,
) -> Calibration:
    """Measure what the scores of a model mean.

    Args:
        embeddings: (n, d) of unit length.
        subjects: (n,) int, whom each shows.
        data: What it was measured on, in a word: "LFW", or a folder's name.
        groups: (n,) str, the group of each, such as the person's sex; empty where unknown. What is promised
            is what holds within the group that it is hardest for; over everyone if there are none.
        cohort: The model's typical faces, of other people; a quarter of these people make them if None, and
            searches are measured on the rest.
        unrecognizable: (n, d) embeddings of faces too coarse to recognize.
        seed: Of what is drawn.

    Raises:
        EvaluationError: There are fewer than two people, or nobody has two photos, or too few pairs.
    """
    counts = np.unique(subjects, return_counts=True)[1]
    if len(counts) < 2 or counts.max() < 2:
        raise EvaluationError(
            "calibrating needs photos of at least two people, and two photos of at least one of them"
        )
    members = _members(subjects, groups)
    histograms = {
        name: _non_mated_histogram(embeddings[rows], subjects[rows]) for name, rows in members.items()
    }
    comparisons = _comparisons(histograms)
    hardest = comparisons.hardest(VERIFICATION_FMR)
    rows = members[hardest]
    mated = _mated_scores(embeddings[rows], subjects[rows], np.random.default_rng(seed))
    scores, log_odds = _fit_odds(mated, histograms[hardest])
    if cohort is None:
        cohort, others = draw_cohort(embeddings, subjects, seed=seed)
    else:
        others = np.ones(len(subjects), bool)
    measured = {name: rows[others[rows]] for name, rows in members.items()}
    centre, usual_distance = _unrecognizable(unrecognizable, embeddings)
    non_mated = int(histograms[EVERYONE].sum())
    return Calibration(
        measured_on=f"{data}: {non_mated:,} non-mated pairs of {len(counts):,} people",
        people=len(counts),
        mated=int(np.sum(counts * (counts - 1) // 2)),
        non_mated=non_mated,
        comparisons=comparisons,
        searches=measure_searches(embeddings, subjects, measured, cohort, seed),
        inflation=measure_inflation(embeddings, subjects, measured, cohort, seed),
        cohort=cohort,
        scores=scores,
        log_odds=log_odds,
        unrecognizable=centre,
        usual_distance=usual_distance,
    )


def _members(subjects: np.ndarray, groups: np.ndarray | None) -> dict[str, np.ndarray]:
    """The rows of everyone, and of each group that is large enough to speak of others."""
    members = {EVERYONE: np.arange(len(subjects))}
    for name in [] if groups is None else np.unique(groups[groups != ""]).tolist():
        rows = np.flatnonzero(groups == name)
        counts = np.unique(subjects[rows], return_counts=True)[1]
        if len(counts) >= LEAST_PEOPLE and counts.max() > 1:
            members[str(name)] = rows
    return members


def _comparisons(histograms: Mapping[str, np.ndarray]) -> GroupTails:
    """The tail of each group's comparisons; a group that cannot show the usual rate is left out.

    Raises:
        EvaluationError: There are too few pairs of different people.
    """
    everyone = tail_of(histograms[EVERYONE])
    if everyone is None:
        raise EvaluationError(
            f"{histograms[EVERYONE].sum()} pairs of different people are too few to measure a false match "
            "rate with"
        )
    tails = {name: tail_of(histogram) for name, histogram in histograms.items()}
    lowest = max(VERIFICATION_FMR, everyone.lowest)
    return GroupTails({name: tail for name, tail in tails.items() if tail and tail.carries(lowest)})


def _unrecognizable(coarse: FloatArray | None, embeddings: FloatArray) -> tuple[tuple[float, ...], float]:
    """The mean direction of coarse faces, and the median distance of the others from it."""
    if coarse is None:
        return (), 1.0
    centre = coarse.mean(axis=0)
    centre /= np.linalg.norm(centre)
    return tuple(np.round(centre, 6).tolist()), float(np.median(1 - embeddings @ centre))


def _mated_scores(embeddings: FloatArray, subjects: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Scores of up to `_MATED_PER_PERSON` pairs of each person."""
    pairs = []
    for subject in np.unique(subjects):
        members = np.flatnonzero(subjects == subject)
        first, second = np.triu_indices(len(members), 1)
        chosen = generator.permutation(len(first))[:_MATED_PER_PERSON]
        pairs.append(np.stack([members[first[chosen]], members[second[chosen]]], axis=1))
    first, second = np.concatenate(pairs).T
    return score_pairs(embeddings[first], embeddings[second])


def _non_mated_histogram(embeddings: FloatArray, subjects: np.ndarray) -> np.ndarray:
    """How many pairs of different people have a score in each of `BINS` steps from -1 to 1."""
    histogram = np.zeros(BINS, np.int64)
    places = np.arange(len(embeddings))
    for start in range(0, len(embeddings), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        scores = embeddings[part] @ embeddings[start:].T
        counted = (places[part, np.newaxis] < places[start:]) & (
            subjects[part, np.newaxis] != subjects[start:]
        )
        histogram += histogram_of(scores[counted])
    return histogram


def _fit_odds(mated: np.ndarray, non_mated: np.ndarray) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Log-likelihood ratios that rise with the score: isotonic regression (pool adjacent violators).

    They are kept within what the numbers of pairs can show, and drawn as straight lines between the
    middles of the pools, because a step would make two nearly equal scores mean different things.
    """
    from sklearn.isotonic import IsotonicRegression

    middles = np.linspace(-1, 1, BINS + 1)[:-1] + 1 / BINS
    mated_steps = histogram_of(mated)
    used = np.flatnonzero(mated_steps + non_mated)
    shares = np.stack([mated_steps[used] / mated_steps.sum(), non_mated[used] / non_mated.sum()])
    weights = shares.sum(axis=0)
    fitted = IsotonicRegression().fit_transform(middles[used], shares[0] / weights, sample_weight=weights)
    pools, members = np.unique(fitted, return_inverse=True)
    places = np.bincount(members, weights * middles[used]) / np.bincount(members, weights)
    most = np.log(len(mated) + 1)
    least = -np.log(min(non_mated.sum(), _NON_MATED_FOR_ODDS) + 1)
    with np.errstate(divide="ignore"):
        log_odds = np.clip(np.log(pools) - np.log1p(-pools), least, most)
    if len(places) == 1:  # the scores say nothing
        places, log_odds = np.array([-1.0, 1.0]), np.zeros(2)
    return tuple(np.round(places, 6).tolist()), tuple(np.round(log_odds, 4).tolist())
