"""What the losses with a class per person share: a direction per person, and the softmax over them."""

import keras
from keras import ops

from kith.training.losses.loss import Loss
from kith.training.pairs import cosines


class PrototypeLoss(Loss):
    """A loss that learns a prototype, a direction on the unit sphere, of each person.

    A network that knows nothing yet gives in to a large margin: it sends every face to one place. So the
    margin can grow from zero while the network learns.

    Args:
        classes: How many people there are.
        embedding_size: d.
        margin: m.
        scale: s, what cosines are multiplied by before the softmax.
        ramp: Calls over which the margin grows from zero; 0 for the whole margin at once.
        seed: Of the prototypes' first values.
        name: The layer's.
    """

    def __init__(
        self,
        classes: int,
        embedding_size: int,
        *,
        margin: float,
        scale: float,
        ramp: int,
        seed: int,
        name: str,
    ) -> None:
        super().__init__(name)
        self.classes, self.margin, self.scale, self.ramp = classes, margin, scale, ramp
        self.calls = self._statistic("calls", 0.0)
        self.prototypes = self.add_weight(
            shape=(classes, embedding_size),
            initializer=keras.initializers.RandomNormal(stddev=embedding_size**-0.5, seed=seed),
            name="prototypes",
        )

    def grown_margin(self) -> keras.KerasTensor:
        """The margin of this call, a scalar; to be asked for once a call."""
        if not self.ramp:
            return ops.convert_to_tensor(self.margin, "float32")
        grown = self.margin * ops.minimum(self.calls / self.ramp, 1.0)
        self.calls.assign(self.calls + 1)
        return grown

    def cosines_to_prototypes(self, embeddings: keras.KerasTensor) -> keras.KerasTensor:
        """Cosine of each embedding (n, d) with each prototype: (n, classes)."""
        squares = ops.sum(ops.square(self.prototypes), axis=1, keepdims=True)
        return cosines(embeddings, self.prototypes * ops.rsqrt(ops.maximum(squares, 1e-12)))

    def cross_entropy(
        self, others: keras.KerasTensor, own: keras.KerasTensor, labels: keras.KerasTensor
    ) -> keras.KerasTensor:
        """Mean of -log softmax at the label, everything times the scale.

        Args:
            others: (n, classes) cosines to the prototypes.
            own: (n,) what stands in for the cosine to the label's prototype.
            labels: (n,).
        """
        at_label = ops.one_hot(labels, self.classes, dtype="bool")
        logits = self.scale * ops.where(at_label, own[:, None], others)
        return ops.mean(ops.logsumexp(logits, axis=1) - self.scale * own)

    def _statistic(self, name: str, value: float) -> keras.Variable:
        return self.add_weight(
            shape=(), initializer=keras.initializers.Constant(value), trainable=False, name=name
        )


def of_label(cosines: keras.KerasTensor, labels: keras.KerasTensor) -> keras.KerasTensor:
    """Each row's value at its label: (n, classes) and (n,) to (n,)."""
    return ops.take_along_axis(cosines, ops.cast(labels, "int32")[:, None], axis=1)[:, 0]


def sine(cosine: keras.KerasTensor) -> keras.KerasTensor:
    """sin of an angle in [0, pi] whose cosine this is; its gradient is zero, not infinite, at both ends."""
    return ops.sqrt(ops.clip(1 - ops.square(cosine), 1e-7, 1.0))
