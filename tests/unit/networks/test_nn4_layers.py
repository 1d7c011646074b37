"""OpenFace's two layers against plain loops, in Keras and in ONNX Runtime, and in a saved file."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kith import networks  # first: it chooses Keras's backend

import keras  # isort: skip

from kith.networks.nn4_layers import L2Pooling2D, LocalResponseNormalization, without_own_layers
from kith.runtime.compile import compile_model
from kith.runtime.session import Session

assert networks
IGNORE_KERAS = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # on jax


def model_of(layer: keras.layers.Layer, shape: tuple[int, int, int]) -> keras.Model:
    inputs = keras.Input(shape)
    return keras.Model(inputs, layer(inputs))


def both(model: keras.Model, values: np.ndarray) -> list[np.ndarray]:
    return [model.predict_on_batch(values), Session(compile_model(model)).run(values)[0]]


@pytest.mark.parametrize("size", [1, 3, 5, 9])
def test_local_response_normalization(size: int) -> None:
    alpha, beta = 0.8, 0.75
    values = np.random.default_rng(0).standard_normal((2, 3, 4, 7)).astype(np.float32)
    expected = np.empty_like(values)
    for channel in range(7):
        first = channel - (size - 1) // 2
        window = values[..., max(first, 0) : first + size]
        expected[..., channel] = values[..., channel] / (1 + alpha / size * (window**2).sum(-1)) ** beta
    layer = LocalResponseNormalization(size, alpha, beta)
    for found in both(model_of(layer, (3, 4, 7)), values):
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_response_of_an_even_number_of_channels_has_no_middle() -> None:
    with pytest.raises(ValueError, match="odd"):
        LocalResponseNormalization(4)


def test_l2_pooling() -> None:
    values = np.random.default_rng(0).standard_normal((2, 7, 6, 5)).astype(np.float32)
    expected = np.empty((2, 2, 2, 5), np.float32)
    for row in range(2):
        for column in range(2):
            window = values[:, 3 * row : 3 * row + 3, 3 * column : 3 * column + 3]
            expected[:, row, column] = np.sqrt((window**2).sum((1, 2)))
    for found in both(model_of(L2Pooling2D(3), (7, 6, 5)), values):
        np.testing.assert_allclose(found, expected, rtol=1e-5)


@IGNORE_KERAS
def test_l2_pooling_of_zeros_can_be_trained() -> None:
    """The slope of a root is infinite at zero."""
    inputs = keras.Input((3, 3, 2))
    x = keras.layers.Conv2D(2, 1, kernel_initializer="zeros")(inputs)
    model = keras.Model(inputs, keras.layers.Flatten()(L2Pooling2D(3)(x)))
    train(model)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


@IGNORE_KERAS
def test_trained() -> None:
    inputs = keras.Input((3, 3, 2))
    x = keras.layers.Conv2D(2, 1, use_bias=False)(inputs)
    x = L2Pooling2D(3)(LocalResponseNormalization(3)(x))
    model = keras.Model(inputs, keras.layers.Flatten()(x))
    (before,) = map(np.copy, model.get_weights())
    train(model)
    (after,) = model.get_weights()
    assert np.isfinite(after).all()
    assert (after != before).all()


def train(model: keras.Model) -> None:
    model.compile("sgd", "mse")
    model.train_on_batch(np.ones((2, 3, 3, 2), np.float32), np.zeros((2, 2), np.float32))


@IGNORE_KERAS
def test_saved_and_loaded(tmp_path: Path) -> None:
    inputs = keras.Input((6, 6, 7))
    model = keras.Model(inputs, L2Pooling2D(2)(LocalResponseNormalization(3, 0.5, 0.6)(inputs)))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    values = np.random.default_rng(0).standard_normal((2, 6, 6, 7)).astype(np.float32)
    np.testing.assert_array_equal(loaded.predict_on_batch(values), model.predict_on_batch(values))


LOAD = """
import sys, numpy as np, keras
model = keras.models.load_model(sys.argv[1])
np.save(sys.argv[2], model.predict_on_batch(np.load(sys.argv[2])))
assert "kith" not in sys.modules
"""


@IGNORE_KERAS
def test_loaded_where_nobody_knows_of_kith(tmp_path: Path) -> None:
    inputs = keras.Input((6, 6, 7))
    x = keras.layers.Conv2D(4, 3, name="convolution")(LocalResponseNormalization(3, 0.5, 0.6)(inputs))
    model = keras.Model(inputs, keras.layers.Flatten()(L2Pooling2D(2)(x)))
    ordinary = without_own_layers(model)
    assert [weight.path for weight in ordinary.weights] == [weight.path for weight in model.weights]
    ordinary.save(tmp_path / "model.keras")
    values = np.random.default_rng(0).standard_normal((2, 6, 6, 7)).astype(np.float32)
    np.save(tmp_path / "values.npy", values)
    subprocess.run(
        [sys.executable, "-c", LOAD, tmp_path / "model.keras", tmp_path / "values.npy"],
        env=os.environ | {"KERAS_BACKEND": keras.backend.backend()},
        check=True,
        timeout=300,
    )
    np.testing.assert_allclose(np.load(tmp_path / "values.npy"), model.predict_on_batch(values), rtol=1e-6)


def test_a_model_without_own_layers_stays_itself() -> None:
    inputs = keras.Input((2,))
    model = keras.Model(inputs, keras.layers.Dense(2)(inputs))
    assert without_own_layers(model) is model
