"""MXNet's `.params` files: named arrays, nothing else.

All numbers are little-endian. A file is uint64 0x112, uint64 0, uint64 count and so many arrays, then
uint64 count and so many names: uint64 length and the bytes of `arg:NAME` (what was learned) or `aux:NAME`
(what was counted on the way, as the means of a normalization). An array is uint32 0xF993FAC9, int32 kind of
storage (0 is dense), uint32 axes and an int64 length of each, int32 device, int32 its number, int32 type,
and its values.

Format: https://github.com/apache/mxnet/blob/1.9.1/src/ndarray/ndarray.cc, NDArray::Save
"""

import math
import struct
from typing import Any

import numpy as np

from kith.errors import UnsupportedFile
from kith.weights.limits import MOST_VARIABLES
from kith.weights.quoting import quoted

START = struct.pack("<QQ", 0x112, 0)
"""How a file begins."""

_KIND = "MXNet file"
_ARRAY = 0xF993FAC9
_DENSE = 0
_MOST_AXES = 8
_LONGEST_NAME = 1000
_FLOATS: dict[int, np.dtype[Any]] = {0: np.dtype("<f4"), 1: np.dtype("<f8"), 2: np.dtype("<f2")}
_KINDS = ("arg:", "aux:")


def read_mxnet(data: bytes) -> dict[str, np.ndarray]:
    """Read arrays by name, without the kind in front of it.

    Args:
        data: The file's content.

    Returns:
        Read-only views of the content, float32, float64 or float16.

    Raises:
        UnsupportedFile: The content is damaged, or holds something else than dense arrays of floats.
    """
    reader = _Reader(data)
    if reader.take(len(START)) != START:
        raise UnsupportedFile(f"{_KIND}: damaged, or another kind of file")
    arrays = [reader.array() for _ in range(reader.count())]
    names = [reader.name() for _ in range(reader.count())]
    if len(set(names)) != len(arrays) or len(names) != len(arrays):
        raise UnsupportedFile(f"{_KIND}: it has {len(arrays)} arrays and {len(set(names))} names")
    return dict(zip(names, arrays, strict=True))


class _Reader:
    """Reads from the front of a file to its end; what is read is never more than the file holds."""

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._at = 0

    def array(self) -> np.ndarray:
        mark, storage, axes = self._numbers("<IiI")
        if mark != _ARRAY:
            raise UnsupportedFile(f"{_KIND}: damaged, or written by MXNet of before 2018")
        if storage != _DENSE or axes > _MOST_AXES:
            raise UnsupportedFile(f"{_KIND}: an array that is sparse, or of {axes} axes, is not read")
        shape = self._numbers(f"<{axes}q")
        _, _, kind = self._numbers("<3i")
        if kind not in _FLOATS:
            raise UnsupportedFile(f"{_KIND}: numbers of type {kind} are not read, only floats")
        if not axes or min(shape) < 1:
            raise UnsupportedFile(f"{_KIND}: damaged: an array of shape {shape}")
        values = self.take(math.prod(shape) * _FLOATS[kind].itemsize)
        return np.frombuffer(values, _FLOATS[kind]).reshape(shape)

    def name(self) -> str:
        (length,) = self._numbers("<Q")
        if length > _LONGEST_NAME:
            raise UnsupportedFile(f"{_KIND}: damaged: a name of {length:,} bytes")
        name = bytes(self.take(length)).decode("utf-8", "replace")
        if not name.startswith(_KINDS):
            raise UnsupportedFile(f"{_KIND}: {quoted(name)} is neither {' nor '.join(_KINDS)}...")
        return name[len(_KINDS[0]) :]

    def count(self) -> int:
        (count,) = self._numbers("<Q")
        if count > MOST_VARIABLES:
            raise UnsupportedFile(f"{_KIND}: more arrays than any network has")
        return int(count)

    def take(self, length: int) -> memoryview:
        if length > len(self._data) - self._at:
            raise UnsupportedFile(f"{_KIND}: damaged or cut off")
        self._at += length
        return self._data[self._at - length : self._at]

    def _numbers(self, layout: str) -> tuple[int, ...]:
        return struct.unpack(layout, self.take(struct.calcsize(layout)))
