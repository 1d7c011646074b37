"""How well clusters are people."""

from dataclasses import dataclass

import numpy as np

from kith.errors import InvalidArgument
from kith.records import require_shape


@dataclass(frozen=True, slots=True)
class Agreement:
    """Precision, recall and F of clusters.

    Attributes:
        precision: How much of what is together belongs together.
        recall: How much of what belongs together is together.
    """

    precision: float
    recall: float

    @property
    def f(self) -> float:
        """The harmonic mean of precision and recall; 0 if both are."""
        return 2 * self.precision * self.recall / max(self.precision + self.recall, 1e-300)


@dataclass(frozen=True, slots=True)
class ClusteringResult:
    """How well clusters are people.

    Attributes:
        faces: How many faces.
        people: How many people they are of.
        clusters: How many clusters they are in.
        pairwise: Over pairs of faces: large clusters weigh most. 1 where there is no pair to be wrong on.
        bcubed: Over faces: of a face's cluster the share that is the same person, and of the person's
            faces the share in that cluster, each the mean over all faces (Bagga and Baldwin 1998).
    """

    faces: int
    people: int
    clusters: int
    pairwise: Agreement
    bcubed: Agreement


def evaluate_clusters(clusters: np.ndarray, people: np.ndarray) -> ClusteringResult:
    """Compare clusters with the truth.

    Args:
        clusters: (n,) the cluster of each face; any values that can be sorted.
        people: (n,) whose face it is; likewise.

    Raises:
        InvalidArgument: There are no faces.
        ValueError: The two are of different lengths.
    """
    require_shape("people", people, clusters.shape)
    if not len(clusters):
        raise InvalidArgument("there are no faces to evaluate")
    cluster_of = np.unique(clusters, return_inverse=True)[1]
    person_of = np.unique(people, return_inverse=True)[1]
    cluster_sizes, person_sizes = np.bincount(cluster_of), np.bincount(person_of)
    cells, common = np.unique(np.stack([cluster_of, person_of]), axis=1, return_counts=True)
    of_cluster, of_person = cluster_sizes[cells[0]], person_sizes[cells[1]]
    right = _pairs(common)
    return ClusteringResult(
        faces=len(clusters),
        people=len(person_sizes),
        clusters=len(cluster_sizes),
        pairwise=Agreement(_share(right, _pairs(cluster_sizes)), _share(right, _pairs(person_sizes))),
        bcubed=Agreement(
            float((common / of_cluster * common).sum() / len(clusters)),
            float((common / of_person * common).sum() / len(clusters)),
        ),
    )


def _pairs(sizes: np.ndarray) -> int:
    return int((sizes * (sizes - 1) // 2).sum())


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0
