"""joblib files that hold a list of arrays, read without unpickling.

Such a file is a pickle in which each array is announced by a `NumpyArrayWrapper` (its shape, order
and type) and followed by its raw bytes.

Format: https://github.com/joblib/joblib/blob/main/joblib/numpy_pickle.py
"""

import io
import math
from typing import Any

import numpy as np

from kith.errors import UnsupportedFile
from kith.weights.pickle_machine import Call, PickleMachine

_KIND = "joblib file"
_WRAPPER = "NumpyArrayWrapper"
_MAX_AXES = 8
_NAMES = {("joblib.numpy_pickle", _WRAPPER), ("numpy", "ndarray"), ("numpy", "dtype")}
_TYPES: dict[str, np.dtype[Any]] = {
    "f4": np.dtype("<f4"),
    "f8": np.dtype("<f8"),
    "i4": np.dtype("<i4"),
    "i8": np.dtype("<i8"),
}


def read_joblib_arrays(data: bytes) -> list[np.ndarray]:
    """Read the arrays of a joblib file that holds one list of them.

    Args:
        data: The file's content, decompressed.

    Raises:
        UnsupportedFile: The content is damaged, or holds anything but a list of arrays.
    """
    result = _Machine(data).run()
    if not isinstance(result, list) or not all(isinstance(item, np.ndarray) for item in result):
        raise UnsupportedFile(f"{_KIND}: it does not hold a list of arrays")
    return result


class _Machine(PickleMachine):
    """Takes the raw bytes that stand between a pickle's instructions."""

    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data), _KIND, _NAMES)
        self.size = len(data)

    def built(self, call: Call) -> None:
        if call.name.name == _WRAPPER:  # the state of a dtype is byte order and alignment: see _TYPES
            call.value = self._array(call.state)

    def _array(self, state: dict[str, Any]) -> np.ndarray:
        """The raw bytes that follow the announcement."""
        (code, *_) = state["dtype"].arguments
        if not isinstance(code, str) or code not in _TYPES:
            raise UnsupportedFile(f"{_KIND}: an array is of a type other than {', '.join(_TYPES)}")
        dtype = _TYPES[code]
        if len(state["shape"]) > _MAX_AXES:
            raise UnsupportedFile(f"{_KIND}: an array has more than {_MAX_AXES} axes")
        shape = tuple(int(length) for length in state["shape"])
        size = math.prod(shape) * dtype.itemsize
        if state.get("numpy_array_alignment_bytes") is not None:
            self.file.seek(self.file.read(1)[0], io.SEEK_CUR)
        room = self.size - self.file.tell()
        if min(shape, default=1) < 0 or not 0 <= size <= room:
            raise UnsupportedFile(f"{_KIND}: cut off inside an array")
        values = np.frombuffer(self.file.read(size), dtype)
        return np.array(values.reshape(shape, order=state["order"]))
