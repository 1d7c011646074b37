"""A program: value and gradients of every loss on the Keras backend at hand, written to an .npz file.

On JAX with several devices the batch is spread over all of them, and weights are on each.
"""

import sys
from pathlib import Path

import numpy as np
import quick_keras  # before Keras is imported
from plain_triplets import random_batch

from kith.training.losses import LOSSES, CosineDistillation, RelationalDistillation, TripletLoss
from kith.training.mining import MINERS

import keras  # isort: skip  # after Kith has chosen the backend

assert quick_keras

LABELS = np.random.default_rng(0).permutation(np.repeat(np.arange(6), 4)).astype(np.int32)
EMBEDDINGS = random_batch(24, seed=1, size=8)
NORMS = np.random.default_rng(2).uniform(5, 60, 24).astype(np.float32)


def cases():
    """Each loss by name, with what it is called with behind the embeddings."""
    for name in MINERS:
        yield name, TripletLoss(MINERS[name](0.5)), (LABELS,)
    for name in ("n-pair", "center", "arcface", "cosface", "adaface"):
        loss = LOSSES[name]() if name == "n-pair" else LOSSES[name](6, 8)
        if name != "n-pair":  # backends draw first weights differently
            loss.weights[0].assign(random_batch(6, seed=3, size=8))
        yield name, loss, (LABELS, NORMS) if name == "adaface" else (LABELS,)
    yield "cosine", CosineDistillation(), (random_batch(24, seed=4, size=8),)
    yield "relational", RelationalDistillation(), (random_batch(24, seed=5, size=4),)


def on_jax(loss, arguments) -> list[np.ndarray]:
    import jax

    def value(embeddings, trainable, other, arguments):
        result, kept = loss.stateless_call(trainable, other, embeddings, *arguments)
        return result, kept

    embeddings, *arguments = (spread(array) for array in (EMBEDDINGS, *arguments))
    trainable, other = (
        [weight.value for weight in group]
        for group in (loss.trainable_variables, loss.non_trainable_variables)
    )
    gradient = jax.jit(jax.value_and_grad(value, argnums=(0, 1), has_aux=True))
    (result, kept), (of_embeddings, of_weights) = gradient(embeddings, trainable, other, arguments)
    return [result, of_embeddings, *of_weights, *kept]


def spread(array: np.ndarray):
    import jax

    distribution = keras.distribution.distribution()
    if distribution is None:
        return array
    layout = distribution.get_data_layout(array.shape)
    placed = jax.device_put(array, layout.backend_layout)
    if len(placed.addressable_shards) != 8 or placed.addressable_shards[0].data.shape[0] != 3:
        raise SystemExit("the batch is not spread over the devices")
    return placed


def on_torch(loss, arguments) -> list[np.ndarray]:
    import torch

    embeddings = torch.tensor(EMBEDDINGS, requires_grad=True)
    result = loss(embeddings, *(torch.tensor(array) for array in arguments))
    result.backward()
    of_weights = [weight.value.grad for weight in loss.trainable_variables]
    arrays = [result, embeddings.grad, *of_weights, *(w.value for w in loss.non_trainable_variables)]
    return [array.detach().numpy() for array in arrays]


def on_tensorflow(loss, arguments) -> list[np.ndarray]:
    import tensorflow as tf

    embeddings = tf.constant(EMBEDDINGS)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            tape.watch(embeddings)
            result = loss(embeddings, *arguments)
        weights = [weight.value for weight in loss.trainable_variables]
        return result, tape.gradient(result, [embeddings, *weights])

    result, gradients = step()
    return [result, *gradients, *(weight.value for weight in loss.non_trainable_variables)]


if __name__ == "__main__":
    if "spread" in sys.argv:
        keras.distribution.set_distribution(keras.distribution.DataParallel())
    measure = {"jax": on_jax, "torch": on_torch, "tensorflow": on_tensorflow}[keras.backend.backend()]
    measured = {
        f"{name} {number}": np.array(array)
        for name, loss, arguments in cases()
        for number, array in enumerate(measure(loss, arguments))
    }
    np.savez(Path(sys.argv[1]), **measured)
