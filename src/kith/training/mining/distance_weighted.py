"""Distance-weighted negatives (Wu et al. 2017, https://arxiv.org/abs/1706.07567, section 4)."""

from dataclasses import dataclass

import keras
from keras import ops

from kith.training.mining.batch_all import open_triplets
from kith.training.mining.triplets import Triplets
from kith.training.pairs import non_mated, squared_distances

NEAREST = 0.5  # at this distance lies the cap lambda on the weight, as in the authors' code
FARTHEST = 1.4  # beyond it nothing is drawn: the density falls again towards 2, and 1/q would explode


@dataclass(frozen=True, slots=True)
class DistanceWeighted:
    """Every positive with negatives of every distance alike.

    Random points of a d-dimensional sphere lie at a distance x with density (eq. 3)

        q(x) ~ x^(d-2) * (1 - x^2 / 4)^((d-3)/2),

    nearly all at sqrt(2). The paper draws a negative with probability ~ min(lambda, 1 / q(x)) to see
    all distances equally often. Here nothing is drawn: each negative weighs its probability, which is
    what the mean of all draws comes to, without their noise and without a state of random numbers.
    """

    margin: float = 0.2

    def __call__(self, embeddings: keras.KerasTensor, labels: keras.KerasTensor) -> Triplets:
        """Pick; memory grows with n^2, time with n^2 log n."""
        squared = squared_distances(ops.stop_gradient(embeddings))
        drawable = ops.logical_and(non_mated(labels), squared < FARTHEST**2)
        logs = ops.where(drawable, _log_odds(squared, embeddings.shape[1]), -1e9)
        odds = ops.exp(logs - ops.max(logs, axis=1, keepdims=True)) * ops.cast(drawable, "float32")
        total = ops.sum(odds, axis=1, keepdims=True)
        return open_triplets(squared, labels, odds / ops.where(total > 0, total, 1.0), self.margin)


def _log_odds(squared: keras.KerasTensor, size: int) -> keras.KerasTensor:
    """log min(lambda, 1 / q) of squared distances, up to a constant."""
    squared = ops.clip(squared, NEAREST**2, FARTHEST**2)
    return -(size - 2) / 2 * ops.log(squared) - (size - 3) / 2 * ops.log(1 - squared / 4)
