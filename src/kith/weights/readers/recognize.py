"""Which format a weights file has and which network it holds, told from its content.

The format shows in the first bytes, the network in the variables' names and shapes. A file's own
name says nothing, except that the files of a TensorFlow checkpoint are found by theirs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np

from kith.errors import UnsupportedFile
from kith.weights.readers.keras_h5 import read_keras_h5
from kith.weights.readers.names_inception_resnet_v1 import (
    inception_resnet_v1_from_keras,
    inception_resnet_v1_from_pytorch,
    inception_resnet_v1_from_tensorflow,
)
from kith.weights.readers.names_nn4_small2 import (
    nn4_small2_from_keras,
    nn4_small2_from_layers,
    nn4_small2_from_pytorch,
)
from kith.weights.readers.pytorch import is_pytorch, read_pytorch
from kith.weights.readers.quoting import quoted
from kith.weights.readers.safetensors import read_safetensors
from kith.weights.readers.sorted_table import is_sorted_table
from kith.weights.readers.tensorflow_files import is_checkpoint, read_checkpoint_files, read_tensorflow_zip
from kith.weights.readers.tensorflow_graph import read_tensorflow_graph
from kith.weights.readers.torch7 import read_torch7_layers

Arrays = dict[str, np.ndarray]


class Format(StrEnum):
    """The kinds of files that hold a FaceNet's weights."""

    SAFETENSORS = "safetensors"
    KERAS_H5 = "Keras HDF5"
    PYTORCH = "PyTorch state dict"
    TENSORFLOW_CHECKPOINT = "TensorFlow checkpoint"
    TENSORFLOW_GRAPH = "TensorFlow frozen graph"
    TENSORFLOW_ZIP = "zip archive of a TensorFlow model"
    TORCH7 = "Torch7"


@dataclass(frozen=True)
class Recognized:
    """A file that was read.

    Attributes:
        format: Of the file.
        network: The function in `kith.networks` that builds its network.
        embedding_size: Length of the network's output.
        arrays: The network's variables by their names in Keras.
    """

    format: Format
    network: str
    embedding_size: int
    arrays: Arrays


@dataclass(frozen=True)
class _Origin:
    """How a network's variables look in a family of formats."""

    network: str
    mark: str
    rename: Callable[[Mapping[str, np.ndarray]], Arrays]


_INCEPTION_RESNET_V1, _NN4_SMALL2 = "inception_resnet_v1", "nn4_small2"
_KERAS = (
    _Origin(_INCEPTION_RESNET_V1, "Bottleneck/kernel", inception_resnet_v1_from_keras),
    _Origin(_NN4_SMALL2, "inception_3a_3x3_conv1/kernel", nn4_small2_from_keras),
)
_PYTORCH = (
    _Origin(_INCEPTION_RESNET_V1, "last_linear.weight", inception_resnet_v1_from_pytorch),
    _Origin(_NN4_SMALL2, "layer25.weight", nn4_small2_from_pytorch),  # OpenFacePytorch
    _Origin(_NN4_SMALL2, "incept3a.branches.0.0.weight", nn4_small2_from_pytorch),  # cmusatyalab
    _Origin(_NN4_SMALL2, "inception_3a.branch_3x3.0.conv.weight", nn4_small2_from_pytorch),  # deepface
)
_TENSORFLOW = (
    _Origin(
        _INCEPTION_RESNET_V1, "InceptionResnetV1/Bottleneck/weights", inception_resnet_v1_from_tensorflow
    ),
)
_OWN = (  # as `kith models convert --to safetensors` writes them
    _Origin(_INCEPTION_RESNET_V1, "bottleneck/kernel", dict),
    _Origin(_NN4_SMALL2, "inception_3a_3x3_reduce/kernel", dict),
)
_LAST_KERNEL = {_INCEPTION_RESNET_V1: "bottleneck/kernel", _NN4_SMALL2: "embedding/kernel"}


def recognize_file(path: Path) -> Recognized:
    """Read a file, or the files of a TensorFlow checkpoint given one of them or their folder.

    Raises:
        UnsupportedFile: It is damaged or of a kind Kith does not read.
        OSError: It cannot be read.
    """
    if is_checkpoint(path):
        return _named(Format.TENSORFLOW_CHECKPOINT, read_checkpoint_files(path), _TENSORFLOW)
    return recognize(path.read_bytes())


def recognize(data: bytes) -> Recognized:
    """Read the content of one file.

    Raises:
        UnsupportedFile: It is damaged or of a kind Kith does not read.
    """
    if data[8:9] == b"{":
        return _named(Format.SAFETENSORS, read_safetensors(data), _OWN)
    if data.startswith(b"\x89HDF\r\n\x1a\n"):
        return _named(Format.KERAS_H5, read_keras_h5(data), _KERAS)
    if is_pytorch(data):
        return _named(Format.PYTORCH, read_pytorch(data), _PYTORCH)
    if data.startswith(b"PK"):
        return _named(Format.TENSORFLOW_ZIP, read_tensorflow_zip(data), _TENSORFLOW)
    if data.startswith(b"\x04\0\0\0"):
        return _recognized(Format.TORCH7, _NN4_SMALL2, nn4_small2_from_layers(read_torch7_layers(data)))
    if is_sorted_table(data):
        raise UnsupportedFile("the index of a TensorFlow checkpoint: its .data-* file must lie beside it")
    if data.startswith(b"\n"):
        return _named(Format.TENSORFLOW_GRAPH, read_tensorflow_graph(data), _TENSORFLOW)
    raise UnsupportedFile(f"no weights file of a known format: {', '.join(Format)}")


def read_recognized(data: bytes) -> Arrays:
    """Read the content of one file: the variables of whichever network it holds.

    Raises:
        UnsupportedFile: It is damaged or of a kind Kith does not read.
    """
    return recognize(data).arrays


def _named(kind: Format, arrays: Arrays, origins: tuple[_Origin, ...]) -> Recognized:
    for origin in origins:
        if origin.mark in arrays:
            return _recognized(kind, origin.network, origin.rename(arrays))
    example = quoted(next(iter(arrays), "none"))
    raise UnsupportedFile(f"{kind}: its variables (such as {example}) are of no network Kith knows")


def _recognized(kind: Format, network: str, arrays: Arrays) -> Recognized:
    return Recognized(kind, network, arrays[_LAST_KERNEL[network]].shape[-1], arrays)
