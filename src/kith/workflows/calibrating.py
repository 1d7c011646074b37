"""Embeddings of known people -> the calibration of their model."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import takewhile

import numpy as np

from kith.decisions.calibration import VERIFICATION_FMR, Calibration, Scorer
from kith.decisions.cohort import NEAREST, Cohort, cohort_of
from kith.decisions.cosine import normalize, score_pairs
from kith.decisions.groups import EVERYONE, GroupSearchTails, GroupTails
from kith.decisions.inflation import Inflation
from kith.decisions.scoring import SHARE, evidence, near_others
from kith.decisions.tail import SearchTails, Tail
from kith.errors import EvaluationError
from kith.records import FloatArray

RATES = tuple(float(f"{digit}e-{power}") for power in range(1, 8) for digit in (5, 2, 1))
LEAST_ERRORS = 10
"""A rate is stated only if so many of the pairs at hand reach its threshold."""
FEW_PEOPLE = 100
"""A calibration on fewer people is a beginning."""

COHORT = 256
"""Typical faces, at most."""

_PEOPLE_OF_A_TYPE = 5  # on average, so that a typical face is nobody's
_LEAST_TYPES = 16
_LEAST_SEARCHED = 1000  # else what is extrapolated of them is worse than what the comparisons say
_LEAST_PEOPLE = 20  # of a group: fewer say little of others
_DRAWS = 4  # of who is enrolled and who is a stranger
_REFERENCES = (3, 10, 30)
_GALLERY = 10  # people, in which the gain of more references is measured: it hardly depends on how many
_GAIN_RATES = (0.02, 0.01, 0.005)
_MEASURED = (Scorer.CENTROID, Scorer.NORMALIZED)
_MOST_STRANGERS = 4000
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
        cohort, others = _draw_cohort(embeddings, subjects, seed)
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
        searches=_searches(embeddings, subjects, measured, cohort, seed),
        inflation=_inflation(embeddings, subjects, measured, cohort, seed),
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
        if len(counts) >= _LEAST_PEOPLE and counts.max() > 1:
            members[str(name)] = rows
    return members


def _comparisons(histograms: Mapping[str, np.ndarray]) -> GroupTails:
    """The tail of each group's comparisons; a group that cannot show the usual rate is left out.

    Raises:
        EvaluationError: There are too few pairs of different people.
    """
    everyone = _tail_of_histogram(histograms[EVERYONE])
    if everyone is None:
        raise EvaluationError(
            f"{histograms[EVERYONE].sum()} pairs of different people are too few to measure a false match "
            "rate with"
        )
    tails = {name: _tail_of_histogram(histogram) for name, histogram in histograms.items()}
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


def _tail(count: int, threshold_of: Callable[[float], float]) -> Tail | None:
    """Thresholds at the rates that so many scores can carry; None if those are fewer than two."""
    rates = [rate for rate in RATES if rate * count >= LEAST_ERRORS]
    if len(rates) < 2:
        return None
    return Tail(tuple(rates), tuple(round(float(threshold_of(rate * count + 1e-9)), 6) for rate in rates))


def _draw_cohort(embeddings: FloatArray, subjects: np.ndarray, seed: int) -> tuple[Cohort, np.ndarray]:
    """Typical faces, and which rows (n,) are of people who are not among those who made them.

    People with few photos make them: those with many are needed to measure with.
    """
    generator = np.random.default_rng(seed)
    people, counts = np.unique(subjects, return_counts=True)
    shuffled = generator.permutation(len(people))
    makers = people[shuffled[np.argsort(counts[shuffled], kind="stable")]][: len(people) // 4]
    types = min(len(makers) // _PEOPLE_OF_A_TYPE, COHORT)
    if types < _LEAST_TYPES:
        return Cohort(), np.ones(len(subjects), bool)
    from sklearn.cluster import KMeans  # here: takes a second to import

    firsts = np.unique(subjects, return_index=True)[1][np.searchsorted(people, makers)]
    found = KMeans(types, n_init=1, random_state=seed).fit(embeddings[firsts])
    return cohort_of(found.cluster_centers_, embeddings[firsts]), ~np.isin(subjects, makers)


def _searches(
    embeddings: FloatArray,
    subjects: np.ndarray,
    members: Mapping[str, np.ndarray],
    cohort: Cohort,
    seed: int,
) -> dict[Scorer, GroupSearchTails]:
    """How much speaks for the likeliest of a gallery to strangers, within each group that carries it."""
    found: dict[Scorer, dict[str, SearchTails]] = {}
    for name, rows in members.items():
        tails = _search_tails(embeddings[rows], subjects[rows], cohort, np.random.default_rng(seed))
        for scorer, of_sizes in tails.items():
            found.setdefault(scorer, {})[name] = of_sizes
    return {scorer: GroupSearchTails(tails) for scorer, tails in found.items() if EVERYONE in tails}


def _search_tails(
    embeddings: FloatArray, subjects: np.ndarray, cohort: Cohort, generator: np.random.Generator
) -> dict[Scorer, SearchTails]:
    """The same of one group, at each size that it carries: half of the people are strangers to the others.

    Each person is one photo, see `kith.decisions.inflation`; who is enrolled is drawn several times.
    """
    numbers = np.unique(subjects, return_inverse=True)[1]
    most = (int(numbers.max()) + 1) // 2
    sizes = sorted({size for size in _SIZES if size < most} | {min(most, _SIZES[-1])})
    histograms = {scorer: {size: np.zeros(_BINS, np.int64) for size in sizes} for scorer in _MEASURED}
    for _ in range(_DRAWS):
        photos = generator.permutation(len(numbers))
        firsts = photos[np.unique(numbers[photos], return_index=True)[1]]
        enrolled = generator.permutation(firsts)[: sizes[-1]]
        others = np.flatnonzero(~np.isin(numbers, numbers[enrolled]))
        strangers = embeddings[generator.permutation(others)[:_MOST_STRANGERS]]
        if len(strangers) * len(enrolled) < _LEAST_SEARCHED:
            return {}
        for scorer, size, best in _best_of_galleries(embeddings[enrolled], strangers, cohort, sizes):
            histograms[scorer][size] += _histogram(best)
    tails = {scorer: _carried(of_sizes) for scorer, of_sizes in histograms.items()}
    return tails | {Scorer.NEAREST: tails[Scorer.CENTROID]}


def _best_of_galleries(
    enrolled: FloatArray, strangers: FloatArray, cohort: Cohort, sizes: Sequence[int]
) -> Iterator[tuple[Scorer, int, np.ndarray]]:
    """What speaks for the likeliest to each stranger in galleries that share nobody, of each size."""
    rivals = {size: _near_others_in_galleries(enrolled, cohort, size) for size in sizes}
    for start in range(0, len(strangers), _AT_ONCE):
        part = strangers[start : start + _AT_ONCE]
        scores = part @ enrolled.T
        typical = cohort.nearest(part)[:, np.newaxis] if len(cohort) else None
        for size in sizes:
            galleries = len(enrolled) // size
            cosines = scores[:, : galleries * size].reshape(len(part), galleries, size)
            best = cosines.max(axis=2)
            yield Scorer.CENTROID, size, best.ravel()
            if typical is None:
                yield Scorer.NORMALIZED, size, best.ravel()
                continue
            most = _largest(cosines, NEAREST + 1)
            most = np.concatenate([most, np.broadcast_to(typical, (*best.shape, NEAREST))], axis=2)
            near = near_others(cosines, most)
            speaks = evidence(cosines, near, rivals[size], cohort.usual)
            yield Scorer.NORMALIZED, size, speaks.max(axis=2).ravel()


def _near_others_in_galleries(enrolled: FloatArray, cohort: Cohort, size: int) -> FloatArray:
    """Mean cosine of each of the enrolled to the others of its gallery and the typical faces most like it.

    Returns:
        (galleries, size); zeros without a cohort.
    """
    galleries = len(enrolled) // size
    near = np.zeros((galleries, size), np.float32)
    for gallery in range(galleries if len(cohort) else 0):
        own = enrolled[gallery * size : (gallery + 1) * size]
        among = own @ own.T
        np.fill_diagonal(among, -1)
        most = np.concatenate([_largest(among, NEAREST), cohort.nearest(own)], axis=1)
        near[gallery] = _largest(most, NEAREST).mean(axis=1)
    return near


def _largest(values: FloatArray, count: int) -> FloatArray:
    """The largest values along the last axis, in any order; all where they are fewer."""
    if values.shape[-1] <= count:
        return values
    return np.asarray(np.partition(values, values.shape[-1] - count, axis=-1)[..., -count:])


def _carried(histograms: Mapping[int, np.ndarray]) -> SearchTails:
    """The tails of the sizes up to the first that carries none."""
    tails = {size: _tail_of_histogram(histogram) for size, histogram in histograms.items()}
    sizes = tuple(takewhile(lambda size: tails[size] is not None, tails))
    return SearchTails(sizes, tuple(tail for size in sizes if (tail := tails[size]) is not None))


def _inflation(
    embeddings: FloatArray,
    subjects: np.ndarray,
    members: Mapping[str, np.ndarray],
    cohort: Cohort,
    seed: int,
) -> dict[Scorer, Inflation]:
    """What cosines gain by the number of references: of people who have so many photos, what speaks to the
    same strangers for the centroid of so many against a single one; of the group that gains most.
    """
    references, gains = [1], {scorer: [0.0] for scorer in _MEASURED}
    for number in _REFERENCES:
        found = [
            _gains(embeddings[rows], subjects[rows], number, cohort, np.random.default_rng(seed))
            for rows in members.values()
        ]
        if not any(found):
            break
        references.append(number)
        for scorer, of_scorer in gains.items():
            of_scorer.append(round(max(of_scorer[-1], *(one[scorer] for one in found if one)), 6))
    return {scorer: Inflation(tuple(references), tuple(one)) for scorer, one in gains.items()}


def _gains(
    embeddings: FloatArray,
    subjects: np.ndarray,
    references: int,
    cohort: Cohort,
    generator: np.random.Generator,
) -> dict[Scorer, float]:
    """The same of one group, for each scorer; none where too few people have so many photos."""
    people, counts = np.unique(subjects, return_counts=True)
    able = people[counts >= references]
    if len(able) < _LEAST_PEOPLE:
        return {}
    histograms = {scorer: np.zeros((2, _BINS), np.int64) for scorer in _MEASURED}
    for _ in range(_DRAWS):
        enrolled = generator.permutation(able)[: max(len(able) // 2, _GALLERY)]
        strangers = embeddings[~np.isin(subjects, enrolled)]
        drawn = [
            generator.permutation(np.flatnonzero(subjects == person))[:references] for person in enrolled
        ]
        rows = embeddings[np.array(drawn)]
        for place, gallery in enumerate((rows[:, 0], normalize(rows.sum(axis=1)))):
            for scorer, _, best in _best_of_galleries(gallery, strangers, cohort, [_GALLERY]):
                histograms[scorer][place] += _histogram(best)
    # among so few, typical faces are the most alike: evidence has this part of what a person's cosines gain
    parts = {Scorer.CENTROID: 1.0, Scorer.NORMALIZED: 1 - SHARE / 2 if len(cohort) else 1.0}
    return {scorer: _gain(*both) / parts[scorer] for scorer, both in histograms.items()}


def _gain(single: np.ndarray, many: np.ndarray) -> float:
    """By how much the threshold of the second of two histograms is higher, at usual rates."""
    of_single, of_many = _tail_of_histogram(single), _tail_of_histogram(many)
    if of_single is None or of_many is None:
        return 0.0
    return float(np.mean([of_many.threshold(rate) - of_single.threshold(rate) for rate in _GAIN_RATES]))


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
