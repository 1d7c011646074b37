"""What makes someone of the people who are near: evidence, and the rate that it stands for.

A score is a cosine. A high one is not enough: some faces resemble many people, and some people many faces, and
they are the ones that strangers are taken for. So a person's cosine s counts together with how much nearer to
typical faces than usual the face and the person are, c_face and c_person (see `cohort`), and with what it gains
by the number of the person's references, g (see `inflation`):

    evidence = s - w (c_face + c_person) / 2 - g

Where a model's typical faces are not known, both are 0. Evidence is only ever turned into the rate that a
calibration measured of it; nobody else sees it.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NoReturn

import numpy as np

from kith.decisions.calibration import IDENTIFICATION_FPIR, Calibration, Scorer
from kith.decisions.cohort import Cohort
from kith.decisions.groups import GroupSearchTails, GroupTails
from kith.decisions.inflation import Inflation
from kith.decisions.rates import require_rate
from kith.decisions.tail import SearchTails
from kith.errors import InvalidArgument
from kith.records import FloatArray, Measure, Policy

SHARE = 0.7
"""The weight w: of 0 to 1 in tenths, everything from 0.5 on does better than 0 (decision 18)."""


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
        cohort: Typical faces; none where a cosine counts as it is.
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
        extrapolated=size > tails.largest or usual > inflation.most or not tail.carries(fpir),
        group=tail.hardest(fpir),
        rates=tail.rates(threshold),
    )
    return Rule(kind, scorer, cohort, inflation, tail, policy)


def _comparisons_as_searches(calibration: Calibration) -> GroupSearchTails:
    """Where searches were not measured, each person is one comparison."""
    return GroupSearchTails(
        {name: SearchTails((1,), (tail,)) for name, tail in calibration.comparisons.tails.items()}
    )


def evidence(
    cosines: FloatArray, of_faces: FloatArray, of_people: FloatArray, gains: FloatArray
) -> FloatArray:
    """What speaks for people.

    Args:
        cosines: (n, c) of n faces to c people each.
        of_faces: (n,) how near the faces are to typical ones.
        of_people: (n, c) or (c,) how near the people are.
        gains: (n, c) or (c,) what each cosine gains by the number of the person's references.

    Returns:
        (n, c) float32.
    """
    near = (of_faces[:, np.newaxis] + of_people) / 2
    return np.asarray(cosines - SHARE * near - gains, np.float32)
