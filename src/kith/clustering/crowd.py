"""How near strangers come to a face.

Some faces are like many others: children, blurred faces, people of a group the network saw little of.
A score that tells one pair of faces to be mated is common among strangers of another. The crowd of a
face is the mean score of its ten nearest strangers, each person counted once; two faces are compared
with their crowds, not with one threshold for everybody.
"""

import numpy as np

from kith.clustering.groups import Groups
from kith.records import FloatArray

STRANGERS = 10
_BLOCK = 2**24  # scores held at once: 64 MiB


def crowds_of(embeddings: FloatArray, labels: np.ndarray, groups: Groups, floor: float) -> np.ndarray:
    """The crowd of each face.

    Args:
        embeddings: (n, d) float32 of unit length.
        labels: (n,) int64, the group of each face.
        groups: All groups, those of other faces as well.
        floor: A lower crowd counts as this: in a small collection few strangers come near.

    Returns:
        (n,) float64.
    """
    means = groups.means()
    crowds = np.empty(len(embeddings))
    rows_at_once = max(1, _BLOCK // max(len(groups), 1))
    for start in range(0, len(embeddings), rows_at_once):
        part = slice(start, start + rows_at_once)
        own = labels[part]
        scores = embeddings[part] @ means.T
        scores[np.arange(len(own)), own] = floor
        crowds[part] = np.maximum(_largest(scores, floor), floor).mean(axis=1)
    return crowds


def _largest(scores: np.ndarray, floor: float) -> np.ndarray:
    """The ten largest scores of each row (n, m); rows that are shorter are filled up."""
    missing = STRANGERS - scores.shape[1]
    if missing > 0:
        scores = np.pad(scores, ((0, 0), (0, missing)), constant_values=floor)
    return np.partition(scores, -STRANGERS, axis=1)[:, -STRANGERS:].astype(np.float64)
