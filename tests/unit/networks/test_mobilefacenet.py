"""MobileFaceNet against the outputs of insightface's own file in its own framework."""

import hashlib
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from recipes import load_recipe, normalized, report, smooth_crops

from kith import networks  # first: it chooses Keras's backend

import keras  # isort: skip

from kith.catalogue.families import find_family
from kith.embedding import scale_pixels
from kith.runtime.compile import compile_model
from kith.runtime.keras_models import assign
from kith.runtime.session import Session
from kith.weights.recognize import recognize_file
from kith.weights.shapes import shapes_of


@cache
def network() -> keras.Model:
    return networks.mobilefacenet(initializer="zeros")


@pytest.fixture(scope="module")
def trained(shared: Path) -> keras.Model:
    found = recognize_file(shared / "data/weights/mobilefacenet_y1-0000.params")
    assert (found.network, found.embedding_size) == ("mobilefacenet", 128)
    assign(network(), found.arrays)
    return network()


@pytest.fixture(scope="module")
def inputs(shared: Path) -> np.ndarray:
    recipe = load_recipe(shared, "mobilefacenet_arcface")
    assert hashlib.sha256(smooth_crops().tobytes()).hexdigest() == recipe["inputs_sha256"]
    return scale_pixels(smooth_crops(), find_family("arcface-mobilefacenet").pixels)


@pytest.mark.parametrize("runtime", ["keras", "onnx"])
def test_parity(shared: Path, trained: keras.Model, inputs: np.ndarray, runtime: str) -> None:
    """The recipe's tolerance: 1e-3 in every number before normalization; they go up to 1."""
    expected = np.array(load_recipe(shared, "mobilefacenet_arcface")["outputs"])
    if runtime == "keras":
        found = trained.predict_on_batch(inputs)
    else:
        (found,) = Session(compile_model(trained)).run(inputs)
    error = np.abs(found - expected).max()
    cosine = np.sum(normalized(found) * normalized(expected), axis=1).min()
    report(f"MobileFaceNet, {runtime}: largest error {error:.1e} (1e-3 allowed), least cosine {cosine:.8f}")
    assert error < 2e-4
    assert cosine > 0.99999


def test_the_table_of_its_shapes() -> None:
    """If not: python tools/write_shapes.py."""
    found = {variable.path: tuple(variable.shape) for variable in network().weights}
    assert shapes_of("mobilefacenet", 128) == found


def test_size_of_the_crop_and_of_the_embedding() -> None:
    model = networks.mobilefacenet(crop_size=64, embedding_size=7, initializer="zeros")
    assert model.output_shape == (None, 7)
    assert model.get_layer("head_depthwise").kernel.shape == (4, 4, 512, 1)
