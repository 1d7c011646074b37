"""Who is enrolled, who is searched, and who is a stranger: the protocol of open-set identification."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from kith.errors import EvaluationError


@dataclass(frozen=True, slots=True, eq=False)
class OpenSetProtocol:
    """Which photos are enrolled and which are searched (positions among all photos).

    Attributes:
        references: (r,) enrolled.
        mated: (m,) other photos of enrolled people.
        strangers: (s,) photos of people who are not enrolled.
    """

    references: np.ndarray
    mated: np.ndarray
    strangers: np.ndarray

    @classmethod
    def draw(
        cls,
        subjects: np.ndarray,
        enrolled: np.ndarray,
        *,
        references: int,
        generator: np.random.Generator,
        strangers: int | None = None,
    ) -> Self:
        """Draw each enrolled person's references; the other photos are searched.

        Args:
            subjects: (n,) int, whom each photo shows.
            enrolled: (k,) the people to enroll.
            references: How many photos to enroll of each; at least one is left to search.
            generator: Of the draws.
            strangers: How many strangers at most, one photo of each; None for all their photos.
        """
        chosen, mated = [], []
        for subject in enrolled:
            members = generator.permutation(np.flatnonzero(subjects == subject))
            kept = min(references, len(members) - 1)
            chosen.append(members[:kept])
            mated.append(members[kept:])
        others = np.flatnonzero(~np.isin(subjects, enrolled))
        if strangers is not None:
            shuffled = generator.permutation(others)
            firsts = np.unique(subjects[shuffled], return_index=True)[1]
            others = shuffled[generator.permutation(firsts)[:strangers]]
        empty = [np.empty(0, np.int64)]
        return cls(np.concatenate(chosen + empty), np.concatenate(mated + empty), others)


def draw_open_set(
    subjects: np.ndarray, *, people: int, references: int, strangers: int | None = None, seed: int = 0
) -> OpenSetProtocol:
    """Enroll people drawn at random from those with more photos than references.

    Args:
        subjects: (n,) int, whom each photo shows.
        people: How many to enroll.
        references: Photos of each.
        strangers: How many strangers at most, one photo each; None for all photos of the others.
        seed: Of the draws.

    Raises:
        EvaluationError: There are not so many people, or no stranger is left.
    """
    generator = np.random.default_rng(seed)
    counts = np.bincount(subjects)
    able = np.flatnonzero(counts > references)
    if len(able) < people:
        raise EvaluationError(
            f"{len(able)} people have more than {references} photos with a face; {people} were to be enrolled"
        )
    protocol = OpenSetProtocol.draw(
        subjects,
        generator.permutation(able)[:people],
        references=references,
        generator=generator,
        strangers=strangers,
    )
    if not len(protocol.strangers):
        raise EvaluationError("no one is left as a stranger: enroll fewer people")
    return protocol
