"""From scores to statements: what a model's comparison scores mean, measured on known people.

A calibration belongs to one model. It gives the threshold for a wanted error rate, with the size of
the gallery at which the rate holds, and the probability that two faces are one person's. It is
fitted by `kith.workflows.calibrating`.
"""

import json
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import exp, log, log10
from typing import Any, Self

import numpy as np

from kith.records import DecisionPolicy, FloatArray, IdentificationPolicy

CROWD = 200
"""From this many enrolled people on, a score is normalized by the others who are most alike."""

VERIFICATION_FMR = 1e-3
IDENTIFICATION_FPIR = 3e-3
MARGIN = 0.005


@dataclass(frozen=True, slots=True)
class Tail:
    """Thresholds and the share of strangers' scores that reach them.

    Attributes:
        rates: Descending.
        thresholds: Of each rate, ascending.
    """

    rates: tuple[float, ...]
    thresholds: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.rates) < 2 or len(self.rates) != len(self.thresholds):
            raise ValueError(f"needs a threshold for each of at least two rates, got {len(self.rates)}")

    def threshold(self, rate: float) -> float:
        """The threshold that this share reaches, on lines between those measured, over the rate's logarithm.

        Below the lowest measured rate the line of the last two goes on; see `carries`.
        """
        places = [-log10(known) for known in self.rates]
        place = -log10(rate)
        upper = min(max(bisect_left(places, place), 1), len(places) - 1)
        share = (place - places[upper - 1]) / (places[upper] - places[upper - 1])
        low, high = self.thresholds[upper - 1 : upper + 1]
        return low + share * (high - low)

    def carries(self, rate: float) -> bool:
        """Whether so low a rate was measured, not extrapolated."""
        return rate >= self.rates[-1] * (1 - 1e-9)


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a model's scores mean.

    Attributes:
        measured_on: The data, in a few words.
        people: How many people that were.
        mated: How many pairs of one person.
        non_mated: How many pairs of different people.
        comparisons: False match rates of comparing two faces.
        searches: The same of comparing a face with a person's centroid; None if it was not measured.
        crowd: False positive identification rates of normalized scores in a gallery of `CROWD` people or
            more; None if so many people were not at hand.
        scores: At which the odds are known, ascending.
        log_odds: At each of them, how much more often mated than non-mated pairs have it (natural logarithm).
        unrecognizable: (d,) the mean embedding of faces too coarse to recognize; empty if not measured.
        usual_distance: 1 - cosine of a usual face's embedding to that.
    """

    measured_on: str
    people: int
    mated: int
    non_mated: int
    comparisons: Tail
    searches: Tail | None
    crowd: Tail | None
    scores: tuple[float, ...]
    log_odds: tuple[float, ...]
    unrecognizable: tuple[float, ...] = ()
    usual_distance: float = 1.0

    def verification_policy(self, fmr: float = VERIFICATION_FMR) -> DecisionPolicy:
        """The threshold for comparing two faces (1:1).

        Args:
            fmr: Wanted false match rate.
        """
        lowest = self.comparisons.rates[-1]
        carried = max(fmr, lowest)  # a stricter threshold than the data can show would be a guess
        return DecisionPolicy(self.comparisons.threshold(carried), carried, self.measured_on)

    def identification_policy(
        self,
        people: int,
        comparisons: int | None = None,
        *,
        crowd: bool = True,
        fpir: float = IDENTIFICATION_FPIR,
    ) -> IdentificationPolicy:
        """The threshold for searching a gallery (1:N), at that gallery's size.

        A stranger is compared with everyone; if these comparisons were independent of one another, a
        rate f of each would give 1 - (1 - f)^n of all n. In a crowd the rate is that of the whole search.

        Args:
            people: How many are enrolled.
            comparisons: How many comparisons a search makes, if each reference is compared by itself;
                None if the people's centroids are.
            crowd: Whether scores are normalized in a crowd.
            fpir: Wanted share of strangers who get a name.
        """
        if crowd and people >= CROWD and self.crowd is not None:
            tail, rate = self.crowd, fpir
            margin = 2 * MARGIN  # of a score that counts the lead twice
        else:
            tail = self.comparisons if comparisons or self.searches is None else self.searches
            rate = 1 - (1 - fpir) ** (1 / max(comparisons or people, 1))
            margin = MARGIN
        extrapolated = not tail.carries(rate)
        measured_on = f"{self.measured_on}; extrapolated" if extrapolated else self.measured_on
        return IdentificationPolicy(tail.threshold(rate), fpir, people, measured_on, margin, extrapolated)

    def probability(self, score: float, prior: float = 0.5) -> float:
        """The probability that two faces with this score are one person's.

        Args:
            score: Of comparing them.
            prior: The probability before they were compared, between 0 and 1.
        """
        if not 0 < prior < 1:
            raise ValueError(f"prior must lie between 0 and 1, got {prior}")
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
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """The calibration that `to_json` wrote, once parsed.

        Raises:
            KeyError, TypeError, ValueError: It is damaged.
        """
        tails = {name: _tail(content[name]) for name in ("comparisons", "searches", "crowd")}
        rows = ("scores", "log_odds", "unrecognizable")
        knots = {name: tuple(map(float, content[name])) for name in rows}
        if len(knots["scores"]) < 2 or len(knots["scores"]) != len(knots["log_odds"]):
            raise ValueError("needs odds at two scores or more")
        return cls(**dict(content) | tails | knots)


def _tail(content: Mapping[str, Any] | None) -> Tail | None:
    if content is None:
        return None
    return Tail(tuple(map(float, content["rates"])), tuple(map(float, content["thresholds"])))
