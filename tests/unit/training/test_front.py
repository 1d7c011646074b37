import keras
import numpy as np
import pytest

from kith.errors import TrainingError
from kith.training.front import split


def network() -> keras.Model:
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, padding="same", name="first")(inputs)
    x = keras.layers.BatchNormalization(name="norm")(x)
    x = keras.layers.ReLU(name="first_relu")(x)
    y = keras.layers.Conv2D(4, 3, padding="same", name="second")(x)
    y = keras.layers.ReLU(name="second_relu")(y)
    x = keras.layers.Add(name="sum")([x, y])
    return keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(x))


def test_both_parts_together_are_the_network() -> None:
    model = network()
    inputs = np.random.default_rng(0).standard_normal((3, 8, 8, 3)).astype(np.float32)
    front, rest = split(model, "first_relu")
    np.testing.assert_allclose(np.asarray(rest(front(inputs))), np.asarray(model(inputs)), atol=1e-5)


def test_what_the_rest_learns_the_network_knows() -> None:
    model = network()
    _, rest = split(model, "first_relu")
    assert [weight.path for weight in rest.trainable_variables] == ["second/kernel", "second/bias"]
    rest.trainable_variables[1].assign(np.arange(4))
    np.testing.assert_array_equal(np.asarray(model.get_layer("second").bias), np.arange(4))


@pytest.mark.parametrize("name", ["third_relu", "second_relu"])
def test_a_cut_that_cannot_be_made_is_told_with_those_that_can(name: str) -> None:
    with pytest.raises(TrainingError, match="layers are first_relu"):
        split(network(), name)
