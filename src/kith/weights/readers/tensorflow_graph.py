"""TensorFlow's frozen graphs (`.pb`): the constants of a GraphDef, read without TensorFlow.

A frozen graph holds each variable as a node of kind Const with the variable's name, and its values
as a TensorProto: raw bytes, or a list of floats whose last one repeats.

Format: tensorflow/core/framework/graph.proto, node_def.proto, attr_value.proto and tensor.proto of
https://github.com/tensorflow/tensorflow
"""

import math

import numpy as np

from kith.errors import UnsupportedFile
from kith.weights.readers.protobuf import Value, message, number, read_fields
from kith.weights.readers.tensorflow_types import DTYPES, read_shape

_KIND = "TensorFlow graph"
_FLOAT = np.dtype("<f4")


def read_tensorflow_graph(data: bytes) -> dict[str, np.ndarray]:
    """Read the constants of a frozen graph.

    Args:
        data: The file's content.

    Returns:
        The constants of floats by their nodes' names; read-only views of the content where possible.

    Raises:
        UnsupportedFile: The content is damaged or is another kind of file.
    """
    arrays: dict[str, np.ndarray] = {}
    size = 0
    try:
        for field, value in read_fields(memoryview(data)):
            constant = _constant(message(value)) if field == 1 else None
            if constant is None:
                continue
            name, tensor = constant
            size += _size(tensor)
            if size > len(data):
                raise UnsupportedFile(f"{_KIND}: its constants are larger than the file")
            if (array := _array(tensor)) is not None:
                arrays[name] = array
    except ValueError:
        raise UnsupportedFile(f"{_KIND}: damaged, cut off, or no frozen graph") from None
    if not arrays:
        raise UnsupportedFile(f"{_KIND}: it holds no constants; it is not frozen")
    return arrays


def _constant(node: memoryview) -> tuple[str, dict[int, list[Value]]] | None:
    """A Const node's name and tensor, if its values are floats."""
    fields = _grouped(node)
    if bytes(_last_bytes(fields, 2)) != b"Const":
        return None
    for entry in fields.get(5, []):
        attribute = _grouped(message(entry))
        if bytes(_last_bytes(attribute, 1)) == b"value":
            value = _grouped(_last_bytes(attribute, 2))
            tensor = _grouped(_last_bytes(value, 8))
            if number(tensor.get(1, [0])[-1]) in DTYPES:
                return bytes(_last_bytes(fields, 1)).decode(), tensor
    return None


def _array(tensor: dict[int, list[Value]]) -> np.ndarray | None:
    dtype = DTYPES[number(tensor[1][-1])]
    shape = read_shape(_last_bytes(tensor, 2))
    if 4 in tensor:
        return np.frombuffer(_last_bytes(tensor, 4), dtype, math.prod(shape)).reshape(shape)
    if dtype != _FLOAT or 5 not in tensor:
        return None  # lists of other numbers: never a weight
    values = np.concatenate([np.frombuffer(message(value), _FLOAT) for value in tensor[5]])
    repeated = math.prod(shape) - len(values)
    if repeated < 0 or not len(values):
        raise ValueError("more values than places")
    return np.pad(values, (0, repeated), "edge").reshape(shape)


def _size(tensor: dict[int, list[Value]]) -> int:
    shape = read_shape(_last_bytes(tensor, 2))
    return math.prod(shape) * DTYPES[number(tensor[1][-1])].itemsize


def _grouped(data: memoryview) -> dict[int, list[Value]]:
    """A message's fields by their numbers; a field may stand several times."""
    fields: dict[int, list[Value]] = {}
    for field, value in read_fields(data):
        fields.setdefault(field, []).append(value)
    return fields


def _last_bytes(fields: dict[int, list[Value]], field: int) -> memoryview:
    return message(fields[field][-1]) if field in fields else memoryview(b"")
