"""Enrolled people who may be one."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from kith.decisions.calibration import Calibration
from kith.decisions.scoring import ClassifierKind, rule_for
from kith.gallery import Gallery
from kith.records import Subject
from kith.search.ranking import CONSIDERED
from kith.search.view import view_of


@dataclass(frozen=True, slots=True)
class Lookalike:
    """Two enrolled people who may be one.

    Attributes:
        subject: One of them.
        other: The other.
        score: Mean cosine of the first one's references to the other.
    """

    subject: Subject
    other: Subject
    score: float


def lookalikes(gallery: Gallery, calibration: Calibration, subjects: Collection[int]) -> list[Lookalike]:
    """People whose references would, on the whole, be taken for another enrolled person's; each two once.

    Args:
        gallery: Of one model.
        calibration: Of that model.
        subjects: Ids of the people to look at, the newly enrolled for example.
    """
    people = view_of(gallery).people()
    if len(people) < 2:
        return []
    rule = rule_for(
        calibration, ClassifierKind.CENTROID, people=len(people), references=len(people.references)
    )
    found: list[Lookalike] = []
    for id in sorted(set(subjects) & set(people.ids.tolist())):
        own = people.references[people.owners == id]
        near = np.unique(people.nearest(own, CONSIDERED)[0])
        near = near[people.ids[near] != id]
        scores = (own @ people.centroids[near].T).mean(axis=0)
        speaks = scores - rule.inflation.of(people.counts[near])
        best = int(np.argmax(speaks))
        other = people.subject(near[best])
        is_told = any(one.subject == other and one.other.id == id for one in found)
        if rule.tail.rate(float(speaks[best])) <= rule.policy.rate and not is_told:
            found.append(Lookalike(people.subjects[id], other, float(scores[best])))
    return found
