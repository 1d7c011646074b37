"""TensorFlow's frozen graphs (`.pb`): the constants of a GraphDef, read without TensorFlow.

A frozen graph holds each variable as a node of kind Const with the variable's name, and its values
as a TensorProto: raw bytes, or a list of floats whose last one repeats.

Format: tensorflow/core/framework/graph.proto, node_def.proto, attr_value.proto and tensor.proto of
https://github.com/tensorflow/tensorflow
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from kith.errors import UnsupportedFile
from kith.weights.protobuf import FieldReader, Value, message, number
from kith.weights.tensorflow_types import DTYPES, read_shape

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
    reader = FieldReader()
    try:
        for field, value in reader.fields(memoryview(data)):
            constant = _constant(message(value), reader) if field == 1 else None
            if constant is None:
                continue
            size += constant.size
            if size > len(data):
                raise UnsupportedFile(f"{_KIND}: its constants are larger than the file")
            if (array := _array(constant)) is not None:
                arrays[constant.name] = array
    except ValueError as error:
        raise UnsupportedFile(f"{_KIND}: damaged, cut off, or no frozen graph ({error})") from None
    if not arrays:
        raise UnsupportedFile(f"{_KIND}: it holds no constants; it is not frozen")
    return arrays


@dataclass(frozen=True, slots=True)
class _Constant:
    """A Const node whose values are numbers."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    tensor: dict[int, list[Value]]

    @property
    def size(self) -> int:
        """In bytes."""
        return math.prod(self.shape) * self.dtype.itemsize


def _constant(node: memoryview, reader: FieldReader) -> _Constant | None:
    fields = _grouped(node, reader)
    if bytes(_last_bytes(fields, 2)) != b"Const":
        return None
    for entry in fields.get(5, []):
        attribute = _grouped(message(entry), reader)
        if bytes(_last_bytes(attribute, 1)) == b"value":
            value = _grouped(_last_bytes(attribute, 2), reader)
            tensor = _grouped(_last_bytes(value, 8), reader)
            dtype = DTYPES.get(number(tensor.get(1, [0])[-1]))
            if dtype is not None:
                name = bytes(_last_bytes(fields, 1)).decode()
                return _Constant(name, dtype, read_shape(_last_bytes(tensor, 2), reader), tensor)
    return None


def _array(constant: _Constant) -> np.ndarray | None:
    tensor, places = constant.tensor, math.prod(constant.shape)
    if 4 in tensor:
        return np.frombuffer(_last_bytes(tensor, 4), constant.dtype, places).reshape(constant.shape)
    if constant.dtype != _FLOAT or 5 not in tensor:
        return None  # lists of other numbers: never a weight
    values = np.concatenate([np.frombuffer(message(value), _FLOAT) for value in tensor[5]])
    repeated = places - len(values)
    if repeated < 0 or not len(values):
        raise ValueError("more values than places")
    return np.pad(values, (0, repeated), "edge").reshape(constant.shape)


def _grouped(data: memoryview, reader: FieldReader) -> dict[int, list[Value]]:
    """A message's fields by their numbers; a field may stand several times."""
    fields: dict[int, list[Value]] = {}
    for field, value in reader.fields(data):
        fields.setdefault(field, []).append(value)
    return fields


def _last_bytes(fields: dict[int, list[Value]], field: int) -> memoryview:
    return message(fields[field][-1]) if field in fields else memoryview(b"")
