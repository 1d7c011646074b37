"""Batch-hard triplets (Hermans et al. 2017, https://arxiv.org/abs/1703.07737, eq. 5)."""

from dataclasses import dataclass

import keras
from keras import ops

from kith.training.mining.triplets import Triplets
from kith.training.pairs import mated, non_mated, squared_distances


@dataclass(frozen=True, slots=True)
class BatchHard:
    """Each anchor once, with its farthest positive and its nearest negative.

    Of equally far ones the first is taken. An anchor without positive or negative is left out. One
    wrong label in a batch is always the hardest: best for clean data, and after a softer rule.
    """

    margin: float = 0.2

    def __call__(self, embeddings: keras.KerasTensor, labels: keras.KerasTensor) -> Triplets:
        """Pick; memory and time grow with n^2."""
        distances = squared_distances(ops.stop_gradient(embeddings))
        to_positive = ops.where(mated(labels), distances, -float("inf"))
        to_negative = ops.where(non_mated(labels), distances, float("inf"))
        active = ops.max(to_positive, axis=1) + self.margin > ops.min(to_negative, axis=1)
        weights = ops.cast(active, "float32")
        return Triplets(
            pull=_mark(ops.argmax(to_positive, axis=1), weights),
            push=_mark(ops.argmin(to_negative, axis=1), weights),
            active=ops.sum(weights),
        )


def _mark(columns: keras.KerasTensor, weights: keras.KerasTensor) -> keras.KerasTensor:
    """Each row's weight in its column: (n,) and (n,) to (n, n)."""
    return ops.one_hot(columns, weights.shape[0], dtype="float32") * weights[:, None]
