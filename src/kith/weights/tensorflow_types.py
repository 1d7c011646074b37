"""What TensorFlow's checkpoints and graphs have in common: types and shapes of tensors.

Format: tensorflow/core/framework/types.proto and tensor_shape.proto of
https://github.com/tensorflow/tensorflow.
"""

import math
from typing import Any

import ml_dtypes
import numpy as np

from kith.weights.protobuf import FieldReader, message, number

MAX_AXES = 8

DTYPES: dict[int, np.dtype[Any]] = {
    1: np.dtype("<f4"),
    2: np.dtype("<f8"),
    3: np.dtype("<i4"),
    9: np.dtype("<i8"),
    14: np.dtype(ml_dtypes.bfloat16),
    19: np.dtype("<f2"),
}


def read_shape(data: memoryview, reader: FieldReader) -> tuple[int, ...]:
    """A TensorShapeProto.

    Raises:
        ValueError: It is damaged, or a length is unknown or negative.
    """
    lengths: list[int] = []
    for field, value in reader.fields(data):
        if field == 3 or (field == 2 and len(lengths) == MAX_AXES):
            raise ValueError("a shape that is unknown or has too many axes")
        if field == 2:
            dim = dict(reader.fields(message(value)))
            lengths.append(number(dim.get(1, 0)))
    if math.prod(lengths) >= 2**40:
        raise ValueError("a shape that is negative or absurdly large")
    return tuple(lengths)
