import numpy as np
import pytest

from kith.errors import UnknownModel, UnsupportedFile
from kith.runtime.keras_models import assign, keras_model


class Variable:
    def __init__(self, path: str, *shape: int) -> None:
        self.path, self.shape, self.value = path, shape, None

    def assign(self, value: np.ndarray) -> None:
        self.value = value


class Model:
    name = "toy"

    def __init__(self) -> None:
        self.weights = [Variable("a/kernel", 2, 3), Variable("a/bias", 3)]


GOOD = {"a/kernel": np.ones((2, 3)), "a/bias": np.ones(3)}


def test_assign_fills_every_variable() -> None:
    model = Model()
    assign(model, GOOD)
    assert all(variable.value.shape == variable.shape for variable in model.weights)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"a/kernel": GOOD["a/kernel"]}, "1 differ, it lacks a/bias"),
        (GOOD | {"b/kernel": np.ones(1)}, "1 differ, it has no place for 'b/kernel'"),
        (GOOD | {"a/bias": np.ones(4)}, r"a/bias has shape \(4,\), expected \(3,\)"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_changed(arrays, message) -> None:
    model = Model()
    with pytest.raises(UnsupportedFile, match=message):
        assign(model, arrays)
    assert all(variable.value is None for variable in model.weights)


def test_a_network_with_dropout_is_filled_too() -> None:
    """Its random numbers' state is a variable, but no weight."""
    from kith import networks

    model = networks.nn4_small2(initializer="zeros")
    dropped = networks.inception_resnet_v1(embedding_size=8, dropout=0.4, initializer="zeros")
    for network in (model, dropped):
        assign(network, {weight.path: np.full(weight.shape, 0.5, np.float32) for weight in network.weights})
        assert all(float(np.asarray(weight).min()) == 0.5 for weight in network.weights)
    assert len(dropped.variables) > len(dropped.weights)


def test_a_keras_model_of_a_name() -> None:
    model = keras_model("dlib-resnet29")
    assert (model.input_shape, model.output_shape) == ((None, 150, 150, 3), (None, 128))
    with pytest.raises(UnknownModel):
        keras_model("nobody")
