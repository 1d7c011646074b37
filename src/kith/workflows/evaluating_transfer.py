"""Does a promise travel? Rates that a calibration promises, beside those measured on other people.

Within each group, and for galleries of several numbers of references a person. A rate is measured over many
galleries and strangers drawn from the group; its interval is the bootstrap's over people, the enrolled and
the strangers alike.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from kith.decisions.calibration import VERIFICATION_FMR, Calibration
from kith.decisions.groups import EVERYONE
from kith.decisions.scoring import Rule, rule_for
from kith.errors import EvaluationError
from kith.evaluation.bootstrap import Estimate, estimate_rate
from kith.records import FloatArray, Policy
from kith.search.people import People
from kith.search.ranking import search

FPIR = 0.01
REFERENCES = (1, 3, 10)
_LEAST_PEOPLE = 10  # of a group, who have enough photos
_GALLERY = 6, 100  # people at least, and at most
_STRANGERS = 2000  # photos at most of each gallery
_MATED = 10  # photos a person searched at most
_GALLERIES = 20
_REPLICATES = 100
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Promise:
    """A promised rate, and what came of it.

    Attributes:
        group: Whom the pairs or galleries were made of.
        people: How many are searched; 1 where two faces are compared.
        references: How many photos of each.
        policy: What was promised.
        measured: The rate that the policy promises.
        missed: Its price: mated pairs that do not match (FNMR), or searches for the enrolled that do not name
            them (FNIR).
    """

    group: str
    people: int
    references: int
    policy: Policy
    measured: Estimate
    missed: Estimate

    @property
    def ratio(self) -> float:
        """The measured rate over the promised one."""
        return self.measured.value / self.policy.rate


def evaluate_transfer(
    calibration: Calibration,
    embeddings: FloatArray,
    subjects: np.ndarray,
    groups: np.ndarray | None = None,
    *,
    fmr: float = VERIFICATION_FMR,
    fpir: float = FPIR,
    references: Sequence[int] = REFERENCES,
    seed: int = 0,
) -> tuple[Promise, ...]:
    """Measure what a calibration promises.

    Args:
        calibration: Of the model, measured on others.
        embeddings: (n, d) of unit length.
        subjects: (n,) int, whom each shows.
        groups: (n,) str, the group of each, empty where unknown; everyone together if None.
        fmr: Asked for.
        fpir: Asked for.
        references: Numbers of references a person; those that too few people have are left out.
        seed: Of what is drawn.

    Raises:
        EvaluationError: No group has people enough.
    """
    labels = np.full(len(subjects), EVERYONE) if groups is None else groups
    promises: list[Promise] = []
    for name in np.unique(labels[labels != ""]).tolist():
        rows = np.flatnonzero(labels == name)
        people = np.unique(subjects[rows], return_inverse=True)[1]
        if people.max() + 1 < _LEAST_PEOPLE:
            continue
        group = _Group(str(name), embeddings[rows], people)
        promises.append(_comparisons(calibration, group, fmr))
        for number in references:
            generator = np.random.default_rng(seed)
            promises += _searches(calibration, group, number, fpir, generator)
    if not promises:
        raise EvaluationError(f"needs {_LEAST_PEOPLE} people of one group, to measure a rate among them")
    return tuple(promises)


class _Group(NamedTuple):
    """A group's name, its embeddings (n, d), and whom each shows (n,), numbered from 0."""

    name: str
    embeddings: FloatArray
    people: np.ndarray


def _comparisons(calibration: Calibration, group: _Group, fmr: float) -> Promise:
    """All pairs of the group."""
    policy = calibration.verification_policy(fmr)
    embeddings, people = group.embeddings, group.people
    matches, misses, trials = [], [], []
    for start in range(0, len(people), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        rows, columns = np.nonzero(embeddings[part] @ embeddings.T >= policy.threshold)
        rows += start
        wrong = (rows < columns) & (people[rows] != people[columns])
        matches.append(np.stack([people[rows[wrong]], people[columns[wrong]]], axis=1))
    pairs = np.concatenate(matches)
    for person in range(int(people.max()) + 1):
        own = embeddings[people == person][:_MATED]
        scores = (own @ own.T)[np.triu_indices(len(own), 1)]
        misses.append(np.sum(scores < policy.threshold))
        trials.append(len(scores))
    photos = np.bincount(people).astype(np.float64)

    def rates(times: np.ndarray) -> tuple[float, float]:
        drawn = times * photos
        count = (drawn.sum() ** 2 - np.sum(drawn**2)) / 2
        mated = float(times @ trials)
        return (
            float(np.sum(times[pairs[:, 0]] * times[pairs[:, 1]])) / max(count, 1),
            float(times @ misses) / mated if mated else 0.0,
        )

    measured = rates(np.ones(len(photos)))
    generator = np.random.default_rng(0)
    replicates = np.array([rates(_times(len(photos), generator)) for _ in range(_REPLICATES)])
    count = int((photos.sum() ** 2 - np.sum(photos**2)) / 2)
    return Promise(
        group.name,
        1,
        1,
        policy,
        estimate_rate(measured[0], replicates[:, 0], count, len(photos)),
        estimate_rate(measured[1], replicates[:, 1], int(np.sum(trials)), int(np.count_nonzero(trials))),
    )


def _searches(
    calibration: Calibration, group: _Group, references: int, fpir: float, generator: np.random.Generator
) -> Iterator[Promise]:
    """Galleries of the group: one promise, or none where too few of its people have so many photos."""
    able = np.flatnonzero(np.bincount(group.people) > references)
    size = min(len(able) * 5 // 8, _GALLERY[1])  # so many are drawn of the able, with replacement
    if size < _GALLERY[0]:
        return
    rule = rule_for(calibration, people=size, references=size * references, fpir=fpir)
    everyone = int(group.people.max()) + 1
    ones = np.ones(everyone)
    runs = [
        _search(rule, group, generator.permutation(able)[:size], references, ones, generator)
        for _ in range(_GALLERIES)
    ]
    replicates = []
    for _ in range(_REPLICATES):
        times = _times(everyone, generator)
        drawn = generator.permutation(able[times[able] > 0])[:size]
        replicates.append(_search(rule, group, drawn, references, times, generator))
    (named, missed), spread = np.nanmean(runs, axis=0), np.array(replicates)
    yield Promise(
        group.name,
        size,
        references,
        rule.policy,
        estimate_rate(float(named), spread[:, 0], len(group.people), everyone),
        estimate_rate(float(missed), spread[:, 1], len(group.people), len(able)),
    )


def _search(
    rule: Rule,
    group: _Group,
    enrolled: np.ndarray,
    references: int,
    times: np.ndarray,
    generator: np.random.Generator,
) -> tuple[float, float]:
    """The share of strangers who are named, where a person counts so many times; and of the enrolled who are
    not."""
    shuffled = generator.permutation(len(group.people))
    known = np.isin(group.people[shuffled], enrolled)
    strangers = shuffled[~known & (times[group.people[shuffled]] > 0)][:_STRANGERS]
    chosen, mated = [], []
    for person in enrolled:
        own = shuffled[group.people[shuffled] == person]
        chosen.append(own[:references])
        mated.append(own[references : references + _MATED])
    rows, probes = np.concatenate(chosen), np.concatenate(mated)
    gallery = People.of(group.embeddings[rows], group.people[rows])
    found = [search(group.embeddings[some], gallery, rule, count=1) for some in (strangers, probes)]
    named = found[0].evidence[:, 0] >= rule.policy.threshold
    right = gallery.ids[found[1].positions[:, 0]] == group.people[probes]
    missed = ~right | (found[1].evidence[:, 0] < rule.policy.threshold)
    return (
        float(np.average(named, weights=times[group.people[strangers]])) if len(strangers) else np.nan,
        float(missed.mean()) if len(probes) else np.nan,
    )


def _times(people: int, generator: np.random.Generator) -> np.ndarray:
    """How often each person is drawn, of so many with replacement."""
    return np.bincount(generator.integers(people, size=people), minlength=people).astype(np.float64)
