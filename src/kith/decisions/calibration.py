"""From scores to statements: what a model's scores mean, measured on known people.

A calibration belongs to one model. It says which share of strangers reaches a score, of two faces and of
searches in galleries of several sizes, and the probability that two faces are one person's. It is fitted by
`kith.workflows.calibrating`.
"""

import json
from base64 import b64decode, b64encode
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import exp, log
from typing import Any, Self

import numpy as np

from kith.decisions.cohort import Cohort
from kith.decisions.groups import EVERYONE, GroupSearchTails, GroupTails
from kith.decisions.inflation import Inflation
from kith.decisions.rates import require_rate
from kith.decisions.tail import SearchTails, Tail
from kith.records import FloatArray, Measure, Policy

VERSION = 3
"""Of a calibration's file. Version 1 had no number, and one size of gallery; version 2 no groups."""

VERIFICATION_FMR = 1e-3
IDENTIFICATION_FPIR = 3e-3


class Scorer(StrEnum):
    """What a face is compared with in a search, see `kith.decisions.scoring`."""

    NORMALIZED = "normalized"
    CENTROID = "centroid"
    NEAREST = "nearest"


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a model's scores mean.

    Attributes:
        measured_on: The data, in a few words.
        people: How many people that were.
        mated: How many pairs of one person.
        non_mated: How many pairs of different people.
        comparisons: False match rates of comparing two faces, of each group.
        searches: For each scorer, false positive identification rates of each group by the size of the
            gallery: its people, or its references where each is compared by itself. Empty if there were too
            few people.
        inflation: For each scorer that was measured, what a cosine gains by the number of a person's
            references.
        cohort: The model's typical faces.
        scores: At which the odds are known, ascending.
        log_odds: At each of them, how much more often mated than non-mated pairs have it (natural logarithm).
        unrecognizable: (d,) the mean embedding of faces too coarse to recognize; empty if not measured.
        usual_distance: 1 - cosine of a usual face's embedding to that.
    """

    measured_on: str
    people: int
    mated: int
    non_mated: int
    comparisons: GroupTails
    searches: Mapping[Scorer, GroupSearchTails]
    scores: tuple[float, ...]
    log_odds: tuple[float, ...]
    unrecognizable: tuple[float, ...] = ()
    usual_distance: float = 1.0
    inflation: Mapping[Scorer, Inflation] = field(default_factory=dict)
    cohort: Cohort = field(default_factory=Cohort)

    def verification_policy(self, fmr: float = VERIFICATION_FMR) -> Policy:
        """The threshold for comparing two faces (1:1): it holds for the group that is hardest.

        Args:
            fmr: Wanted false match rate; where the data cannot show so low a one, the lowest they can, for a
                stricter threshold would be a guess.

        Raises:
            InvalidArgument: The rate is none.
        """
        lowest = self.comparisons.lowest
        carried = max(require_rate("fmr", fmr), lowest)
        threshold = self.comparisons.threshold(carried)
        return Policy(
            Measure.FMR,
            carried,
            threshold,
            self.measured_on,
            lowest=lowest,
            extrapolated=not self.people,  # of others, as where it was published
            group=self.comparisons.hardest(carried),
            rates=self.comparisons.rates(threshold),
        )

    def probability(self, score: float, prior: float = 0.5) -> float:
        """The probability that two faces with this score are one person's.

        Args:
            score: Of comparing them.
            prior: The probability before they were compared, between 0 and 1.

        Raises:
            InvalidArgument: The prior is none.
        """
        require_rate("prior", prior)
        return 1 / (1 + exp(-(self._log_odds(score) + log(prior / (1 - prior)))))

    def _log_odds(self, score: float) -> float:
        upper = min(max(bisect_left(self.scores, score), 1), len(self.scores) - 1)
        (left, right), (low, high) = self.scores[upper - 1 : upper + 1], self.log_odds[upper - 1 : upper + 1]
        share = min(max((score - left) / (right - left), 0.0), 1.0)
        return low + share * (high - low)

    def recognizability(self, embedding: FloatArray) -> float:
        """How far an embedding (d,) lies from the unrecognizable: 0 is there, 1 as far as a usual face."""
        if not self.unrecognizable:
            return 1.0
        cosine = float(embedding @ np.array(self.unrecognizable, np.float32))
        return (1 - cosine) / self.usual_distance

    def to_json(self) -> str:
        """The calibration as JSON."""
        content = {
            "version": VERSION,
            "measured_on": self.measured_on,
            "people": self.people,
            "mated": self.mated,
            "non_mated": self.non_mated,
            "comparisons": {name: _tail_json(tail) for name, tail in self.comparisons.tails.items()},
            "searches": {
                str(scorer): {name: _sizes_json(tails) for name, tails in groups.tails.items()}
                for scorer, groups in self.searches.items()
            },
            "inflation": {
                str(scorer): {"references": one.references, "gains": one.gains}
                for scorer, one in self.inflation.items()
            },
            "cohort": _cohort_json(self.cohort),
            "scores": self.scores,
            "log_odds": self.log_odds,
            "unrecognizable": self.unrecognizable,
            "usual_distance": self.usual_distance,
        }
        return json.dumps(content, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """The calibration that `to_json` wrote, of this version or an earlier one, once parsed.

        Raises:
            KeyError, TypeError, ValueError: It is damaged, or of a later version.
        """
        version = content.get("version", 1)
        if version not in (1, 2, VERSION):
            raise ValueError(f"version {version}")
        reads = {1: _searches_of_version_1, 2: _searches_of_version_2, VERSION: _searches}[version]
        scores, log_odds = _numbers(content["scores"]), _numbers(content["log_odds"])
        if len(scores) < 2 or len(scores) != len(log_odds):
            raise ValueError("needs odds at two scores or more")
        return cls(
            measured_on=str(content["measured_on"]),
            people=int(content["people"]),
            mated=int(content["mated"]),
            non_mated=int(content["non_mated"]),
            comparisons=GroupTails(
                {EVERYONE: _tail(content["comparisons"])}
                if version < VERSION
                else {str(name): _tail(tail) for name, tail in content["comparisons"].items()}
            ),
            searches=reads(content["searches"], content),
            scores=scores,
            log_odds=log_odds,
            unrecognizable=_numbers(content["unrecognizable"]),
            usual_distance=float(content["usual_distance"]),
            inflation=_NONE_OF_THREE if version < VERSION else _inflation(content["inflation"]),
            cohort=Cohort() if version < VERSION else _cohort(content["cohort"]),
        )


def _tail_json(tail: Tail) -> dict[str, Any]:
    content: dict[str, Any] = {"rates": tail.rates, "thresholds": tail.thresholds}
    if tail.times != 1 or tail.carried:  # only of files of version 1, read and written again
        content |= {"times": tail.times, "carried": tail.carried}
    return content


def _tail(content: Mapping[str, Any]) -> Tail:
    return Tail(
        _numbers(content["rates"]),
        _numbers(content["thresholds"]),
        float(content.get("times", 1.0)),
        float(content.get("carried", 0.0)),
    )


def _numbers(content: Iterable[Any]) -> tuple[float, ...]:
    return tuple(map(float, content))


def _sizes_json(tails: SearchTails) -> list[dict[str, Any]]:
    return [{"size": size, **_tail_json(tail)} for size, tail in zip(tails.sizes, tails.tails, strict=True)]


def _sizes(content: Sequence[Mapping[str, Any]]) -> SearchTails:
    return SearchTails(tuple(int(one["size"]) for one in content), tuple(map(_tail, content)))


def _inflation(content: Mapping[str, Any]) -> dict[Scorer, Inflation]:
    return {
        Scorer(scorer): Inflation(tuple(int(number) for number in one["references"]), _numbers(one["gains"]))
        for scorer, one in content.items()
    }


def _cohort_json(cohort: Cohort) -> dict[str, Any]:
    centers = cohort.centers.astype("<f2")
    return {
        "faces": centers.shape[0],
        "dimensions": centers.shape[1],
        "usual": cohort.usual,
        "float16": b64encode(centers.tobytes()).decode(),
    }


def _cohort(content: Mapping[str, Any]) -> Cohort:
    numbers = np.frombuffer(b64decode(content["float16"], validate=True), "<f2").astype(np.float32)
    shape = int(content["faces"]), int(content["dimensions"])
    return Cohort(numbers.reshape(shape), float(content["usual"]))


def _searches(searches: Mapping[str, Any], _: Mapping[str, Any]) -> dict[Scorer, GroupSearchTails]:
    return {
        Scorer(scorer): GroupSearchTails({str(name): _sizes(sizes) for name, sizes in groups.items()})
        for scorer, groups in searches.items()
    }


def _searches_of_version_2(
    searches: Mapping[str, Any], _: Mapping[str, Any]
) -> dict[Scorer, GroupSearchTails]:
    """All people together, each with three references; in large galleries another lead counted."""
    found = {scorer: GroupSearchTails({EVERYONE: _sizes(searches[scorer])}) for scorer in searches}
    return _without_lead({Scorer(scorer): tails for scorer, tails in found.items()})


def _searches_of_version_1(
    searches: Mapping[str, Any] | None, _: Mapping[str, Any]
) -> dict[Scorer, GroupSearchTails]:
    """One comparison with a person; in large galleries another lead counted."""
    if searches is None:
        return {}
    return _without_lead(
        {Scorer.CENTROID: GroupSearchTails({EVERYONE: SearchTails((1,), (_tail(searches),))})}
    )


def _without_lead(searches: dict[Scorer, GroupSearchTails]) -> dict[Scorer, GroupSearchTails]:
    """What had another lead is now what a centroid's cosine is, for no typical faces were known."""
    if Scorer.CENTROID in searches:
        searches[Scorer.NORMALIZED] = searches[Scorer.CENTROID]
    return searches


_NONE_OF_THREE = dict.fromkeys((Scorer.CENTROID, Scorer.NORMALIZED), Inflation((1, 3), (0.0, 0.0)))
"""Of versions that measured everyone with three references."""
