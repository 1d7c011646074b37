"""All triplets of a batch (Hermans et al. 2017, https://arxiv.org/abs/1703.07737, eq. 6)."""

from dataclasses import dataclass

import keras
from keras import ops

from kith.training.mining.rows import order_rows, put, take
from kith.training.mining.triplets import Triplets
from kith.training.pairs import mated, non_mated, squared_distances


@dataclass(frozen=True, slots=True)
class BatchAll:
    """Every positive with every negative whose hinge is open.

    The mean is over the active triplets, as the authors advise: the others would only dilute it.
    """

    margin: float = 0.2

    def __call__(self, embeddings: keras.KerasTensor, labels: keras.KerasTensor) -> Triplets:
        """Pick; memory grows with n^2, time with n^2 log n."""
        distances = squared_distances(ops.stop_gradient(embeddings))
        return open_triplets(distances, labels, ops.ones_like(distances), self.margin)


def open_triplets(
    distances: keras.KerasTensor, labels: keras.KerasTensor, weights: keras.KerasTensor, margin: float
) -> Triplets:
    """All triplets with D(a, p) + margin > D(a, n), each weighing what its negative weighs to the anchor.

    Sorted by D(a, p) + margin and D(a, n), a row shows each positive its open negatives before it, and
    each negative the positives it is open to behind it: running sums count them.

    Args:
        distances: (n, n) float32, squared.
        labels: (n,).
        weights: (n, n) float32 of anchor and negative.
        margin: In squared distance.
    """
    positives, negatives = mated(labels), non_mated(labels)
    keys = distances + ops.where(positives, margin, 0.0)
    order = order_rows(keys, last=negatives)  # where both are equal the hinge is closed
    positive = ops.cast(take(positives, order), "float32")
    negative = ops.cast(take(negatives, order), "float32")
    weight = negative * take(weights, order)
    before = ops.cumsum(positive, axis=1)
    pull = positive * ops.cumsum(weight, axis=1)
    push = weight * (before[:, -1:] - before)
    active = ops.sum(positive * ops.cumsum(negative * ops.cast(weight > 0, "float32"), axis=1))
    return Triplets(put(pull, order), put(push, order), active)
