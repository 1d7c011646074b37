"""TensorFlow's checkpoints (`.index` and `.data-00000-of-00001`), read without TensorFlow.

The index is a sorted table of messages: under the empty key a BundleHeaderProto, under each
variable's name a BundleEntryProto with its type, its shape, and where its bytes lie in which of the
data files.

Format: tensorflow/core/protobuf/tensor_bundle.proto of https://github.com/tensorflow/tensorflow
"""

import math
from collections.abc import Sequence

import numpy as np

from kith.errors import UnsupportedFile
from kith.weights.readers.protobuf import message, number, read_fields
from kith.weights.readers.sorted_table import read_sorted_table
from kith.weights.readers.tensorflow_types import DTYPES, read_shape

_KIND = "TensorFlow checkpoint"


def read_tensorflow_checkpoint(index: bytes, shards: Sequence[bytes]) -> dict[str, np.ndarray]:
    """Read the variables of a checkpoint.

    Args:
        index: The content of the `.index` file.
        shards: The contents of the `.data-*` files, in order.

    Returns:
        The variables by their names; read-only views of the content. Those that are neither floats
        nor integers, or are spread over several entries, are left out.

    Raises:
        UnsupportedFile: The content is damaged, or the files do not belong together.
    """
    arrays: dict[str, np.ndarray] = {}
    try:
        for key, value in read_sorted_table(index):
            if not key:
                _check_header(value, len(shards))
            elif (array := _variable(value, shards)) is not None:
                arrays[key.decode()] = array
    except ValueError:
        raise UnsupportedFile(
            f"{_KIND}: damaged, cut off, or index and data do not belong together"
        ) from None
    if sum(array.nbytes for array in arrays.values()) > sum(map(len, shards)):
        raise UnsupportedFile(f"{_KIND}: its variables are larger than the files")
    return arrays


def _check_header(data: memoryview, shards: int) -> None:
    header = dict(read_fields(data))
    if number(header.get(2, 0)):
        raise UnsupportedFile(f"{_KIND}: it was written on a big-endian machine, which is not supported")
    if number(header.get(1, 0)) != shards:
        raise UnsupportedFile(
            f"{_KIND}: it has {number(header.get(1, 0))} data files, of which {shards} are here"
        )


def _variable(data: memoryview, shards: Sequence[bytes]) -> np.ndarray | None:
    entry = dict(read_fields(data))
    dtype = DTYPES.get(number(entry.get(1, 0)))
    if dtype is None or 7 in entry:
        return None
    shape = read_shape(message(entry.get(2, memoryview(b""))))
    shard, offset, size = (number(entry.get(field, 0)) for field in (3, 4, 5))
    if (
        size != math.prod(shape) * dtype.itemsize
        or shard >= len(shards)
        or offset + size > len(shards[shard])
    ):
        raise ValueError("bytes beyond the data")
    return np.frombuffer(shards[shard], dtype, math.prod(shape), offset).reshape(shape)
