"""All pairs of a batch: their cosines, their distances, and which are mated."""

from contextlib import AbstractContextManager, nullcontext

import keras
from keras import ops


def cosines(first: keras.KerasTensor, second: keras.KerasTensor) -> keras.KerasTensor:
    """Inner product of every row with every row, in full float32: (n, d) and (m, d) to (n, m)."""
    with _full_precision():
        return ops.matmul(ops.cast(first, "float32"), ops.transpose(ops.cast(second, "float32")))


def squared_distances(embeddings: keras.KerasTensor) -> keras.KerasTensor:
    """||x_i - x_j||^2 of every pair of rows (n, d): (n, n) float32.

    There is no root and nothing is clipped, so the gradient at equal embeddings is the true one, zero;
    rounding may bring a distance of zero to -1e-7.
    """
    products = cosines(embeddings, embeddings)
    norms = ops.sum(ops.square(ops.cast(embeddings, "float32")), axis=1)
    return norms[:, None] + norms[None, :] - 2 * products


def mated(labels: keras.KerasTensor) -> keras.KerasTensor:
    """Which pairs are of one person, an image with itself apart: (n,) to (n, n) bool."""
    itself = ops.eye(labels.shape[0], dtype="bool")
    return ops.logical_and(labels[:, None] == labels[None, :], ops.logical_not(itself))


def non_mated(labels: keras.KerasTensor) -> keras.KerasTensor:
    """Which pairs are of two people: (n,) to (n, n) bool."""
    return labels[:, None] != labels[None, :]


def _full_precision() -> AbstractContextManager[object]:
    """JAX would multiply float32 in 10 bits on a GPU and in 8 on a TPU: too coarse to rank distances."""
    if keras.backend.backend() != "jax":
        return nullcontext()
    import jax

    precision: AbstractContextManager[object] = jax.default_matmul_precision("highest")
    return precision
