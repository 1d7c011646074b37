"""Prototypes that begin where the network already sees their people.

A new network sends every face in nearly the same direction, and prototypes are random directions. Softmax
losses with people who come by once an epoch do not find out of that: on LFW's few photos they learned
nothing in ten epochs. So the layer that makes the embedding is turned away from the mean of what it
sees, which brings embeddings around the origin, and each prototype begins as the mean of its person's
embeddings (Qi et al. 2018, https://arxiv.org/abs/1712.07136, who call it imprinting).
"""

import jax
import keras
import numpy as np

from kith.decisions.cosine import normalize
from kith.embedding import shrink
from kith.records import FloatArray
from kith.training.faces import FaceSet
from kith.training.losses.prototypes import PrototypeLoss
from kith.training.recipes import Recipe
from kith.training.scaling import scale_on_device

Arrays = list[jax.Array]

_AT_ONCE = 96  # faces, whose statistics batch normalizations take
_OF_EACH = 5  # photos of a person


def imprint(loss: PrototypeLoss, model: keras.Model, faces: FaceSet, recipe: Recipe, *, new: bool) -> None:
    """Set the prototypes to what the network says of the people now.

    Args:
        loss: Whose prototypes are set.
        model: The network. A new one is centred, and its normalizations get the statistics of the faces.
        faces: Of the people, in the order of the prototypes.
        recipe: How faces are brought to the network.
        new: Whether it has random weights.
    """
    labels = faces.labels
    chosen = _some_of_each(labels)
    head = model.layers[-1]
    if new and isinstance(head, keras.layers.Dense):
        features = _run(keras.Model(model.input, head.input), faces, chosen, recipe, learn=True)
        kernel = turn_away(keras.ops.convert_to_numpy(head.kernel), features.mean(axis=0))
        head.kernel.assign(kernel)
        embeddings = features @ kernel
    else:
        embeddings = _run(model, faces, chosen, recipe, learn=new)
    loss.prototypes.assign(means(normalize(embeddings), labels[chosen], loss.classes))


def turn_away(kernel: FloatArray, mean: FloatArray) -> FloatArray:
    """A kernel (f, d) that gives 0 for the mean (f,) of its inputs, and is else the same."""
    return np.asarray(kernel - np.outer(mean, mean @ kernel) / max(float(mean @ mean), 1e-12), np.float32)


def means(embeddings: FloatArray, labels: np.ndarray, people: int) -> FloatArray:
    """The direction (people, d) of each person's embeddings (n, d) of unit length."""
    sums = np.zeros((people, embeddings.shape[1]), np.float32)
    np.add.at(sums, labels, embeddings)
    return normalize(sums)


def _some_of_each(labels: np.ndarray) -> np.ndarray:
    """Positions of the first photos of each person, in an order that mixes people."""
    order = np.argsort(labels, kind="stable")
    _, firsts, counts = np.unique(labels[order], return_index=True, return_counts=True)
    rank = np.arange(len(labels)) - np.repeat(firsts, counts)
    return np.random.default_rng(0).permutation(order[rank < _OF_EACH])


def _run(
    model: keras.Model, faces: FaceSet, chosen: np.ndarray, recipe: Recipe, *, learn: bool
) -> FloatArray:
    """What the model makes of these faces; it may learn the statistics of its normalizations on the way."""

    @jax.jit
    def look(weights: Arrays, statistics: Arrays, crops: np.ndarray) -> tuple[jax.Array, Arrays]:
        scaled = scale_on_device(crops, recipe.pixels)
        outputs, statistics = model.stateless_call(weights, statistics, scaled, training=learn)
        return outputs.astype("float32"), statistics

    weights = [variable.value for variable in model.trainable_variables]
    statistics = [variable.value for variable in model.non_trainable_variables]
    parts = []
    rounds = -(-len(chosen) // _AT_ONCE)
    for wanted in np.resize(chosen, (rounds, _AT_ONCE)):  # full batches: each size is compiled anew
        crops = shrink(np.stack([faces.crops[i] for i in wanted]), recipe.input_size)
        outputs, statistics = look(weights, statistics, crops)
        parts.append(np.asarray(outputs))
    if learn:
        for variable, value in zip(model.non_trainable_variables, statistics, strict=True):
            variable.assign(value)
    return np.concatenate(parts)[: len(chosen)]
