"""Inception-ResNet-v1 against the outputs of Sandberg's graph and of facenet-pytorch."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from recipes import crops, facenet_pytorch, load_recipe, normalized, report, sandberg

from kith import networks  # first: it chooses Keras's backend

import keras  # isort: skip

from kith.runtime.compile import compile_model
from kith.runtime.keras_models import assign
from kith.runtime.session import Session
from kith.weights.names_inception_resnet_v1 import (
    inception_resnet_v1_from_pytorch,
    inception_resnet_v1_from_tensorflow,
)
from kith.weights.shapes import shapes_of

INPUT = (crops(160) - 127.5) / 128
RUNTIMES = pytest.mark.parametrize("runtime", ["keras", "onnx"])


@cache
def network(embedding_size: int) -> keras.Model:
    """One for all tests: what takes long is Keras's own compilation at the first prediction."""
    return networks.inception_resnet_v1(embedding_size=embedding_size, initializer="zeros")


def run(model: keras.Model, runtime: str) -> np.ndarray:
    if runtime == "keras":
        return model.predict_on_batch(INPUT)
    return Session(compile_model(model)).run(INPUT)[0]


@RUNTIMES
@pytest.mark.parametrize("embedding_size", [128, 512])
def test_sandberg(shared: Path, runtime: str, embedding_size: int) -> None:
    """The recipe's tolerance: a relative error of the prelogits of 1e-4."""
    expected = np.array(load_recipe(shared, f"inception_resnet_v1_{embedding_size}")["prelogits"])
    assign(network(embedding_size), inception_resnet_v1_from_tensorflow(sandberg(shared, embedding_size)))
    found = run(network(embedding_size), runtime)
    error = np.linalg.norm(found - expected) / np.linalg.norm(expected)
    report(f"Inception-ResNet-v1, {embedding_size}-d, {runtime}: relative error {error:.1e} (1e-4 allowed)")
    assert error < 1e-4


@RUNTIMES
def test_facenet_pytorch(shared: Path, runtime: str) -> None:
    """The recipe's tolerance: 1e-5 in every number."""
    expected = np.array(load_recipe(shared, "facenet_pytorch_512")["embeddings_l2_normalized"])
    assign(network(512), inception_resnet_v1_from_pytorch(facenet_pytorch(shared)))
    error = np.abs(normalized(run(network(512), runtime)) - expected).max()
    report(f"facenet-pytorch, 512-d, {runtime}: largest error {error:.1e} (1e-5 allowed)")
    assert error < 1e-5


@pytest.mark.parametrize("embedding_size", [128, 512])
def test_the_table_of_its_shapes(embedding_size: int) -> None:
    """If not: python tools/write_shapes.py."""
    found = {variable.path: tuple(variable.shape) for variable in network(embedding_size).weights}
    assert shapes_of("inception_resnet_v1", embedding_size) == found


def test_what_is_trained() -> None:
    model = network(128)
    trained = {variable.path.rpartition("/")[2] for variable in model.trainable_variables}
    kept = {variable.path.rpartition("/")[2] for variable in model.non_trainable_variables}
    assert (trained, kept) == ({"kernel", "bias", "gamma", "beta"}, {"moving_mean", "moving_variance"})


def test_dropout_and_sizes() -> None:
    model = networks.inception_resnet_v1(embedding_size=64, crop_size=112, dropout=0.4, initializer="zeros")
    assert model.get_layer("dropout").rate == 0.4
    assert (model.input_shape, model.output_shape) == ((None, 112, 112, 3), (None, 64))


def test_built_again_from_its_configuration() -> None:
    """As from a .keras file: no Lambda, nothing but Keras's own layers."""
    model = network(128)
    again = keras.Model.from_config(model.get_config())
    assert [weight.path for weight in again.weights] == [weight.path for weight in model.weights]
    assert all(layer.__module__.startswith("keras.") for layer in model.layers)
