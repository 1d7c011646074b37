"""WeightsSpec -> file -> arrays -> Keras: a network with its weights."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from kith.catalogue.builtin import DEFAULT_EMBEDDER
from kith.catalogue.files import read_weights
from kith.catalogue.installed import find_embedder
from kith.catalogue.spec import ONNX, WeightsSpec
from kith.errors import UnsupportedFile
from kith.weights.shapes import require_shapes

if TYPE_CHECKING:
    import keras


def keras_model(model_id: str = DEFAULT_EMBEDDER) -> "keras.Model":
    """A model as a Keras 3 model with its weights: to look at, to train further, to save as `.keras`.

    Its inputs are crops with their pixels scaled, as `kith models show` tells; its outputs are not
    brought to unit length yet.

    Args:
        model_id: An embedder of `kith models list` that is here.

    Raises:
        WeightsError: It is not here, cannot be read, or was imported as ONNX.
    """
    spec = find_embedder(model_id)
    if spec.weights.network == ONNX:
        raise UnsupportedFile(f"{model_id} was imported as a compiled network; it has no Keras form")
    return load_keras(spec.weights)


def load_keras(spec: WeightsSpec) -> "keras.Model":
    """The Keras model of a weights file, with its weights.

    Raises:
        WeightsError: The file is missing, is not the published one, or does not fit the network.
    """
    return build(spec.network, read_arrays(spec), spec.embedding_size, spec.input_size)


def read_arrays(spec: WeightsSpec) -> dict[str, np.ndarray]:
    """The variables of a weights file by their names.

    Raises:
        WeightsError: The file is missing, is not the published one, or cannot be read.
    """
    from kith.weights.registry import READERS  # here: a compiled model needs none

    return READERS[spec.reader](read_weights(spec))


def build(
    network: str,
    arrays: Mapping[str, np.ndarray],
    embedding_size: int | None = None,
    input_size: int | None = None,
) -> "keras.Model":
    """The Keras model of a network with these variables.

    Args:
        network: The function in `kith.networks`.
        arrays: The variables by their names.
        embedding_size: For a network that has more than one.
        input_size: Side of its input, if not the network's own.

    Raises:
        UnsupportedFile: The variables do not fit the network.
    """
    from kith import networks

    wanted = {"embedding_size": embedding_size, "crop_size": input_size}
    sizes = {name: size for name, size in wanted.items() if size is not None}
    model: keras.Model = getattr(networks, network)(initializer="zeros", **sizes)
    assign(model, arrays)
    return model


def assign(model: "keras.Model", arrays: Mapping[str, np.ndarray]) -> None:
    """Put arrays into a model's variables by name; every variable and every array must find its own.

    Raises:
        UnsupportedFile: A name is missing or left over, or a shape differs.
    """
    # not model.variables: those include the state of dropout's random numbers
    variables = {variable.path: variable for variable in model.weights}
    require_shapes(model.name, {name: tuple(variable.shape) for name, variable in variables.items()}, arrays)
    for name, variable in variables.items():
        variable.assign(arrays[name])
