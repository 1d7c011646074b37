"""How high strangers score within groups of people, of which the hardest counts.

Two women are mistaken for one another more often than a woman and a man, and on most data more often than
two men; an error rate over everybody hides that, for most pairs of strangers nobody could confuse. So rates
are measured within each group, and what is promised is what holds for the group that it is hardest for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from kith.decisions.tail import SearchTails, Tail

EVERYONE = "everyone"
"""The name of all people together, whatever their group."""


@dataclass(frozen=True)
class GroupTails:
    """The tail of each group's strangers.

    Attributes:
        tails: By the group's name, `EVERYONE` among them.
    """

    tails: Mapping[str, Tail]

    def __post_init__(self) -> None:
        if EVERYONE not in self.tails:
            raise ValueError("needs the tail of everyone")

    def hardest(self, rate: float) -> str:
        """The group that needs the highest threshold at this rate."""
        return max(self.tails, key=lambda name: (self.tails[name].threshold(rate), name != EVERYONE))

    def threshold(self, rate: float) -> float:
        """The threshold that at most this share of each group's strangers reaches."""
        return max(tail.threshold(rate) for tail in self.tails.values())

    def rate(self, score: float) -> float:
        """The share that reaches a score in the group where that is highest: the inverse of `threshold`."""
        return max(tail.rate(score) for tail in self.tails.values())

    def rates(self, score: float) -> tuple[tuple[str, float], ...]:
        """The share of each group that reaches a score."""
        return tuple((name, tail.rate(score)) for name, tail in self.tails.items())

    def of_many(self, times: float) -> Self:
        """The tails of the best of so many scores, see `Tail`."""
        return type(self)({name: tail.of_many(times) for name, tail in self.tails.items()})

    @cached_property
    def lowest(self) -> float:
        """The lowest rate that was measured in every group."""
        return max(tail.lowest for tail in self.tails.values())

    def carries(self, rate: float) -> bool:
        """Whether so low a rate was measured in every group, not extrapolated."""
        return all(tail.carries(rate) for tail in self.tails.values())


@dataclass(frozen=True)
class GroupSearchTails:
    """The same of searches, by the size of the gallery: its people and the strangers are of one group.

    Attributes:
        tails: By the group's name; at least one.
    """

    tails: Mapping[str, SearchTails]

    def __post_init__(self) -> None:
        if not self.tails:
            raise ValueError("needs the tails of a group")

    @property
    def largest(self) -> int:
        """The largest size that was measured in every group."""
        return min(tails.largest for tails in self.tails.values())

    def at(self, size: int) -> GroupTails:
        """The tails for a gallery of this size.

        Beyond the largest, a search counts as so many searches of that one.
        """
        within = GroupTails({name: tails.at(min(size, self.largest)) for name, tails in self.tails.items()})
        return within if size <= self.largest else within.of_many(size / self.largest)
