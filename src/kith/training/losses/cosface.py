"""CosFace (Wang et al. 2018, https://arxiv.org/abs/1801.09414)."""

import keras

from kith.training.losses.prototypes import PrototypeLoss, of_label


class CosFace(PrototypeLoss):
    """Softmax over people with a margin taken off the cosine to one's own prototype.

    With theta_j the angle between an embedding and prototype j, and y its label (eq. 4)

        L = - mean of log( e^z / (e^z + sum over j != y of e^(s cos theta_j)) ),  z = s (cos theta_y - m).

    Args:
        classes: How many people there are.
        embedding_size: d.
        margin: m, of a cosine.
        scale: s.
        ramp: Calls over which m grows from zero; 0 for never.
        seed: Of the prototypes' first values.
    """

    def __init__(
        self,
        classes: int,
        embedding_size: int,
        *,
        margin: float = 0.35,
        scale: float = 64.0,
        ramp: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__(
            classes, embedding_size, margin=margin, scale=scale, ramp=ramp, seed=seed, name="cosface"
        )

    def call(self, embeddings: keras.KerasTensor, labels: keras.KerasTensor) -> keras.KerasTensor:
        """The loss of embeddings (n, d) of unit length with labels (n,)."""
        cosines = self.cosines_to_prototypes(embeddings)
        return self.cross_entropy(cosines, of_label(cosines, labels) - self.grown_margin(), labels)
