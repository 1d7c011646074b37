"""What makes someone of the people who are near: evidence, and the rate that it stands for.

A score is a cosine. A high one is not enough: some faces resemble many people, and some people many faces,
and they are the ones that strangers are taken for. So a person's cosine s, less what it gains from the number
of the person's references (see `inflation`), counts less the nearer the face and the person are to others:

    evidence = s - w ((r_face + r_person) / 2 - usual)

where r_face is the mean cosine of the face to the `NEAREST` others most like it, and r_person that of the
person to theirs: the adaptive symmetric normalization of speaker recognition (Matejka et al. 2017,
https://doi.org/10.21437/Interspeech.2017-1430) without its division by the deviation, which lost accuracy
here. Others are the other enrolled people and the typical faces that a model brings with it (see `cohort`),
so that no stranger's data are kept; a usual face's cosine stays as it is. Without typical faces evidence is
the cosine, for among few people the next most alike are alike by chance.

Evidence is only ever turned into the rate that a calibration measured of it; nobody else sees it.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NoReturn

import numpy as np

from kith.decisions.calibration import IDENTIFICATION_FPIR, Calibration, Scorer
from kith.decisions.cohort import NEAREST, Cohort
from kith.decisions.groups import GroupSearchTails, GroupTails
from kith.decisions.inflation import Inflation
from kith.decisions.rates import require_rate
from kith.decisions.tail import SearchTails
from kith.errors import InvalidArgument
from kith.records import FloatArray, Measure, Policy

SHARE = 0.7
"""The weight w: of 0 to 1 in tenths, everything from 0.5 on does better than 0 (decision 21)."""


class ClassifierKind(StrEnum):
    """Who says whose a face is, among those it may be."""

    NORMALIZED = "normalized"
    CENTROID = "centroid"
    NEAREST = "nearest"
    SVM = "svm"

    @classmethod
    def _missing_(cls, value: object) -> NoReturn:
        raise InvalidArgument(f"a classifier must be one of {', '.join(cls)}, got {value!r}")


@dataclass(frozen=True, slots=True)
class Rule:
    """How a gallery is searched and decided: scorer and policy together, see `rule_for`.

    Attributes:
        classifier: Who orders those who are alike enough.
        scorer: What a face is compared with.
        cohort: Typical faces; none where a cosine counts whoever else is near.
        inflation: What a cosine gains by the number of a person's references.
        tail: What evidence means.
        policy: What decides.
    """

    classifier: ClassifierKind
    scorer: Scorer
    cohort: Cohort
    inflation: Inflation
    tail: GroupTails
    policy: Policy


def rule_for(
    calibration: Calibration,
    classifier: ClassifierKind | str = ClassifierKind.NORMALIZED,
    *,
    people: int,
    references: int,
    fpir: float = IDENTIFICATION_FPIR,
) -> Rule:
    """The one answer to how a gallery is searched: all that identify, cluster or evaluate ask here.

    Args:
        calibration: Of the model.
        classifier: Who says whose a face is; an SVM only orders those whom the default finds alike enough.
        people: How many are enrolled.
        references: How many photos of them.
        fpir: Wanted share of strangers who get a name.

    Raises:
        InvalidArgument: The rate is none.
    """
    require_rate("fpir", fpir)
    kind = ClassifierKind(classifier)
    scorer = Scorer.NORMALIZED if kind is ClassifierKind.SVM else Scorer(kind)
    size = max(references if scorer is Scorer.NEAREST else people, 1)
    cohort = calibration.cohort if scorer is Scorer.NORMALIZED else Cohort()
    inflation = calibration.inflation.get(scorer, Inflation())
    usual = 1 if scorer is Scorer.NEAREST else references / max(people, 1)
    tails = calibration.searches.get(scorer) or _comparisons_as_searches(calibration)
    tail = tails.at(size)
    threshold = tail.threshold(fpir)
    policy = Policy(
        Measure.FPIR,
        fpir,
        threshold,
        calibration.measured_on,
        people,
        lowest=tail.lowest if size <= tails.largest else 1.0,
        extrapolated=not calibration.people
        or size > tails.largest
        or usual > inflation.most
        or not tail.carries(fpir),
        group=tail.hardest(fpir),
        rates=tail.rates(threshold),
    )
    return Rule(kind, scorer, cohort, inflation, tail, policy)


def _comparisons_as_searches(calibration: Calibration) -> GroupSearchTails:
    """Where searches were not measured, each person is one comparison."""
    return GroupSearchTails(
        {name: SearchTails((1,), (tail,)) for name, tail in calibration.comparisons.tails.items()}
    )


def evidence(cosines: FloatArray, of_faces: FloatArray, of_people: FloatArray, usual: float) -> FloatArray:
    """What speaks for people.

    Args:
        cosines: (..., c) of faces to c people each, as if each had one reference.
        of_faces: (..., c) mean cosine of each face to the others most like it, see `near_others`.
        of_people: (..., c) that of each person to theirs.
        usual: What both usually are.

    Returns:
        (..., c) float32.
    """
    near = (of_faces + of_people) / 2 - np.float32(usual)
    return np.asarray(cosines - np.float32(SHARE) * near, np.float32)


def near_others(cosines: FloatArray, most: FloatArray) -> FloatArray:
    """How near faces are to the others most like them, for each of the people they are compared with.

    Args:
        cosines: (..., c) of faces to c people each: a person who is among the most alike does not count.
        most: (..., m) cosines to the people and typical faces most like each face, m > `NEAREST`.

    Returns:
        (..., c) mean cosine to the `NEAREST` others.
    """
    nearest = np.partition(most, most.shape[-1] - NEAREST - 1, axis=-1)[..., -NEAREST - 1 :]
    last = nearest[..., :1]
    return np.asarray((nearest.sum(axis=-1, keepdims=True) - np.maximum(cosines, last)) / NEAREST, np.float32)
