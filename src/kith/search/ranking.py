"""The people whom embeddings may be of, the likeliest first: from the nearest few of any gallery."""

from dataclasses import dataclass

import numpy as np

from kith.decisions.calibration import Scorer
from kith.decisions.cohort import NEAREST, Cohort
from kith.decisions.inflation import Inflation
from kith.decisions.scoring import Rule, evidence, near_others
from kith.decisions.svm import LinearSVM
from kith.records import Candidate, FloatArray
from kith.search.people import People

NO_COHORT, NO_INFLATION = Cohort(), Inflation()
CONSIDERED = 10
"""So many people are considered of each face, more if more are to be listed."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The people found for n embeddings, c of each, those for whom most speaks first.

    Attributes:
        positions: (n, c) int64, in `People.ids`.
        cosines: (n, c).
        evidence: (n, c), see `kith.decisions.scoring`.
        shares: (n, c) of an SVM, which then decides the order; None without one.
    """

    positions: np.ndarray
    cosines: FloatArray
    evidence: FloatArray
    shares: FloatArray | None = None


def find(
    embeddings: FloatArray,
    people: People,
    scorer: Scorer,
    *,
    cohort: Cohort = NO_COHORT,
    inflation: Inflation = NO_INFLATION,
    count: int = CONSIDERED,
) -> Found:
    """The people for whom most speaks.

    Args:
        embeddings: (n, d) float32 of unit length.
        people: At least one.
        scorer: What a face is compared with.
        cohort: Typical faces; none where it does not count who else is near.
        inflation: What cosines gain by the number of a person's references.
        count: How many people are wanted, so far as there are so many.
    """
    if scorer is Scorer.NEAREST:
        positions, cosines = people.nearest_by_reference(embeddings, count)
        return Found(positions, cosines, cosines)
    positions, cosines = people.nearest(embeddings, max(count, CONSIDERED) + NEAREST)
    speaks = cosines - inflation.of(people.counts)[positions]
    if len(cohort):
        most = np.concatenate([speaks, cohort.nearest(embeddings)], axis=1)
        of_people = people.near_others(positions, cohort, inflation)
        speaks = evidence(speaks, near_others(speaks, most), of_people, cohort.usual)
    order = np.argsort(-speaks, axis=1, kind="stable")[:, :count]
    return Found(*(np.take_along_axis(each, order, axis=1) for each in (positions, cosines, speaks)))


def search(
    embeddings: FloatArray,
    people: People,
    rule: Rule,
    *,
    svm: LinearSVM | None = None,
    count: int = CONSIDERED,
) -> Found:
    """The likeliest people of each embedding, those who are alike enough first.

    Args:
        embeddings: (n, d) float32 of unit length.
        people: At least one, of the same model.
        rule: How they are compared, and who is alike enough.
        svm: Orders those who are alike enough, and then the others; fitted on the same people.
        count: How many people are wanted, so far as there are so many.
    """
    found = find(embeddings, people, rule.scorer, cohort=rule.cohort, inflation=rule.inflation, count=count)
    if svm is None:
        return found
    shares = np.take_along_axis(svm.predict_proba(embeddings), found.positions, axis=1)
    order = np.lexsort((-shares, found.evidence < rule.policy.threshold), axis=1)  # the last key first
    every = (found.positions, found.cosines, found.evidence, shares)
    return Found(*(np.take_along_axis(each, order, axis=1) for each in every))


def rank(
    embeddings: FloatArray,
    people: People,
    rule: Rule,
    *,
    svm: LinearSVM | None = None,
    count: int = CONSIDERED,
) -> list[list[Candidate]]:
    """The same as candidates, each with its score and what that means; none where nobody is enrolled."""
    if not len(embeddings) or not len(people):
        return [[] for _ in embeddings]
    found = search(embeddings, people, rule, svm=svm, count=count)
    rates = np.vectorize(rule.tail.rate, [float])(found.evidence)
    return [
        [
            Candidate(
                people.subject(found.positions[row, place]),
                float(found.cosines[row, place]),
                float(rates[row, place]),
                None if found.shares is None else float(found.shares[row, place]),
            )
            for place in range(found.positions.shape[1])
        ]
        for row in range(len(embeddings))
    ]
