"""OpenFace's nn4.small2 against the outputs of its port to PyTorch, and trained on every backend."""

import os
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from recipes import crops, load_recipe, normalized, openface, report

from kith import networks  # first: it chooses Keras's backend

import keras  # isort: skip

from kith.runtime.compile import compile_model
from kith.runtime.keras_models import assign
from kith.runtime.session import Session
from kith.weights.names_nn4_small2 import nn4_small2_from_pytorch
from kith.weights.shapes import shapes_of

INPUT = crops(96) / 255


@cache
def network() -> keras.Model:
    return networks.nn4_small2(initializer="zeros")


@pytest.mark.parametrize("runtime", ["keras", "onnx"])
def test_openface(shared: Path, runtime: str) -> None:
    """The recipe's tolerance: 1e-5 in every number."""
    expected = np.array(load_recipe(shared, "openface_nn4_small2")["embeddings_l2_normalized"])
    assign(network(), nn4_small2_from_pytorch(openface(shared)))
    if runtime == "keras":
        found = network().predict_on_batch(INPUT)
    else:
        (found,) = Session(compile_model(network())).run(INPUT)
    error = np.abs(normalized(found) - expected).max()
    report(f"OpenFace nn4.small2, {runtime}: largest error {error:.1e} (1e-5 allowed)")
    assert error < 1e-5


def test_the_table_of_its_shapes() -> None:
    """If not: python tools/write_shapes.py."""
    found = {variable.path: tuple(variable.shape) for variable in network().weights}
    assert shapes_of("nn4_small2", 128) == found


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's, on jax
def test_saved_and_loaded(tmp_path: Path) -> None:
    network().save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for ours, theirs in zip(loaded.weights, network().weights, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(ours), keras.ops.convert_to_numpy(theirs))


TRAIN = """
import sys, numpy as np
from kith import networks
import keras
assert keras.backend.backend() == sys.argv[1]
model = networks.nn4_small2(embedding_size=8)
model.compile("sgd", "mse")
before = [np.copy(weight) for weight in model.get_weights()]
model.train_on_batch(np.random.rand(2, 96, 96, 3).astype("float32"), np.ones((2, 8), "float32"))
for weight, old, new in zip(model.weights, before, model.get_weights()):
    assert np.isfinite(new).all(), weight.path
    if not weight.path.endswith("/bias"):  # a normalization behind it takes a bias away again
        assert not np.array_equal(old, new), weight.path
"""


@pytest.mark.parametrize("backend", ["tensorflow", "torch"])
def test_trains(backend: str) -> None:
    """On jax, which takes a minute to compile this, test_nn4_layers.py trains what is special here."""
    if find_spec(backend) is None:
        pytest.skip(f"Keras's backend {backend} is not installed")
    environment = os.environ | {"KERAS_BACKEND": backend}
    result = subprocess.run(
        [sys.executable, "-c", TRAIN, backend], env=environment, capture_output=True, text=True, timeout=300
    )
    assert result.returncode == 0, result.stderr
