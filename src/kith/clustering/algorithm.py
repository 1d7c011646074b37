"""Which faces are one person's.

The faces are linked three times (`kith.clustering.linkage`): first as if strangers came equally near to
every face, at the threshold of the model's policy; then with each face's own crowd, measured among the
people found so far (`kith.clustering.crowd`); and once more, if no one was known before.

All settings are shares of 1 - threshold, so that they fit a model whose scores are spread otherwise.
They were chosen on the faces of half of the people of Labeled Faces in the Wild, and hold on the other
half: docs/decisions/0007-clustering.md.
"""

from dataclasses import dataclass, replace

import numpy as np

from kith.clustering.crowd import crowds_of
from kith.clustering.groups import of_faces
from kith.clustering.linkage import find_pairs, link
from kith.clustering.links import joined, renumber, require_apart
from kith.errors import InvalidArgument
from kith.records import FloatArray, require_shape

MARGIN = 0.28
LOWEST_CROWD = 1.11
REACH = 1.11  # as low as a crowd can be: no pair below it is alike enough

_NO_PAIRS = np.empty((0, 2), np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Clustering:
    """Faces in clusters.

    Attributes:
        labels: (n,) int64, the cluster of each face, numbered from 0 in the order of their first faces.
        crowds: (n,) float64, how near strangers come to each face: kept for faces added later.
    """

    labels: np.ndarray
    crowds: np.ndarray


def cluster(
    embeddings: FloatArray,
    threshold: float,
    *,
    before: Clustering | None = None,
    owners: np.ndarray | None = None,
    apart: np.ndarray = _NO_PAIRS,
    together: np.ndarray = _NO_PAIRS,
) -> Clustering:
    """Put the faces of one person into one cluster.

    Args:
        embeddings: (n, d) float32 of unit length.
        threshold: The score at which one in a thousand pairs of strangers matches.
        before: What is known already; a face with the label -1 is new. A cluster to which no new face
            comes is left exactly as it is; clusters become one only through a new face that is near both,
            or through a link.
        owners: (n,) int64, who a face is known to be; 0 if no one. Two people are never one cluster.
        apart: (p, 2) int64, faces that must not be in one cluster, such as two of one photo.
        together: (q, 2) int64, faces that must be.

    Raises:
        ConflictingLinks: Faces must be together and apart.
        InvalidArgument: The threshold is no cosine below 1.
        ValueError: A shape is wrong.
    """
    require_shape("embeddings", embeddings, (None, None))
    require_shape("apart", apart, (None, 2))
    require_shape("together", together, (None, 2))
    if not -1 <= threshold < 1:
        raise InvalidArgument(f"threshold must be a cosine in [-1, 1), got {threshold}")
    count, unit = len(embeddings), 1 - threshold
    labels = np.full(count, -1) if before is None else before.labels
    require_shape("labels", labels, (count,))
    is_new = labels < 0
    crowds = np.where(is_new, threshold, np.zeros(count) if before is None else before.crowds)
    if not count:
        return Clustering(np.empty(0, np.int64), np.empty(0))

    new, floor, reach = np.flatnonzero(is_new), 1 - LOWEST_CROWD * unit, 1 - REACH * unit
    atoms = _joined(labels, apart, together)
    atoms_apart = atoms[apart]
    groups = of_faces(embeddings, np.zeros(count, np.int64) if owners is None else owners).merged(atoms)
    pairs = find_pairs(groups, np.bincount(atoms, is_new) > 0, reach)

    def linked(crowds: np.ndarray) -> np.ndarray:
        crowded = replace(groups, crowds=np.bincount(atoms, crowds))
        return link(crowded, pairs, atoms_apart, MARGIN * unit, reach)

    found = linked(crowds)
    for _ in range(_crowd_rounds(len(new), count)):
        crowds[new] = crowds_of(embeddings[new], found[atoms[new]], groups.merged(found), floor)
        found = linked(crowds)
    return Clustering(renumber(found[atoms]), crowds)


def _crowd_rounds(new: int, count: int) -> int:
    """How often crowds are measured: faces that come later find people who are known, and once is enough."""
    return 2 if new == count else min(new, 1)


def require_consistent(labels: np.ndarray, apart: np.ndarray, together: np.ndarray) -> None:
    """Raise unless what is known, and what must be together, leaves apart what must be; see `cluster`.

    Raises:
        ConflictingLinks: Two faces must be together and apart.
    """
    _joined(labels, apart, together)


def linked_groups(labels: np.ndarray, together: np.ndarray) -> np.ndarray:
    """The groups (n,) of what is known (n,; -1 is alone), and of pairs (q, 2) that must be together."""
    return joined(len(labels), np.concatenate([_chains(labels), together]))


def _joined(labels: np.ndarray, apart: np.ndarray, together: np.ndarray) -> np.ndarray:
    groups = linked_groups(labels, together)
    require_apart(groups, apart)
    return groups


def _chains(labels: np.ndarray) -> np.ndarray:
    """Pairs (m, 2) that join the faces of each known cluster, one after the other."""
    known = np.flatnonzero(labels >= 0)
    known = known[np.argsort(labels[known], kind="stable")]
    pairs = np.stack([known[:-1], known[1:]], axis=1)
    return np.asarray(pairs[labels[pairs[:, 0]] == labels[pairs[:, 1]]])
