"""Noticing that training has collapsed: every face is embedded alike."""

import keras
from keras import ops

LEAST_SPREAD = 0.01
WITHIN_MARGIN = 1e-3  # of the margin; the loss of a large healthy semi-hard batch comes within 1e-2


def spread(embeddings: keras.KerasTensor) -> keras.KerasTensor:
    """Mean squared distance of unit embeddings (n, d) to their mean: () float32, 0 (all equal) to 1."""
    embeddings = ops.cast(embeddings, "float32")
    return ops.mean(ops.sum(ops.square(embeddings - ops.mean(embeddings, axis=0)), axis=1))


class CollapseWatch:
    """Warns once when training has looked collapsed for many steps on end.

    Two signs count. The embeddings' spread is next to nothing; or the triplet loss stands at its
    margin, where positives and negatives are equally far. An untrained network shows both, so a
    few such steps say nothing.

    Args:
        margin: Of the triplet loss; None for other losses, whose value says nothing of a collapse.
        patience: How many steps on end look collapsed before it is said.
    """

    def __init__(self, margin: float | None = None, patience: int = 100) -> None:
        self._margin, self._patience = margin, patience
        self._squeezed = self._stuck = 0

    def see(self, loss: float, spread: float) -> str | None:
        """Look at a step; a line for people if it is the one at which to warn.

        Args:
            loss: Of the step.
            spread: Of its embeddings.
        """
        self._squeezed = self._squeezed + 1 if spread < LEAST_SPREAD else 0
        self._stuck = self._stuck + 1 if self._at_margin(loss) else 0
        if self._squeezed == self._patience:
            return f"collapse: all faces are embedded nearly alike (spread {spread:.4f}); {_ADVICE}"
        if self._stuck == self._patience:
            return f"collapse: the loss stands at the margin, {self._margin}; {_ADVICE}"
        return None

    def _at_margin(self, loss: float) -> bool:
        return self._margin is not None and abs(loss - self._margin) < WITHIN_MARGIN * self._margin


_ADVICE = "lower the learning rate, lengthen the warm-up, or mine semi-hard negatives"
