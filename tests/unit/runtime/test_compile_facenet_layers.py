"""A rescaling is folded into the convolution in front, and computed where none is."""

import numpy as np
import onnx
import pytest

from kith import networks  # first: it chooses Keras's backend

import keras  # isort: skip
from keras import layers  # isort: skip

from kith.runtime.compile import compile_model
from kith.runtime.session import Session

assert networks


@pytest.mark.parametrize("convolution", [False, True])
def test_rescaling(convolution: bool) -> None:
    inputs = keras.Input((4, 5, 3))
    x = layers.Conv2D(6, 1, bias_initializer="uniform")(inputs) if convolution else inputs
    model = keras.Model(inputs, layers.Rescaling(0.17, offset=0.5)(x))
    values = np.random.default_rng(0).standard_normal((2, 4, 5, 3)).astype(np.float32)
    compiled = compile_model(model)
    np.testing.assert_allclose(
        Session(compiled).run(values)[0], np.asarray(model.predict_on_batch(values)), atol=1e-6
    )
    kinds = {node.op_type for node in onnx.load_from_string(compiled).graph.node}
    assert ("Mul" in kinds) is not convolution
