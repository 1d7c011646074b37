"""FaceNet's semi-hard negatives (Schroff et al. 2015, https://arxiv.org/abs/1503.03832, section 3.2)."""

from dataclasses import dataclass

import keras
from keras import ops

from kith.training.mining.rows import order_rows, put, take
from kith.training.mining.triplets import Triplets
from kith.training.pairs import mated, non_mated, squared_distances


@dataclass(frozen=True, slots=True)
class SemiHard:
    """All anchor-positive pairs of the batch, each with a negative a little farther than the positive.

    The paper takes every pair of one person and selects a negative of the whole batch with (eq. 4)

        ||f(a) - f(p)||^2 < ||f(a) - f(n)||^2

    that lies inside the margin: ||f(a) - f(n)||^2 < ||f(a) - f(p)||^2 + margin. Both bounds are strict.

    The paper leaves open which of several such negatives it takes. Here it is the nearest, for it
    speaks of "still selecting the hard negatives". It leaves open too what becomes of a pair that has
    none. Here the pair is left out of this batch: a farther negative has no gradient, and a nearer one
    is what the rule exists to avoid.

    Sandberg's code (train_tripletloss.py) has this rule commented out. It draws at random among all
    negatives nearer than the positive plus the margin, those nearer than the positive included.
    """

    margin: float = 0.2

    def __call__(self, embeddings: keras.KerasTensor, labels: keras.KerasTensor) -> Triplets:
        """Pick; memory grows with n^2, time with n^2 log n."""
        distances = squared_distances(ops.stop_gradient(embeddings))
        positives = mated(labels)
        order = order_rows(distances, last=positives)  # what follows a positive is strictly farther
        negative = ops.cast(take(non_mated(labels), order), "int32")
        nearer = ops.cumsum(negative, axis=1)  # how many negatives stand before a positive
        by_distance = put(negative * order, ops.maximum(nearer - 1, 0))  # columns of the negatives
        picked = take(by_distance, ops.minimum(nearer, order.shape[1] - 1))
        inside = take(distances, picked) < take(distances, order) + self.margin
        exists = nearer < nearer[:, -1:]
        active = ops.cast(take(positives, order) & exists & inside, "float32")
        return Triplets(pull=put(active, order), push=put(active, picked), active=ops.sum(active))
