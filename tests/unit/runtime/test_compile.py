"""Every layer the compiler knows computes in ONNX Runtime what it computes in Keras."""

import numpy as np
import onnx
import pytest

from kith import networks  # first: it chooses Keras's backend

import keras  # isort: skip
from keras import layers, ops  # isort: skip

from kith.runtime.compile import compile_model
from kith.runtime.session import Session


def randomize(model: keras.Model, seed: int = 0) -> None:
    """Every variable away from its initial value, so that nothing is right by chance."""
    random = np.random.default_rng(seed)
    for variable in model.variables:
        low, high = (0.5, 1.5) if "variance" in variable.path or "gamma" in variable.path else (-0.6, 0.6)
        variable.assign(random.uniform(low, high, variable.shape).astype(np.float32))


def assert_same(model: keras.Model, *shape: int) -> None:
    randomize(model)
    values = np.random.default_rng(1).standard_normal(shape).astype(np.float32)
    expected = model.predict_on_batch(values)
    expected = expected if isinstance(expected, list | tuple) else [expected]
    found = Session(compile_model(model)).run(values)
    assert len(found) == len(expected)
    for ours, keras_ in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, np.asarray(keras_), atol=2e-5, rtol=1e-4)


IMAGE_LAYERS = {
    "conv same stride 2 on odd size": lambda: layers.Conv2D(5, 3, 2, "same"),
    "conv same stride 2 on even kernel": lambda: layers.Conv2D(5, 2, 2, "same"),
    "conv valid": lambda: layers.Conv2D(5, (3, 2), padding="valid"),
    "conv without bias": lambda: layers.Conv2D(5, 3, use_bias=False),
    "conv dilated": lambda: layers.Conv2D(5, 3, dilation_rate=2),
    "conv of groups": lambda: layers.Conv2D(6, 3, groups=3),
    "conv relu": lambda: layers.Conv2D(5, 1, activation="relu"),
    "conv softmax over channels": lambda: layers.Conv2D(5, 1, activation="softmax"),
    "conv sigmoid": lambda: layers.Conv2D(5, 1, activation="sigmoid"),
    "depthwise": lambda: layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same"),
    "max pool same": lambda: layers.MaxPooling2D(3, 2, "same"),
    "max pool valid": lambda: layers.MaxPooling2D((2, 3), (1, 2)),
    "average pool same": lambda: layers.AveragePooling2D(3, 2, "same"),
    "average pool valid": lambda: layers.AveragePooling2D(2, 2),
    "global average": lambda: layers.GlobalAveragePooling2D(),
    "global average that keeps its axes": lambda: layers.GlobalAveragePooling2D(keepdims=True),
    "batch norm alone": lambda: layers.BatchNormalization(),
    "relu": lambda: layers.ReLU(),
    "leaky relu": lambda: layers.ReLU(negative_slope=0.2),
    "prelu per channel": lambda: layers.PReLU(shared_axes=[1, 2]),
    "flatten": lambda: layers.Flatten(),
    "permute": lambda: layers.Permute((2, 1, 3)),
    "permute channels": lambda: layers.Permute((3, 1, 2)),
    "zero padding": lambda: layers.ZeroPadding2D(((1, 2), (0, 3))),
    "dropout": lambda: layers.Dropout(0.5),
    "pad": lambda: lambda x: ops.pad(x, ((0, 0), (1, 0), (0, 2), (0, 3))),
}


@pytest.mark.parametrize("make", IMAGE_LAYERS.values(), ids=IMAGE_LAYERS.keys())
def test_layer_on_images(make) -> None:
    inputs = keras.Input((9, 12, 3))
    assert_same(keras.Model(inputs, make()(inputs)), 2, 9, 12, 3)


def test_images_of_any_size() -> None:
    inputs = keras.Input((None, None, 3))
    x = layers.Conv2D(4, 3, 2, "same")(inputs)
    model = keras.Model(inputs, layers.MaxPooling2D(2, 2, "same")(x))
    assert_same(model, 1, 17, 20, 3)
    assert_same(model, 3, 8, 9, 3)


@pytest.mark.parametrize("alpha", [0.3, 1.7])
def test_prelu_on_both_sides_of_one(alpha: float) -> None:
    inputs = keras.Input((5, 5, 2))
    layer = layers.PReLU(shared_axes=[1, 2])
    model = keras.Model(inputs, layer(inputs))
    layer.alpha.assign(np.array([[[alpha, -0.4]]], np.float32))
    values = np.random.default_rng(0).standard_normal((2, 5, 5, 2)).astype(np.float32)
    (found,) = Session(compile_model(model)).run(values)
    np.testing.assert_allclose(found, np.where(values > 0, values, values * [alpha, -0.4]), atol=1e-6)


@pytest.mark.parametrize(
    "options", [{}, {"scale": False}, {"center": False}, {"scale": False, "center": False}]
)
def test_batch_norm_is_folded_into_the_convolution_in_front(options: dict[str, bool]) -> None:
    inputs = keras.Input((8, 8, 3))
    model = keras.Model(inputs, layers.BatchNormalization(**options)(layers.Conv2D(4, 3)(inputs)))
    assert_same(model, 2, 8, 8, 3)
    assert b"BatchNormalization" not in compile_model(model)


def test_batch_norm_is_not_folded_where_the_convolution_is_read_twice() -> None:
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3)(inputs)
    assert_same(keras.Model(inputs, layers.Add()([x, layers.BatchNormalization()(x)])), 2, 8, 8, 3)


@pytest.mark.parametrize("read_by_more", [False, True])
def test_convolutions_pad_themselves(read_by_more: bool) -> None:
    inputs = keras.Input((8, 8, 3))
    padded = layers.ZeroPadding2D(((1, 2), (0, 3)))(inputs)
    outputs = [layers.Conv2D(4, 3, 2)(padded), layers.DepthwiseConv2D((2, 3))(padded)]
    outputs += [layers.MaxPooling2D(2)(padded)] if read_by_more else []
    model = keras.Model(inputs, outputs)
    assert_same(model, 2, 8, 8, 3)
    operators = {node.op_type for node in onnx.load_from_string(compile_model(model)).graph.node}
    assert ("Pad" in operators) == read_by_more


def test_a_convolution_that_pads_in_its_own_way() -> None:
    inputs = keras.Input((8, 8, 3))
    assert_same(
        keras.Model(inputs, layers.Conv2D(4, 3, 2, "same")(layers.ZeroPadding2D(1)(inputs))), 2, 8, 8, 3
    )


def test_branches_sums_and_several_outputs() -> None:
    inputs = keras.Input((8, 8, 3))
    a, b = layers.Conv2D(4, 1)(inputs), layers.Conv2D(4, 1)(inputs)
    joined = layers.Concatenate()([a, b, layers.Add()([a, b, a])])
    assert_same(keras.Model(inputs, [joined, layers.GlobalAveragePooling2D()(joined), a]), 2, 8, 8, 3)


def test_dense_layers() -> None:
    inputs = keras.Input((7,))
    x = layers.PReLU()(layers.Dense(5)(inputs))
    x = layers.BatchNormalization()(x)
    assert_same(keras.Model(inputs, layers.Dense(3, use_bias=False, activation="softmax")(x)), 4, 7)


def test_concatenation_along_height() -> None:
    inputs = keras.Input((4, 5, 2))
    assert_same(keras.Model(inputs, layers.Concatenate(axis=1)([inputs, layers.ReLU()(inputs)])), 2, 4, 5, 2)


@pytest.mark.parametrize(
    "layer",
    [layers.LSTM(3), layers.ReLU(max_value=6), layers.Activation("gelu")],
    ids=["unknown layer", "unknown option", "unknown activation"],
)
def test_what_is_not_known_is_an_error(layer: keras.Layer) -> None:
    inputs = keras.Input((4, 3))
    with pytest.raises(NotImplementedError, match="no ONNX for"):
        compile_model(keras.Model(inputs, layer(inputs)))


@pytest.mark.parametrize(("name", "size"), [("pnet", 40), ("rnet", 24), ("onet", 48), ("resnet29", 150)])
def test_whole_networks(name: str, size: int) -> None:
    model = getattr(networks, name)(initializer="zeros")  # many times faster than random ones
    for variable in model.variables:
        random = np.random.default_rng(list(variable.path.encode()))
        spread = np.sqrt(2 / max(np.prod(variable.shape[:-1]), 1)) if "kernel" in variable.path else 0.1
        if not variable.path.endswith(("gamma", "moving_variance")):
            variable.assign((spread * random.standard_normal(variable.shape)).astype(np.float32))
    values = np.random.default_rng(0).standard_normal((2, size, size, 3)).astype(np.float32)
    expected = model.predict_on_batch(values)
    expected = expected if isinstance(expected, list | tuple) else [expected]
    for ours, keras_ in zip(Session(compile_model(model)).run(values), expected, strict=True):
        np.testing.assert_allclose(ours, np.asarray(keras_), atol=1e-4, rtol=1e-3)
