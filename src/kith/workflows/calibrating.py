"""Embeddings of known people -> the calibration of their model."""

from collections.abc import Callable, Sequence

import numpy as np

from kith.decisions.calibration import Calibration, Scorer
from kith.decisions.cosine import score_pairs
from kith.decisions.scoring import lead_weight
from kith.decisions.tail import SearchTails, Tail
from kith.errors import EvaluationError
from kith.evaluation.open_set import OpenSetProtocol
from kith.records import FloatArray
from kith.search.people import People
from kith.search.ranking import find

RATES = tuple(float(f"{digit}e-{power}") for power in range(1, 8) for digit in (5, 2, 1))
LEAST_ERRORS = 10
"""A rate is stated only if so many of the pairs at hand reach its threshold."""
FEW_PEOPLE = 100
"""A calibration on fewer people is a beginning."""

_LEAST_SEARCHED = 1000  # else what is extrapolated of them is worse than what the comparisons say
_REFERENCES = 3
_ENOUGH_PEOPLE = 50
_PLAIN = (Scorer.CENTROID, Scorer.NEAREST)
_MOST_STRANGERS = 20_000
_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 400, 800, 1600, 3200)
_MATED_PER_PERSON = 10  # else a person with 500 photos would speak for all
_NON_MATED_FOR_ODDS = 1_000_000
_BINS = 40_000  # of 0.00005 each
_AT_ONCE = 500


def fit_calibration(
    embeddings: FloatArray,
    subjects: np.ndarray,
    data: str,
    *,
    unrecognizable: FloatArray | None = None,
    seed: int = 0,
) -> Calibration:
    """Measure what the scores of a model mean.

    Args:
        embeddings: (n, d) of unit length.
        subjects: (n,) int, whom each shows.
        data: What it was measured on, in a word: "LFW", or a folder's name.
        unrecognizable: (n, d) embeddings of faces too coarse to recognize.
        seed: Of what is drawn.

    Raises:
        EvaluationError: There are fewer than two people, or nobody has two photos, or too few pairs.
    """
    generator = np.random.default_rng(seed)
    counts = np.unique(subjects, return_counts=True)[1]
    if len(counts) < 2 or counts.max() < 2:
        raise EvaluationError(
            "calibrating needs photos of at least two people, and two photos of at least one of them"
        )
    mated = _mated_scores(embeddings, subjects, generator)
    non_mated = _non_mated_histogram(embeddings, subjects)
    comparisons = _tail_of_histogram(non_mated)
    if comparisons is None:
        raise EvaluationError(
            f"{non_mated.sum()} pairs of different people are too few to measure a false match rate with"
        )
    searches = _search_tails(embeddings, subjects, generator)
    scores, log_odds = _fit_odds(mated, non_mated)
    centre, usual_distance = _unrecognizable(unrecognizable, embeddings)
    return Calibration(
        measured_on=f"{data}: {non_mated.sum():,} non-mated pairs of {len(counts):,} people",
        people=len(counts),
        mated=int(np.sum(counts * (counts - 1) // 2)),
        non_mated=int(non_mated.sum()),
        comparisons=comparisons,
        searches=searches,
        scores=scores,
        log_odds=log_odds,
        unrecognizable=centre,
        usual_distance=usual_distance,
    )


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
    """How many pairs of different people have a score in each of `_BINS` steps from -1 to 1."""
    histogram = np.zeros(_BINS, np.int64)
    places = np.arange(len(embeddings))
    for start in range(0, len(embeddings), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        scores = embeddings[part] @ embeddings[start:].T
        counted = (places[part, np.newaxis] < places[start:]) & (
            subjects[part, np.newaxis] != subjects[start:]
        )
        histogram += _histogram(scores[counted])
    return histogram


def _histogram(scores: np.ndarray) -> np.ndarray:
    steps = np.clip(((scores + 1) * (_BINS / 2)).astype(np.int64), 0, _BINS - 1)
    return np.bincount(steps, minlength=_BINS)


def _tail_of_histogram(histogram: np.ndarray) -> Tail | None:
    """A step is counted whole above its lower edge, so no rate is understated."""
    edges = np.linspace(-1, 1, _BINS + 1)
    reached = np.cumsum(histogram[::-1])[::-1]
    return _tail(int(histogram.sum()), lambda allowed: edges[int(np.argmax(reached <= allowed))])


def _tail_of_scores(scores: np.ndarray) -> Tail | None:
    descending = -np.sort(-scores.ravel())
    return _tail(len(descending), lambda allowed: np.nextafter(descending[int(allowed)], np.float32(9)))


def _tail(count: int, threshold_of: Callable[[float], float]) -> Tail | None:
    """Thresholds at the rates that so many scores can carry; None if those are fewer than two."""
    rates = [rate for rate in RATES if rate * count >= LEAST_ERRORS]
    if len(rates) < 2:
        return None
    return Tail(tuple(rates), tuple(round(float(threshold_of(rate * count + 1e-9)), 6) for rate in rates))


def _search_tails(
    embeddings: FloatArray, subjects: np.ndarray, generator: np.random.Generator
) -> dict[Scorer, SearchTails]:
    """How alike the likeliest of a gallery seems to strangers, at each size that the data carry."""
    counts = np.bincount(subjects)
    able = np.flatnonzero(counts > _REFERENCES)  # the more references, the more a centroid is like strangers
    if len(able) < _ENOUGH_PEOPLE:
        able = np.flatnonzero(counts >= 2)
    most = min(int((counts > 0).sum()) * 3 // 4, _SIZES[-1])  # the others are strangers
    enrolled = generator.permutation(able)[: max(min(len(able), most), 1)]
    protocol = OpenSetProtocol.draw(subjects, enrolled, references=_REFERENCES, generator=generator)
    strangers = embeddings[generator.permutation(protocol.strangers)[:_MOST_STRANGERS]]
    if len(strangers) * len(enrolled) < _LEAST_SEARCHED:
        return {}
    people = People.of(embeddings[protocol.references], subjects[protocol.references])
    sizes = [size for size in _SIZES if size < len(people)] + [len(people)]
    plain = {scorer: _plain_tails(scorer, sizes, people, strangers) for scorer in _PLAIN}
    return plain | {Scorer.NORMALIZED: _tails_with_lead(plain[Scorer.CENTROID], sizes, people, strangers)}


def _plain_tails(scorer: Scorer, sizes: Sequence[int], people: People, strangers: FloatArray) -> SearchTails:
    """The best cosine of each stranger, in galleries that share nobody."""
    histograms = {size: np.zeros(_BINS, np.int64) for size in sizes}
    starts = np.searchsorted(people.owners, people.ids)
    for start in range(0, len(strangers), _AT_ONCE):
        part = strangers[start : start + _AT_ONCE]
        if scorer is Scorer.NEAREST:
            scores = np.maximum.reduceat(part @ people.references.T, starts, axis=1)
        else:
            scores = part @ people.centroids.T
        for size, histogram in histograms.items():
            galleries = len(people) // size
            in_galleries = scores[:, : galleries * size].reshape(len(part), galleries, size)
            histogram += _histogram(in_galleries.max(axis=2).ravel())
    found = {size: tail for size, one in histograms.items() if (tail := _tail_of_histogram(one))}
    if scorer is Scorer.NEAREST:  # there a gallery's size is the number of its references
        each = len(people.references) / len(people)
        found = {1: found[1]} | {round(size * each): tail for size, tail in found.items()}
    return SearchTails(tuple(found), tuple(found.values()))


def _tails_with_lead(
    plain: SearchTails, sizes: Sequence[int], people: People, strangers: FloatArray
) -> SearchTails:
    """The same with the lead over others, in galleries so large that it counts."""
    found = {size: tail for size, tail in zip(plain.sizes, plain.tails, strict=True) if not lead_weight(size)}
    for size in (size for size in sizes if lead_weight(size)):
        best = []
        for start in range(0, len(people) - size + 1, size):
            inside = np.isin(people.owners, people.ids[start : start + size])
            gallery = People.of(people.references[inside], people.owners[inside])
            best.append(find(strangers, gallery, Scorer.NORMALIZED, lead_weight(size), count=1).evidence)
        tail = _tail_of_scores(np.concatenate(best))
        if tail is None:
            break
        found[size] = tail
    return SearchTails(tuple(found), tuple(found.values()))


def _fit_odds(mated: np.ndarray, non_mated: np.ndarray) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Log-likelihood ratios that rise with the score: isotonic regression (pool adjacent violators).

    They are kept within what the numbers of pairs can show, and drawn as straight lines between the
    middles of the pools, because a step would make two nearly equal scores mean different things.
    """
    from sklearn.isotonic import IsotonicRegression

    middles = np.linspace(-1, 1, _BINS + 1)[:-1] + 1 / _BINS
    mated_steps = _histogram(mated)
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
