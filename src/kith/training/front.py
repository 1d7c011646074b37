"""A network whose first layers keep their weights: those run compiled, the rest is trained.

On a CPU, ONNX Runtime computes the front many times faster than the training framework, and no
gradient goes through it.
"""

from typing import Protocol

import keras
import numpy as np

from kith.errors import TrainingError
from kith.records import FloatArray
from kith.runtime.compile import compile_model
from kith.runtime.session import Session


class Front(Protocol):
    """What is done to scaled crops before they reach the part that is trained."""

    def __call__(self, inputs: FloatArray) -> np.ndarray:
        """(n, s, s, 3) float32 to what the trained part takes."""
        ...


def split(model: keras.Model, last_frozen: str, *, threads: int = 1) -> tuple[Front, keras.Model]:
    """Cut a network behind a layer.

    Args:
        model: The network; both parts share its variables.
        last_frozen: Name of the last layer that keeps its weights; nothing may lead past it.
        threads: How many threads the front may use.

    Returns:
        The front, ready to run, and the rest.

    Raises:
        TrainingError: There is no such layer, or the network cannot be cut there.
    """
    try:
        boundary = model.get_layer(last_frozen).output
        rest = keras.Model(boundary, model.output, name=f"{model.name}_rest")
    except ValueError:
        names = ", ".join(layer.name for layer in model.layers if layer.name.endswith(("_pool", "_relu")))
        raise TrainingError(
            f"{model.name} cannot be frozen up to a layer {last_frozen!r}; layers are {names}"
        ) from None
    session = Session(compile_model(keras.Model(model.input, boundary)), threads=threads)

    def run(inputs: FloatArray) -> np.ndarray:
        return session.run(np.ascontiguousarray(inputs))[0]

    return run, rest
