"""Tensors as PyTorch and Torch7 keep them: a window on a flat storage."""

import math
from collections.abc import Sequence

import numpy as np

_MAX_AXES = 8


def strided_view(
    storage: np.ndarray, offset: int, shape: Sequence[int], strides: Sequence[int]
) -> np.ndarray:
    """The tensor as a read-only view of its storage.

    Args:
        storage: (n,)
        offset: Where in the storage the tensor's first element is.
        shape: The tensor's.
        strides: For each axis, how many elements of the storage lie from one to the next.

    Raises:
        ValueError: The numbers make no tensor, or it is empty or reaches beyond the storage.
    """
    numbers = [offset, *shape, *strides]
    if not all(isinstance(number, int) and number >= 0 for number in numbers) or len(shape) > _MAX_AXES:
        raise ValueError("no numbers of a tensor")
    last = offset + sum((length - 1) * stride for length, stride in zip(shape, strides, strict=True))
    if not 0 < math.prod(shape) <= len(storage) or last >= len(storage):
        raise ValueError("empty, or beyond the storage")
    steps = [
        stride * storage.itemsize if length > 1 else 0  # of an axis of one it may be any number
        for length, stride in zip(shape, strides, strict=True)
    ]
    return np.lib.stride_tricks.as_strided(storage[offset:], shape, steps, writeable=False)
