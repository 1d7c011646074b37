"""The triplet loss of FaceNet (Schroff et al. 2015, https://arxiv.org/abs/1503.03832)."""

import keras
from keras import ops

from kith.training.losses.loss import Loss
from kith.training.mining import Miner, SemiHard, Triplets
from kith.training.pairs import squared_distances


class TripletLoss(Loss):
    """A face is to be nearer to every face of its person than to any other person's, by a margin.

    Embeddings lie on the unit sphere. For anchor a, positive p and negative n (eq. 1)

        ||f(a) - f(p)||^2 + margin < ||f(a) - f(n)||^2    for all triplets (eq. 2),

    and what is minimized is (eq. 3)

        L = sum of [||f(a) - f(p)||^2 - ||f(a) - f(n)||^2 + margin]_+ .

    The sum is over the triplets the miner picked and divided by their weight, so L is the mean
    of the active triplets. Without any, it is zero and so is its gradient.

    Args:
        miner: Picks the triplets; the margin, 0.2 in the paper, is the miner's.
    """

    def __init__(self, miner: Miner | None = None) -> None:
        super().__init__("triplet_loss")
        self.miner: Miner = miner or SemiHard()

    def call(self, embeddings: keras.KerasTensor, labels: keras.KerasTensor) -> keras.KerasTensor:
        """The loss of embeddings (n, d) of unit length with labels (n,)."""
        return self.of(embeddings, self.miner(embeddings, labels))

    def of(self, embeddings: keras.KerasTensor, triplets: Triplets) -> keras.KerasTensor:
        """The loss of triplets mined before, for whoever wants to count them too."""
        distances = squared_distances(embeddings)
        total = ops.sum(triplets.pull)
        excess = ops.sum((triplets.pull - triplets.push) * distances) + self.miner.margin * total
        return excess / ops.where(total > 0, total, 1.0)
