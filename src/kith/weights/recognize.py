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
from kith.weights.keras_archive import is_keras_archive, read_keras_archive
from kith.weights.keras_h5 import read_keras_h5
from kith.weights.limits import MOST_ARRAY_BYTES
from kith.weights.mxnet import START as MXNET_START
from kith.weights.mxnet import read_mxnet
from kith.weights.names_inception_resnet_v1 import (
    inception_resnet_v1_from_keras,
    inception_resnet_v1_from_pytorch,
    inception_resnet_v1_from_tensorflow,
    is_inception_resnet_v1_in_tensorflow,
)
from kith.weights.names_mobilefacenet import mobilefacenet_from_mxnet
from kith.weights.names_nn4_small2 import (
    nn4_small2_from_keras,
    nn4_small2_from_layers,
    nn4_small2_from_pytorch,
)
from kith.weights.pytorch import is_pytorch, is_pytorch_zip, read_pytorch
from kith.weights.quoting import quoted
from kith.weights.regular_file import read_regular
from kith.weights.safetensors import read_safetensors
from kith.weights.sorted_table import is_sorted_table
from kith.weights.tensorflow_files import find_checkpoint, read_checkpoint_files, read_tensorflow_zip
from kith.weights.tensorflow_graph import read_tensorflow_graph
from kith.weights.torch7 import read_torch7_layers
from kith.weights.zip_archive import open_zip

Arrays = dict[str, np.ndarray]


class Format(StrEnum):
    """The kinds of files that hold an embedder's weights."""

    SAFETENSORS = "safetensors"
    KERAS_H5 = "Keras HDF5"
    KERAS_ARCHIVE = "Keras 3 archive (.keras)"
    PYTORCH = "PyTorch state dict"
    TENSORFLOW_CHECKPOINT = "TensorFlow checkpoint"
    TENSORFLOW_GRAPH = "TensorFlow frozen graph"
    TENSORFLOW_ZIP = "zip archive of a TensorFlow model"
    TORCH7 = "Torch7"
    MXNET = "MXNet"


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


_INCEPTION_RESNET_V1, _NN4_SMALL2, _MOBILEFACENET = "inception_resnet_v1", "nn4_small2", "mobilefacenet"
_OWN = (  # as `kith models convert` writes them
    _Origin(_INCEPTION_RESNET_V1, "bottleneck/kernel", dict),
    _Origin(_NN4_SMALL2, "inception_3a_3x3_reduce/kernel", dict),
    _Origin(_MOBILEFACENET, "stem_depthwise/kernel", dict),
)
_KERAS = (
    _Origin(_INCEPTION_RESNET_V1, "Bottleneck/kernel", inception_resnet_v1_from_keras),
    _Origin(_NN4_SMALL2, "inception_3a_3x3_conv1/kernel", nn4_small2_from_keras),
    *_OWN,
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
_MXNET = (_Origin(_MOBILEFACENET, "conv_6dw7_7_conv2d_weight", mobilefacenet_from_mxnet),)
_LAST_KERNEL = {
    _INCEPTION_RESNET_V1: "bottleneck/kernel",
    _NN4_SMALL2: "embedding/kernel",
    _MOBILEFACENET: "embedding/kernel",
}
_READABLE = f"Kith reads {', '.join(Format)}"


def recognize_file(path: Path) -> Recognized:
    """Read a file, or the files of a TensorFlow checkpoint given one of them, their prefix or their folder.

    Raises:
        UnsupportedFile: It is damaged or of a kind Kith does not read.
        OSError: It cannot be read.
    """
    checkpoint = find_checkpoint(path)
    if checkpoint is not None:
        arrays = read_checkpoint_files(checkpoint, is_inception_resnet_v1_in_tensorflow)
        return _named(Format.TENSORFLOW_CHECKPOINT, arrays, _TENSORFLOW)
    if path.is_dir():
        raise UnsupportedFile(f"{path} is a folder without a TensorFlow checkpoint; give a file. {_READABLE}")
    return recognize(read_regular(path))


def recognize(data: bytes) -> Recognized:
    """Read the content of one file.

    Raises:
        UnsupportedFile: It is damaged or of a kind Kith does not read.
    """
    if data[8:9] == b"{":
        return _named(Format.SAFETENSORS, read_safetensors(data), _OWN)
    if data.startswith(b"\x89HDF\r\n\x1a\n"):
        return _named(Format.KERAS_H5, read_keras_h5(data), _KERAS)
    if data.startswith(b"PK"):
        return _recognize_zip(data)
    if is_pytorch(data):
        return _named_in_pytorch(read_pytorch(data))
    if data.startswith(b"\x04\0\0\0"):
        return _recognized(Format.TORCH7, _NN4_SMALL2, nn4_small2_from_layers(read_torch7_layers(data)))
    if data.startswith(MXNET_START):
        return _named(Format.MXNET, read_mxnet(data), _MXNET)
    if is_sorted_table(data):
        raise UnsupportedFile("the index of a TensorFlow checkpoint: its .data-* file must lie beside it")
    if data.startswith(b"\x08\x01\x12"):
        raise UnsupportedFile(
            "the program of a TensorFlow SavedModel, which is not run; its weights are in the folder "
            "variables/ beside it: give variables/variables.index"
        )
    if data.startswith(b"\x08"):
        raise UnsupportedFile(f"perhaps an ONNX network, which is imported as it is, not read; {_READABLE}")
    if data.startswith(b"\n"):
        return _named(Format.TENSORFLOW_GRAPH, read_tensorflow_graph(data), _TENSORFLOW)
    raise UnsupportedFile(f"no weights file of a known format; {_READABLE}")


def read_recognized(data: bytes) -> Arrays:
    """Read the content of one file: the variables of whichever network it holds.

    Raises:
        UnsupportedFile: It is damaged or of a kind Kith does not read.
    """
    return recognize(data).arrays


def _recognize_zip(data: bytes) -> Recognized:
    with open_zip(data) as archive:
        members = archive.namelist()
    if is_keras_archive(members):
        return _named(Format.KERAS_ARCHIVE, read_keras_archive(data), _KERAS)
    if is_pytorch_zip(members):
        return _named_in_pytorch(read_pytorch(data))
    arrays = read_tensorflow_zip(data, is_inception_resnet_v1_in_tensorflow)
    return _named(Format.TENSORFLOW_ZIP, arrays, _TENSORFLOW)


def _named_in_pytorch(arrays: Arrays) -> Recognized:
    """The network's variables, whatever it was a part of: `module.` and others stand in front of them."""
    for origin in _PYTORCH:
        marked = [name for name in arrays if f".{name}".endswith(f".{origin.mark}")]
        if len(marked) > 1:
            raise UnsupportedFile(
                f"{Format.PYTORCH}: it holds several networks "
                f"({quoted(marked[0])}, {quoted(marked[1])}); save one"
            )
        if marked:
            prefix = marked[0].removesuffix(origin.mark)
            arrays = {
                name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)
            }
    return _named(Format.PYTORCH, arrays, _PYTORCH)


def _named(kind: Format, arrays: Arrays, origins: tuple[_Origin, ...]) -> Recognized:
    for origin in origins:
        if origin.mark in arrays:
            return _recognized(kind, origin.network, origin.rename(arrays))
    example = quoted(next(iter(arrays), "none"))
    raise UnsupportedFile(f"{kind}: its variables (such as {example}) are of no network Kith knows")


def _recognized(kind: Format, network: str, arrays: Arrays) -> Recognized:
    last = arrays[_LAST_KERNEL[network]]
    if not last.ndim:
        raise UnsupportedFile(f"{kind}: the network's last kernel is a single number")
    if sum(4 * array.size for array in arrays.values()) > MOST_ARRAY_BYTES:
        raise UnsupportedFile(f"{kind}: its variables are larger than those of any network Kith knows")
    numbers = {name: array.astype(np.float32, copy=False) for name, array in arrays.items()}
    return Recognized(kind, network, last.shape[-1], numbers)
