"""joblib files that hold a list of arrays, read without unpickling.

Such a file is a pickle in which each array is announced by a `NumpyArrayWrapper` (its shape,
order and type) and followed by its raw bytes. A pickle is a program; this module steps through its
instructions with a machine of its own that knows lists, tuples, dicts, strings, numbers and those
announcements, and refuses every other instruction and every other name. Nothing is imported or
called on a file's behalf.

Format: https://github.com/joblib/joblib/blob/main/joblib/numpy_pickle.py
"""

import io
import math
import pickletools
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kith.errors import UnsupportedFile

_MARK = object()
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_EMPTY: dict[str, type] = {"EMPTY_LIST": list, "EMPTY_TUPLE": tuple, "EMPTY_DICT": dict}
_NAMES = {
    ("joblib.numpy_pickle", "NumpyArrayWrapper"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
}
_TYPES = {"f4": np.dtype("<f4"), "f8": np.dtype("<f8"), "i4": np.dtype("<i4"), "i8": np.dtype("<i8")}


@dataclass
class _Name:
    """A class the file mentions; never looked up."""

    name: str


@dataclass
class _Announced:
    """What the file says of an object: its class, the arguments and the state."""

    name: str
    arguments: tuple[Any, ...]
    state: dict[str, Any] = field(default_factory=dict)


def read_joblib_arrays(data: bytes) -> list[np.ndarray]:
    """Read the arrays of a joblib file that holds one list of them.

    Args:
        data: The file's content, decompressed.

    Raises:
        UnsupportedFile: The content is damaged, or holds anything but a list of arrays.
    """
    try:
        result = _Machine(data).run()
    except (ValueError, IndexError, TypeError, AttributeError, KeyError, OverflowError) as error:
        raise UnsupportedFile(f"joblib file: damaged ({error})") from None
    if not isinstance(result, list) or not all(isinstance(item, np.ndarray) for item in result):
        raise UnsupportedFile("joblib file: it does not hold a list of arrays")
    return result


class _Machine:
    """Steps through a pickle's instructions; every value is data."""

    def __init__(self, data: bytes) -> None:
        self.size = len(data)
        self.file = io.BytesIO(data)
        self.stack: list[Any] = []
        self.memo: list[Any] = []

    def run(self) -> Any:
        for opcode, argument, _ in pickletools.genops(self.file):
            if opcode.name == "STOP":
                return self.stack.pop()
            self._step(opcode.name, argument)
        raise UnsupportedFile("joblib file: cut off")

    def _step(self, name: str, argument: Any) -> None:
        stack = self.stack
        if name in ("PROTO", "FRAME"):
            return
        if name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name in _EMPTY:
            stack.append(_EMPTY[name]())
        elif name in ("SHORT_BINUNICODE", "BINUNICODE", "BININT", "BININT1", "BININT2", "LONG1"):
            stack.append(argument)
        elif name == "MARK":
            stack.append(_MARK)
        elif name == "MEMOIZE":
            self.memo.append(stack[-1])
        elif name in ("BINGET", "LONG_BINGET"):
            stack.append(self.memo[argument])
        elif name in ("TUPLE1", "TUPLE2", "TUPLE3"):
            self._push_tuple(int(name[-1]))
        elif name == "TUPLE":
            stack.append(tuple(self._pop_to_mark()))
        elif name == "APPEND":
            item = stack.pop()
            stack[-1].append(item)
        elif name == "APPENDS":
            items = self._pop_to_mark()
            stack[-1].extend(items)
        elif name == "SETITEMS":
            items = self._pop_to_mark()
            stack[-1].update(zip(items[::2], items[1::2], strict=True))
        elif name == "STACK_GLOBAL":
            self._push_name()
        elif name in ("NEWOBJ", "REDUCE"):
            arguments, callee = stack.pop(), stack.pop()
            stack.append(_Announced(callee.name, arguments))
        elif name == "BUILD":
            self._build()
        else:
            raise UnsupportedFile(f"joblib file: instruction {name} has no place in a list of arrays")

    def _push_tuple(self, length: int) -> None:
        items = tuple(self.stack[-length:])
        del self.stack[-length:]
        self.stack.append(items)

    def _pop_to_mark(self) -> list[Any]:
        at = max(index for index, item in enumerate(self.stack) if item is _MARK)
        items = self.stack[at + 1 :]
        del self.stack[at:]
        return items

    def _push_name(self) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        if (module, name) not in _NAMES:
            raise UnsupportedFile(
                f"joblib file: it names {module}.{name}, which has no place in a list of arrays"
            )
        self.stack.append(_Name(name))

    def _build(self) -> None:
        state = self.stack.pop()
        announced = self.stack[-1]
        if announced.name != "NumpyArrayWrapper":
            return  # the state of a dtype: byte order and alignment, fixed by _TYPES
        announced.state = state
        self.stack[-1] = self._array(state)
        # joblib overwrites the announcement, also where it was memoized
        self.memo = [self.stack[-1] if item is announced else item for item in self.memo]

    def _array(self, state: dict[str, Any]) -> np.ndarray:
        """The raw bytes that follow the announcement."""
        dtype = _TYPES[state["dtype"].arguments[0]]
        shape = tuple(int(length) for length in state["shape"])
        size = math.prod(shape) * dtype.itemsize
        if state.get("numpy_array_alignment_bytes") is not None:
            self.file.seek(self.file.read(1)[0], io.SEEK_CUR)
        if min(shape, default=1) < 0 or not 0 <= size <= self.size - self.file.tell():
            raise UnsupportedFile(f"joblib file: cut off inside an array of shape {shape}")
        return np.frombuffer(self.file.read(size), dtype).reshape(shape, order=state["order"]).copy()
