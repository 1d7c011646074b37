"""Embeddings of known people -> what a search of strangers in a gallery of them gives."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile

import numpy as np

from kith.decisions.calibration import Scorer
from kith.decisions.cohort import NEAREST, Cohort, cohort_of
from kith.decisions.cosine import normalize
from kith.decisions.groups import EVERYONE, GroupSearchTails
from kith.decisions.inflation import Inflation
from kith.decisions.scoring import SHARE, evidence, near_others
from kith.decisions.tail import SearchTails
from kith.records import FloatArray
from kith.workflows.measured_tails import BINS, histogram_of, tail_of

LEAST_PEOPLE = 20
"""Of a group: fewer say little of others."""

COHORT = 256
"""Typical faces, at most."""

_PEOPLE_OF_A_TYPE = 5  # on average, so that a typical face is nobody's
_LEAST_TYPES = 16
_LEAST_SEARCHED = 1000  # else what is extrapolated of them is worse than what the comparisons say
_DRAWS = 4  # of who is enrolled and who is a stranger
_REFERENCES = (3, 10, 30)
_GALLERY = 10  # people, in which the gain of more references is measured: it hardly depends on how many
_GAIN_RATES = (0.02, 0.01, 0.005)
_MEASURED = (Scorer.CENTROID, Scorer.NORMALIZED)
_MOST_STRANGERS = 4000
_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 400, 800, 1600, 3200)
_AT_ONCE = 500


def draw_cohort(
    embeddings: FloatArray, subjects: np.ndarray, *, seed: int, share: float = 0.25
) -> tuple[Cohort, np.ndarray]:
    """Typical faces, and which rows (n,) are of people who are not among those who made them.

    People with few photos make them, for those with many are needed to measure with; there are no typical
    faces if they are too few.

    Args:
        embeddings: (n, d) of unit length.
        subjects: (n,) int, whom each shows.
        seed: Of what is drawn.
        share: Of the people, who make them.
    """
    generator = np.random.default_rng(seed)
    people, counts = np.unique(subjects, return_counts=True)
    shuffled = generator.permutation(len(people))
    makers = people[shuffled[np.argsort(counts[shuffled], kind="stable")]][: int(len(people) * share)]
    types = min(len(makers) // _PEOPLE_OF_A_TYPE, COHORT)
    if types < _LEAST_TYPES:
        return Cohort(), np.ones(len(subjects), bool)
    from sklearn.cluster import KMeans  # here: takes a second to import

    firsts = np.unique(subjects, return_index=True)[1][np.searchsorted(people, makers)]
    found = KMeans(types, n_init=1, random_state=seed).fit(embeddings[firsts])
    return cohort_of(found.cluster_centers_, embeddings[firsts]), ~np.isin(subjects, makers)


def measure_searches(
    embeddings: FloatArray,
    subjects: np.ndarray,
    members: Mapping[str, np.ndarray],
    cohort: Cohort,
    seed: int,
) -> dict[Scorer, GroupSearchTails]:
    """How much speaks for the likeliest of a gallery to strangers, within each group that carries it.

    Args:
        embeddings: (n, d) of unit length.
        subjects: (n,) int, whom each shows.
        members: The rows of each group.
        cohort: Typical faces, of other people.
        seed: Of what is drawn.
    """
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
    histograms = {scorer: {size: np.zeros(BINS, np.int64) for size in sizes} for scorer in _MEASURED}
    for _ in range(_DRAWS):
        photos = generator.permutation(len(numbers))
        firsts = photos[np.unique(numbers[photos], return_index=True)[1]]
        enrolled = generator.permutation(firsts)[: sizes[-1]]
        others = np.flatnonzero(~np.isin(numbers, numbers[enrolled]))
        strangers = embeddings[generator.permutation(others)[:_MOST_STRANGERS]]
        if len(strangers) * len(enrolled) < _LEAST_SEARCHED:
            return {}
        for scorer, size, best in _best_of_galleries(embeddings[enrolled], strangers, cohort, sizes):
            histograms[scorer][size] += histogram_of(best)
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
    tails = {size: tail_of(histogram) for size, histogram in histograms.items()}
    sizes = tuple(takewhile(lambda size: tails[size] is not None, tails))
    return SearchTails(sizes, tuple(tail for size in sizes if (tail := tails[size]) is not None))


def measure_inflation(
    embeddings: FloatArray,
    subjects: np.ndarray,
    members: Mapping[str, np.ndarray],
    cohort: Cohort,
    seed: int,
) -> dict[Scorer, Inflation]:
    """What cosines gain by the number of references: of people who have so many photos, what speaks to the
    same strangers for the centroid of so many against a single one; of the group that gains most.

    Args:
        embeddings: (n, d) of unit length.
        subjects: (n,) int, whom each shows.
        members: The rows of each group.
        cohort: Typical faces, of other people.
        seed: Of what is drawn.
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
    if len(able) < LEAST_PEOPLE:
        return {}
    histograms = {scorer: np.zeros((2, BINS), np.int64) for scorer in _MEASURED}
    for _ in range(_DRAWS):
        enrolled = generator.permutation(able)[: max(len(able) // 2, _GALLERY)]
        strangers = embeddings[~np.isin(subjects, enrolled)]
        drawn = [
            generator.permutation(np.flatnonzero(subjects == person))[:references] for person in enrolled
        ]
        rows = embeddings[np.array(drawn)]
        for place, gallery in enumerate((rows[:, 0], normalize(rows.sum(axis=1)))):
            for scorer, _, best in _best_of_galleries(gallery, strangers, cohort, [_GALLERY]):
                histograms[scorer][place] += histogram_of(best)
    # among so few, typical faces are the most alike: evidence has this part of what a person's cosines gain
    parts = {Scorer.CENTROID: 1.0, Scorer.NORMALIZED: 1 - SHARE / 2 if len(cohort) else 1.0}
    return {scorer: _gain(*both) / parts[scorer] for scorer, both in histograms.items()}


def _gain(single: np.ndarray, many: np.ndarray) -> float:
    """By how much the threshold of the second of two histograms is higher, at usual rates."""
    of_single, of_many = tail_of(single), tail_of(many)
    if of_single is None or of_many is None:
        return 0.0
    return float(np.mean([of_many.threshold(rate) - of_single.threshold(rate) for rate in _GAIN_RATES]))
