"""The N-pair loss (Sohn 2016), known as InfoNCE (van den Oord et al. 2018, https://arxiv.org/abs/1807.03748)."""

import keras
from keras import ops

from kith.training.losses.loss import Loss
from kith.training.pairs import cosines, mated, non_mated

_NEVER = -1e9  # a logit that counts for nothing, and whose gradient is zero instead of undefined


class NPairLoss(Loss):
    """Each mated pair against all negatives of its anchor at once.

    For anchor a and positive p (Sohn 2016, eq. 6, with a temperature, as the embeddings have unit length)

        L(a, p) = log(1 + sum over n of exp((f(a).f(n) - f(a).f(p)) / temperature)),

    which is -log of the share of p among p and the negatives n. The mean is over all mated pairs of
    the batch; a person's other images are neither positive nor negative to the pair. It is zero
    where there are no mated pairs or no negatives.

    Args:
        temperature: The smaller, the more the nearest negatives count.
    """

    def __init__(self, temperature: float = 0.07) -> None:
        super().__init__("n_pair_loss")
        self.temperature = temperature

    def call(self, embeddings: keras.KerasTensor, labels: keras.KerasTensor) -> keras.KerasTensor:
        """The loss of embeddings (n, d) of unit length with labels (n,)."""
        logits = cosines(embeddings, embeddings) / self.temperature
        negatives = ops.logsumexp(ops.where(non_mated(labels), logits, _NEVER), axis=1, keepdims=True)
        pairs = ops.cast(mated(labels), "float32")
        return ops.sum(pairs * ops.softplus(negatives - logits)) / ops.maximum(ops.sum(pairs), 1.0)
