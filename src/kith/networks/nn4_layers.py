"""The two layers of OpenFace's networks that Keras does not bring.

Both are registered with Keras, so a saved model that has them loads wherever this is imported;
`without_own_layers` makes one that loads everywhere.
"""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("kith")
class LocalResponseNormalization(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Divides each channel by the energy of its neighbours: y = x / (1 + alpha * mean(x^2))^beta.

    The mean is over `size` neighbouring channels; beyond the first and the last there are zeros. Of
    Krizhevsky et al. 2012, section 3.3, as Caffe, Torch and ONNX have it: alpha is divided by `size`.
    """

    def __init__(self, size: int = 5, alpha: float = 1e-4, beta: float = 0.75, **options: Any) -> None:
        super().__init__(**options)
        if size % 2 == 0:
            raise ValueError(f"size must be odd, not {size}")
        self.size, self.alpha, self.beta = size, alpha, beta

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """From (n, h, w, channels) to the same shape."""
        margin, channels = self.size // 2, inputs.shape[-1]
        squares = ops.pad(ops.square(inputs), [(0, 0), (0, 0), (0, 0), (margin, margin)])
        total = squares[..., :channels]
        for shift in range(1, self.size):
            total = total + squares[..., shift : shift + channels]
        return inputs / ops.power(1 + total * (self.alpha / self.size), self.beta)

    def get_config(self) -> dict[str, Any]:
        """What it takes to build the layer again."""
        config: dict[str, Any] = super().get_config()
        return config | {"size": self.size, "alpha": self.alpha, "beta": self.beta}


@keras.saving.register_keras_serializable("kith")
class L2Pooling2D(keras.layers.Layer):  # type: ignore[misc]
    """The Euclidean length of each channel in a window; windows do not overlap.

    What does not fill a window at the right and at the bottom is left out.
    """

    def __init__(self, pool_size: int = 3, **options: Any) -> None:
        super().__init__(**options)
        self.pool_size = pool_size

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """From (n, h, w, channels) to (n, h // pool_size, w // pool_size, channels)."""
        mean = ops.average_pool(
            ops.square(inputs), self.pool_size, self.pool_size, data_format="channels_last"
        )
        # where a window holds zeros only, the root's slope would be infinite and spoil training
        return ops.sqrt(ops.maximum(mean * self.pool_size**2, 1e-24))

    def get_config(self) -> dict[str, Any]:
        """What it takes to build the layer again."""
        config: dict[str, Any] = super().get_config()
        return config | {"pool_size": self.pool_size}


def without_own_layers(model: keras.Model) -> keras.Model:
    """The same network of Keras's own layers and operations only.

    Returns:
        The model itself if it has no others, else one with a copy of the weights.
    """
    own = (LocalResponseNormalization, L2Pooling2D)
    if not any(isinstance(layer, own) for layer in model.layers):
        return model

    def call(layer: keras.layers.Layer, *inputs: Any, **options: Any) -> Any:
        if isinstance(layer, own):
            return layer.call(*inputs)  # its operations, not the layer, become a part of the model
        return layer(*inputs, **options)

    copy: keras.Model = keras.models.clone_model(model, call_function=call)
    copy.set_weights(model.get_weights())
    return copy
