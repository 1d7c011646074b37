"""Groups of faces, as sums: what merging two of them and comparing two of them needs."""

from dataclasses import dataclass

import numpy as np

from kith.records import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Groups of faces, numbered from 0.

    The average score of all pairs between two groups is the product of the groups' mean embeddings,
    so that sums are all that average linkage needs.

    Attributes:
        sizes: (g,) float64, faces of each group.
        sums: (g, d) float64, sum of their embeddings.
        crowds: (g,) float64, sum of their crowds; see `kith.clustering.crowd`.
        owners: (g,) int64, who the group is known to be; 0 if no one.
    """

    sizes: np.ndarray
    sums: np.ndarray
    crowds: np.ndarray
    owners: np.ndarray

    def __len__(self) -> int:
        return len(self.sizes)

    def means(self) -> FloatArray:
        """(g, d) float32, mean embedding of each group; not of unit length."""
        return np.asarray(self.sums / self.sizes[:, np.newaxis], np.float32)

    def merged(self, labels: np.ndarray) -> "Groups":
        """Groups of these groups.

        Args:
            labels: (g,) int64, the new group of each; every number up to the largest is used.
        """
        if not len(labels):
            return self
        order = np.argsort(labels, kind="stable")
        starts = np.searchsorted(labels[order], np.arange(labels[order[-1]] + 1))
        return Groups(
            np.add.reduceat(self.sizes[order], starts),
            np.add.reduceat(self.sums[order], starts, axis=0),
            np.add.reduceat(self.crowds[order], starts),
            np.maximum.reduceat(self.owners[order], starts),
        )

    def take(self, rows: np.ndarray) -> "Groups":
        """Only these groups."""
        return Groups(self.sizes[rows], self.sums[rows], self.crowds[rows], self.owners[rows])

    def copy(self) -> "Groups":
        """The same, to be changed by `absorb`."""
        return Groups(self.sizes.copy(), self.sums.copy(), self.crowds.copy(), self.owners.copy())

    def absorb(self, pairs: np.ndarray) -> None:
        """Make the second group of each pair (m, 2) part of the first, in place; the second stays as it was.

        No group may be in two pairs.
        """
        first, second = pairs.T
        for values in (self.sizes, self.sums, self.crowds):
            values[first] += values[second]
        self.owners[first] = np.maximum(self.owners[first], self.owners[second])


def of_faces(embeddings: FloatArray, owners: np.ndarray) -> Groups:
    """Every face (n, d) a group of its own, whose crowd is not known yet."""
    count = len(embeddings)
    return Groups(np.ones(count), embeddings.astype(np.float64), np.zeros(count), owners)
