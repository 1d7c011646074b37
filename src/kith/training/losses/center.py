"""Softmax with center loss (Wen et al. 2016), the recipe of Sandberg's 2017 models."""

import keras
from keras import ops

from kith.training.losses.loss import Loss
from kith.training.pairs import cosines


class CenterLoss(Loss):
    """Softmax over people, and a pull of each embedding towards the centre of its person.

    With weights W, biases b and a centre c_j of each person (Wen et al., eq. 5)

        L = - mean of log softmax(s (W x) + b)_y + weight / 2 * mean of ||x - c_y||^2 .

    Centres learn no gradient. After each batch those seen in it move (eq. 4) by the mean that is
    careful with few images, n_j of them in the batch:

        c_j <- c_j - (1 - alpha) * sum over the images of j of (c_j - x) / (1 + n_j) .

    Sandberg's alpha of 0.95 is what a centre keeps; the paper's alpha is 1 minus it. Sandberg's code
    leaves the divisor out; here the paper's stands. The scale s is not in either: there the softmax
    saw embeddings of any length, here they have unit length (Wang et al. 2017, NormFace, say why that
    needs a scale).

    Args:
        classes: How many people there are.
        embedding_size: d.
        weight: Of the pull towards the centres.
        alpha: What a centre keeps of its place, 0 to 1.
        scale: s.
        seed: Of the weights' first values.
    """

    def __init__(
        self,
        classes: int,
        embedding_size: int,
        *,
        weight: float = 0.02,
        alpha: float = 0.95,
        scale: float = 30.0,
        seed: int = 0,
    ) -> None:
        super().__init__("center_loss")
        self.classes, self.weight, self.alpha, self.scale = classes, weight, alpha, scale
        self.directions = self.add_weight(
            shape=(classes, embedding_size),
            initializer=keras.initializers.GlorotUniform(seed=seed),
            name="directions",
        )
        self.biases = self.add_weight(shape=(classes,), initializer="zeros", name="biases")
        self.centers = self.add_weight(
            shape=(classes, embedding_size), initializer="zeros", trainable=False, name="centers"
        )

    def call(self, embeddings: keras.KerasTensor, labels: keras.KerasTensor) -> keras.KerasTensor:
        """The loss of embeddings (n, d) of unit length with labels (n,); the centres move afterwards."""
        embeddings = ops.cast(embeddings, "float32")
        logits = self.scale * cosines(embeddings, self.directions) + self.biases
        softmax = ops.mean(ops.sparse_categorical_crossentropy(labels, logits, from_logits=True))
        centers = ops.take(self.centers, labels, axis=0)
        pull = ops.mean(ops.sum(ops.square(embeddings - centers), axis=1))
        self._move(ops.stop_gradient(embeddings), labels)
        return softmax + self.weight / 2 * pull

    def _move(self, embeddings: keras.KerasTensor, labels: keras.KerasTensor) -> None:
        counts = ops.segment_sum(ops.ones_like(embeddings[:, :1]), labels, self.classes)
        sums = ops.segment_sum(embeddings, labels, self.classes)
        away = (counts * self.centers - sums) / (1 + counts)
        self.centers.assign(self.centers - (1 - self.alpha) * away)
