"""AdaFace (Kim et al. 2022, https://arxiv.org/abs/2204.00964)."""

import keras
from keras import ops

from kith.training.losses.prototypes import PrototypeLoss, of_label, sine

_MEMORY = 0.99  # of the running mean and deviation of the norms
_LEAST, _MOST = 1e-3, 100.0  # norms beyond are clipped, as in the authors' code


class AdaFace(PrototypeLoss):
    """Softmax over people with a margin that fits the photo's quality, which the norm stands for.

    The norm of an embedding before it is brought to unit length, centred and scaled by the running mean
    and deviation of norms (eq. 5; nothing is differentiated through it), is

        z = clip((norm - mean) / (deviation / h), -1, 1),

    and the own logit is s (cos(theta_y + g_angle) - g_add) with g_angle = -m z and g_add = m z + m
    (eq. 6, 7). So a good photo has CosFace's margin (z = 1: turned back by m, then 2 m off), a poor
    one ArcFace's. theta_y + g_angle is kept in [0, pi].

    Args:
        classes: How many people there are.
        embedding_size: d.
        margin: m.
        concentration: h; the smaller, the fewer photos reach z = -1 and 1.
        scale: s.
        ramp: Calls over which m grows from zero; 0 for never.
        seed: Of the prototypes' first values.
    """

    def __init__(
        self,
        classes: int,
        embedding_size: int,
        *,
        margin: float = 0.4,
        concentration: float = 0.333,
        scale: float = 64.0,
        ramp: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__(
            classes, embedding_size, margin=margin, scale=scale, ramp=ramp, seed=seed, name="adaface"
        )
        self.concentration = concentration
        self.mean = self._statistic("mean", 20.0)
        self.deviation = self._statistic("deviation", 100.0)

    def call(
        self, embeddings: keras.KerasTensor, labels: keras.KerasTensor, norms: keras.KerasTensor
    ) -> keras.KerasTensor:
        """The loss of embeddings (n, d) of unit length with labels (n,) and norms (n,)."""
        quality = self._quality(ops.stop_gradient(norms))
        cosines = self.cosines_to_prototypes(embeddings)
        margin = self.grown_margin()
        own = _turn(of_label(cosines, labels), -margin * quality)
        return self.cross_entropy(cosines, own - margin * (quality + 1), labels)

    def _quality(self, norms: keras.KerasTensor) -> keras.KerasTensor:
        """z of norms (n,), which the running mean and deviation have seen."""
        norms = ops.clip(ops.cast(norms, "float32"), _LEAST, _MOST)
        self.mean.assign(_MEMORY * self.mean + (1 - _MEMORY) * ops.mean(norms))
        self.deviation.assign(_MEMORY * self.deviation + (1 - _MEMORY) * ops.std(norms))
        return ops.clip((norms - self.mean) * self.concentration / (self.deviation + 1e-3), -1.0, 1.0)


def _turn(cosine: keras.KerasTensor, by: keras.KerasTensor) -> keras.KerasTensor:
    """cos(theta + by) of angles whose cosine is given, kept where theta + by is in [0, pi]."""
    turned = cosine * ops.cos(by) - sine(cosine) * ops.sin(by)
    turned = ops.where(ops.logical_and(by < 0, cosine > ops.cos(by)), 1.0, turned)
    return ops.where(ops.logical_and(by > 0, cosine < -ops.cos(by)), -1.0, turned)
