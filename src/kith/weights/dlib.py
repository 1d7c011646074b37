"""dlib's serialization of its face recognition ResNet-29.

The format, from dlib/serialize.h and dlib/dnn: an integer is one byte that holds the count of the
bytes that follow (low four bits) and the sign (0x80), then those bytes, little-endian; a tensor is
the integers 2, samples, channels, rows, columns and then float32 values. Only what carries values
is read: the tensors, by the tags of the layers in front of them.
"""

import math

import numpy as np

from kith.errors import UnsupportedFile

_LAYERS = 29  # convolutions, each followed by an affine layer
_EMBEDDING = (256, 128)
_BLOCKS = 14
_AFFINE_EPSILON = 1e-5  # of the BatchNormalization layers that take the affine layers' place


def read_dlib_resnet29(data: bytes) -> dict[str, np.ndarray]:
    """Read `dlib_face_recognition_resnet_model_v1.dat`.

    Args:
        data: The file's content.

    Returns:
        The variables of `kith.networks.resnet29`, in Keras's layout.

    Raises:
        UnsupportedFile: The content is damaged or is another kind of file.
    """
    convolutions = _tensors_behind(data, "con_4")
    affines = _tensors_behind(data, "affine_")
    dense = _tensors_behind(data, "fc_2", integers=2)
    if len(convolutions) != _LAYERS or len(affines) != _LAYERS or len(dense) != 1:
        raise UnsupportedFile(
            "not dlib's face recognition ResNet-29: it has "
            f"{len(convolutions)} convolutions, {len(affines)} affine and {len(dense)} dense layers "
            f"instead of {_LAYERS}, {_LAYERS} and 1"
        )
    names = ["stem"] + [f"block{block}_{half}" for block in range(1, _BLOCKS + 1) for half in (1, 2)]
    arrays: dict[str, np.ndarray] = {}
    channels = 3
    for name, convolution, affine in zip(names, convolutions, affines, strict=True):
        filters = affine.size // 2
        arrays |= _convolution(name, convolution, channels, filters)
        arrays |= _affine(name, affine, filters)
        channels = filters
    if dense[0].size != math.prod(_EMBEDDING):
        raise UnsupportedFile(f"dlib file: the dense layer has {dense[0].size} values, not 256 x 128")
    arrays["embedding/kernel"] = dense[0].reshape(_EMBEDDING)
    return arrays


def _tensors_behind(data: bytes, tag: str, integers: int = 0) -> list[np.ndarray]:
    """The tensor behind each layer of this kind, flat, in the order of the file: input first.

    Args:
        data: The file's content.
        tag: The layer's tag.
        integers: How many integers stand between the tag and the tensor.
    """
    mark = b"\x01" + bytes([len(tag)]) + tag.encode()  # a string is its length and its bytes
    tensors: list[np.ndarray] = []
    start = data.find(mark)
    while start >= 0 and len(tensors) <= _LAYERS:  # one more than there may be tells enough
        values, end = _tensor(data, start + len(mark), integers)
        tensors.append(values)
        start = data.find(mark, end)
    return tensors


def _tensor(data: bytes, at: int, integers: int) -> tuple[np.ndarray, int]:
    for _ in range(integers):
        _, at = _integer(data, at)
    version, at = _integer(data, at)
    size = 1
    for _ in range(4):
        length, at = _integer(data, at)
        size *= length
    if version != 2 or not 0 <= size <= (len(data) - at) // 4:
        raise UnsupportedFile("dlib file: damaged or cut off")
    end = at + 4 * size
    return np.frombuffer(data[at:end], "<f4").astype(np.float32), end


def _integer(data: bytes, at: int) -> tuple[int, int]:
    if at >= len(data):
        raise UnsupportedFile("dlib file: cut off")
    length = data[at] & 0x0F
    end = at + 1 + length
    if not 1 <= length <= 8 or end > len(data):
        raise UnsupportedFile("dlib file: damaged or cut off")
    value = int.from_bytes(data[at + 1 : end], "little")
    return (-value if data[at] & 0x80 else value), end


def _convolution(name: str, values: np.ndarray, channels: int, filters: int) -> dict[str, np.ndarray]:
    weights, bias = values[: values.size - filters], values[values.size - filters :]
    side = math.isqrt(max(weights.size // (channels * filters), 0))
    if side * side * channels * filters != weights.size or side not in (3, 7):
        raise UnsupportedFile(f"dlib file: layer {name} has {values.size} values, which is no convolution")
    kernel = weights.reshape(filters, channels, side, side)
    return {f"{name}_conv/kernel": kernel.transpose(2, 3, 1, 0), f"{name}_conv/bias": bias}


def _affine(name: str, values: np.ndarray, filters: int) -> dict[str, np.ndarray]:
    one = np.full(filters, 1 - _AFFINE_EPSILON, np.float32)  # epsilon is added to it before the root
    return {
        f"{name}_norm/gamma": values[:filters],
        f"{name}_norm/beta": values[filters:],
        f"{name}_norm/moving_mean": np.zeros(filters, np.float32),
        f"{name}_norm/moving_variance": one,
    }
