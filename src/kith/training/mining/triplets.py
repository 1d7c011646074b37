"""What a miner returns: triplets of a batch, told by their pairs."""

from typing import NamedTuple, Protocol

import keras


class Triplets(NamedTuple):  # a tuple, for JAX to pass it through a compiled function
    """The active triplets of a batch of n images.

    A triplet (a, p, n) is active if its hinge is open: D(a, p) + margin > D(a, n). The sum of active
    triplets is linear in the distances, so two (n, n) tables say all that n^3 triplets would:

        sum of [D(a, p) - D(a, n) + margin]_+  =  sum of pull * D - sum of push * D + margin * sum of pull

    Attributes:
        pull: (n, n) float32: the weight of the active triplets with this anchor and this positive.
        push: (n, n) float32: the weight of the active triplets with this anchor and this negative;
            each row sums to the same as the row of `pull`.
        active: () float32: how many triplets are active, whatever they weigh.
    """

    pull: keras.KerasTensor
    push: keras.KerasTensor
    active: keras.KerasTensor


class Miner(Protocol):
    """A rule that picks triplets; nothing in it is differentiated, and every shape is known beforehand."""

    def __init__(self, margin: float = 0.2) -> None: ...

    @property
    def margin(self) -> float:
        """By how much a negative should be farther than a positive, in squared distance."""
        ...

    def __call__(self, embeddings: keras.KerasTensor, labels: keras.KerasTensor) -> Triplets:
        """Pick among the images of a batch: embeddings (n, d) of unit length, labels (n,)."""
        ...
