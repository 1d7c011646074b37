"""What makes someone of the people who are near: evidence, and the rate that it stands for.

A score is a cosine. In a large gallery a high one is not enough: some faces resemble many people, and some
people many faces, and they are the ones that strangers are taken for. So a person's cosine s counts together
with its lead over the others who are next most alike,

    evidence = s + w (s - (r_face + r_person) / 2) - (1 - w) g

where r_face is the mean cosine of the face to the `RIVALS` others most like it, and r_person that of the
person to theirs: the adaptive symmetric normalization of speaker recognition (Matejka et al. 2017,
https://doi.org/10.21437/Interspeech.2017-1430) without its division by the deviation, which lost accuracy
here, and with the gallery itself as cohort, so that no stranger's data are kept. The weight w grows with the
gallery, for among few people the next most alike are alike by chance. And g is what the cosine gains by the
number of the person's references, see `inflation`; of a lead it is taken off already, for rivals gain alike.

Evidence is only ever turned into the rate that a calibration measured of it; nobody else sees it.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import log
from typing import NoReturn

import numpy as np

from kith.decisions.calibration import IDENTIFICATION_FPIR, Calibration, Scorer
from kith.decisions.groups import GroupSearchTails, GroupTails
from kith.decisions.inflation import Inflation
from kith.decisions.rates import require_rate
from kith.decisions.tail import SearchTails
from kith.errors import InvalidArgument
from kith.records import FloatArray, Measure, Policy

RIVALS = 3
_NO_LEAD, _FULL_LEAD = 100, 400  # people; with 100 the lead alone loses, with 300 it wins (decision 8)


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
        lead: Weight of the lead in the evidence.
        inflation: What a cosine gains by the number of a person's references.
        tail: What evidence means.
        policy: What decides.
    """

    classifier: ClassifierKind
    scorer: Scorer
    lead: float
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
    inflation = Inflation() if scorer is Scorer.NEAREST else calibration.inflation
    usual = 1 if scorer is Scorer.NEAREST else references / max(people, 1)
    tails = calibration.searches.get(scorer) or _comparisons_as_searches(calibration)
    tail = tails.at(size)
    threshold = tail.threshold(fpir)
    # what was never measured in a large gallery has no lead in one
    lead = lead_weight(min(size, tails.largest)) if scorer is Scorer.NORMALIZED else 0.0
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
    return Rule(kind, scorer, lead, inflation, tail, policy)


def _comparisons_as_searches(calibration: Calibration) -> GroupSearchTails:
    """Where searches were not measured, each person is one comparison."""
    return GroupSearchTails(
        {name: SearchTails((1,), (tail,)) for name, tail in calibration.comparisons.tails.items()}
    )


def lead_weight(people: int) -> float:
    """Weight of the lead over others in a gallery of so many people, 0 to 1."""
    return min(max(log(max(people, 1) / _NO_LEAD) / log(_FULL_LEAD / _NO_LEAD), 0.0), 1.0)


def evidence(
    cosines: FloatArray, rivals: FloatArray, lead: float, gains: FloatArray | float = 0.0
) -> FloatArray:
    """What speaks for each of the people nearest to faces.

    Args:
        cosines: (n, c) of the c people nearest to each of n faces, the nearest first; c > `RIVALS`.
        rivals: (n, c) mean cosine of each of these people to the `RIVALS` others most like them.
        lead: Weight of the lead.
        gains: (n, c) what each cosine gains by the number of the person's references.

    Returns:
        (n, c) float32.
    """
    nearest = cosines[:, : RIVALS + 1]
    # the mean of the best others: a person among the best is not an own rival
    without = np.where(np.arange(cosines.shape[1]) <= RIVALS, cosines, nearest[:, -1:])
    of_face = (nearest.sum(axis=1, keepdims=True) - without) / RIVALS
    ahead = cosines - (of_face + rivals) / 2
    return np.asarray(cosines + lead * ahead - (1 - lead) * gains, np.float32)
