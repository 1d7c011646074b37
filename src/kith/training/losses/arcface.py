"""ArcFace (Deng et al. 2019, https://arxiv.org/abs/1801.07698)."""

import keras
from keras import ops

from kith.training.losses.prototypes import PrototypeLoss, of_label, sine


class ArcFace(PrototypeLoss):
    """Softmax over people with a margin added to the angle to one's own prototype.

    With theta_j the angle between an embedding and prototype j, and y its label (eq. 3)

        L = - mean of log( e^z / (e^z + sum over j != y of e^(s cos theta_j)) ),  z = s cos(theta_y + m).

    Beyond theta_y = pi - m, where cos(theta_y + m) would rise again, cos theta_y - m sin m takes its
    place, which goes on falling, as in the authors' code. No arc cosine is taken: its slope is
    infinite at a cosine of 1.

    Args:
        classes: How many people there are.
        embedding_size: d.
        margin: m, in radians.
        scale: s.
        ramp: Calls over which m grows from zero; 0 for never.
        seed: Of the prototypes' first values.
    """

    def __init__(
        self,
        classes: int,
        embedding_size: int,
        *,
        margin: float = 0.5,
        scale: float = 64.0,
        ramp: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__(
            classes, embedding_size, margin=margin, scale=scale, ramp=ramp, seed=seed, name="arcface"
        )

    def call(self, embeddings: keras.KerasTensor, labels: keras.KerasTensor) -> keras.KerasTensor:
        """The loss of embeddings (n, d) of unit length with labels (n,)."""
        cosines = self.cosines_to_prototypes(embeddings)
        own = of_label(cosines, labels)
        margin = self.grown_margin()
        turned = own * ops.cos(margin) - sine(own) * ops.sin(margin)
        falling = own - margin * ops.sin(margin)
        own = ops.where(own > -ops.cos(margin), turned, falling)
        return self.cross_entropy(cosines, own, labels)
