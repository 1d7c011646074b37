"""Enrolled people in memory, as a search needs them."""

from collections.abc import Mapping
from typing import Self
from weakref import WeakKeyDictionary

import numpy as np

from kith.decisions.cohort import NEAREST, Cohort
from kith.decisions.cosine import normalize
from kith.decisions.inflation import Inflation
from kith.records import FloatArray, Subject, require_shape
from kith.search.exact import ExactIndex

_CONSIDERED = 10  # by their cosines as they are: more than count, for some gain more than others


class People:
    """People and their references at one moment; it never changes, and is safe to use from many threads.

    A person is searched by the mean direction of its references, the centroid. At position i are the person
    `ids[i]` and its number of references, `counts[i]`.

    Args:
        references: (m, d) float32 of unit length, those of one person side by side, people by ascending id.
        owners: (m,) int64 ids of the people, ascending.
        subjects: The people of these ids; others may be among them.
        centroids: (k, d) of the people in `owners`; computed where they are not at hand.
    """

    def __init__(
        self,
        references: FloatArray,
        owners: np.ndarray,
        subjects: Mapping[int, Subject],
        centroids: FloatArray | None = None,
    ) -> None:
        require_shape("references", references, (None, None))
        require_shape("owners", owners, (len(references),))
        self.references = references
        self.owners = owners
        self.subjects = dict(subjects)
        self.ids, self._starts, self.counts = np.unique(owners, return_index=True, return_counts=True)
        self.centroids = _centroids(references, self._starts) if centroids is None else centroids
        self._index = ExactIndex(self.centroids)
        self._near_others: WeakKeyDictionary[Cohort, FloatArray] = WeakKeyDictionary()

    @classmethod
    def of(
        cls, embeddings: FloatArray, owners: np.ndarray, subjects: Mapping[int, Subject] | None = None
    ) -> Self:
        """The same of embeddings (m, d) and whose each is (m,), in any order."""
        order = np.argsort(owners, kind="stable")
        names = {int(id): Subject(int(id), str(id)) for id in np.unique(owners)}
        return cls(
            np.ascontiguousarray(embeddings[order], np.float32),
            np.asarray(owners[order], np.int64),
            names if subjects is None else subjects,
        )

    def __len__(self) -> int:
        return len(self.ids)

    def with_changed(
        self,
        ids: np.ndarray,
        references: FloatArray,
        owners: np.ndarray,
        subjects: Mapping[int, Subject],
    ) -> Self:
        """These people after some of them changed; only what changed is computed anew.

        Args:
            ids: (k,) int64, whose name or references changed, who came and who went.
            references: (m, d) all references that these people have now, in any order.
            owners: (m,) whose each is.
            subjects: Those of them who are there now.
        """
        changed = type(self).of(references, owners, subjects) if len(owners) else None
        stay, stay_people = ~np.isin(self.owners, ids), ~np.isin(self.ids, ids)
        names = dict(self.subjects)
        for id in ids.tolist():
            names.pop(id, None)
        names |= subjects
        if changed is None:
            return type(self)(self.references[stay], self.owners[stay], names, self.centroids[stay_people])
        if not stay.any():
            return changed
        kept, kept_ids = self.owners[stay], self.ids[stay_people]
        at, at_people = np.searchsorted(kept, changed.owners), np.searchsorted(kept_ids, changed.ids)
        return type(self)(
            np.insert(self.references[stay], at, changed.references, axis=0),
            np.insert(kept, at, changed.owners),
            names,
            np.insert(self.centroids[stay_people], at_people, changed.centroids, axis=0),
        )

    def subject(self, position: int) -> Subject:
        """The person at a position."""
        return self.subjects[int(self.ids[position])]

    def nearest(self, probes: FloatArray, count: int) -> tuple[np.ndarray, FloatArray]:
        """The people whose centroids are nearest to each probe; see `ExactIndex.nearest`."""
        return self._index.nearest(probes, count)

    def nearest_by_reference(self, probes: FloatArray, count: int) -> tuple[np.ndarray, FloatArray]:
        """The people of whom one reference is nearest to each probe (n, d).

        Returns:
            (n, c) positions of people, the nearest first, and their cosines (n, c).
        """
        wanted = min(count, len(self))
        index, number = ExactIndex(self.references), count
        while True:  # one person's references may be all of the nearest
            number = min(4 * number, len(index))
            rows, cosines = index.nearest(probes, number)
            of_people = np.searchsorted(self.ids, self.owners[rows])
            firsts = [np.sort(np.unique(row, return_index=True)[1])[:wanted] for row in of_people]
            if number == len(index) or all(len(first) == wanted for first in firsts):
                break
        chosen = np.array(firsts, np.int64).reshape(len(probes), wanted)
        return np.take_along_axis(of_people, chosen, axis=1), np.take_along_axis(cosines, chosen, axis=1)

    def near_others(self, positions: np.ndarray, cohort: Cohort, inflation: Inflation) -> FloatArray:
        """Mean cosine of people to the others and typical faces most like them, as if each had one reference.

        Args:
            positions: Of people, of any shape.
            cohort: Typical faces.
            inflation: Of the same model.
        """
        known = self._near_others.setdefault(cohort, np.full(len(self), np.nan, np.float32))
        unknown = np.unique(positions)
        unknown = unknown[np.isnan(known[unknown])]
        if len(unknown):
            own, gains = self.centroids[unknown], inflation.of(self.counts)
            rows, cosines = self._index.nearest(own, _CONSIDERED)
            others = np.where(rows == unknown[:, np.newaxis], -1, cosines - gains[rows])
            # of people exactly alike, a person need not be among its own nearest
            others[(rows != unknown[:, np.newaxis]).all(axis=1), -1] = -1
            most = np.concatenate([others, cohort.nearest(own)], axis=1)
            known[unknown] = np.sort(most, axis=1)[:, -NEAREST:].mean(axis=1) - gains[unknown]
        return np.asarray(known[positions], np.float32)


def _centroids(references: FloatArray, starts: np.ndarray) -> FloatArray:
    if not len(starts):
        return np.asarray(references[:0], np.float32)
    return normalize(np.add.reduceat(references.astype(np.float64), starts, axis=0))
