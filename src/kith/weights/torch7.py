"""Torch7's binary files (`.t7`) with a network, read as layers of arrays.

An object is a type (int32) and its content. A number is a float64, a string an int32 length and
bytes, a boolean an int32. Tables, functions and Torch's objects have an index (int32) by which a
later mention refers to them. A table is its length and that many keys and values; an object is a
version ("V 1"), the class's name, and a table of its fields, except tensors (axes, sizes, strides,
offset from 1, storage) and storages (length, values). A function is its bytecode and the variables
it closes over: it is stepped over, never loaded.

Format: https://github.com/torch/torch7/blob/master/File.lua, doc/serialization.md
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kith.errors import UnsupportedFile
from kith.weights.quoting import quoted
from kith.weights.strided import strided_view

_KIND = "Torch7 file"
_NIL, _NUMBER, _STRING, _TABLE, _OBJECT, _BOOLEAN, _OLD_FUNCTION, *_FUNCTIONS = range(9)
_MAX_AXES = 8
_MAX_DEPTH = 100
_MOST_OBJECTS = 300_000  # OpenFace's network has a tenth of them
_MOST_MODULES = 10_000
_TYPES: dict[str, np.dtype[Any]] = {
    "Float": np.dtype("<f4"),
    "Double": np.dtype("<f8"),
    "Half": np.dtype("<f2"),
    "Long": np.dtype("<i8"),
    "Int": np.dtype("<i4"),
    "Short": np.dtype("<i2"),
    "Char": np.dtype("i1"),
    "Byte": np.dtype("u1"),
}
_WEIGHTS = ("weight", "bias", "running_mean", "running_var")
_INVERSE_ROOT = "running_std"  # before 2016 a normalization kept 1 / sqrt(variance + eps)


@dataclass
class Module:
    """An object of a network: its class, and its fields by their names."""

    kind: str
    fields: dict[Any, Any] = field(default_factory=dict)


def read_torch7_layers(data: bytes) -> list[dict[str, np.ndarray]]:
    """Read the layers of a network that have weights, in the order in which they are applied.

    Args:
        data: The file's content.

    Returns:
        For each layer its float32 arrays `weight`, `bias`, `running_mean`, `running_var`, as far as
        it has them; read-only views of the content where possible.

    Raises:
        UnsupportedFile: The content is damaged or is another kind of file.
    """
    layers = []
    size = 0
    for module in _modules(_Reader(data).object()):
        arrays = _arrays(module)
        size += sum(4 * array.size for array in arrays.values())
        if size > len(data):
            raise UnsupportedFile(f"{_KIND}: its tensors are larger than the file")
        if arrays:
            layers.append(_layer(arrays, module.fields.get("eps")))
    return layers


def _modules(network: Any) -> Iterator[Module]:
    """A network's modules, depth first: the order of `nn.Sequential`, branches one after another."""
    waiting, seen = [network], set()
    while waiting:
        module = waiting.pop()
        if not isinstance(module, Module) or id(module) in seen:
            continue
        seen.add(id(module))
        yield module
        children = module.fields.get("modules")
        if isinstance(children, dict):
            numbers = sorted((key for key in children if isinstance(key, float)), reverse=True)
            waiting.extend(children[number] for number in numbers)
        if len(waiting) + len(seen) > _MOST_MODULES:
            raise UnsupportedFile(f"{_KIND}: it has more modules than any network")


def _arrays(module: Module) -> dict[str, np.ndarray]:
    fields = {name: module.fields.get(name) for name in (*_WEIGHTS, _INVERSE_ROOT)}
    return {name: value for name, value in fields.items() if isinstance(value, np.ndarray)}


def _layer(arrays: dict[str, np.ndarray], epsilon: Any) -> dict[str, np.ndarray]:
    layer = {name: array.astype(np.float32, copy=False) for name, array in arrays.items()}
    inverse_root = layer.pop(_INVERSE_ROOT, None)
    if inverse_root is not None and isinstance(epsilon, float):
        with np.errstate(all="ignore"):
            variance = inverse_root.astype(np.float64) ** -2 - epsilon
        layer.setdefault("running_var", variance.astype(np.float32))
    return layer


class _Reader:
    """Reads objects from the front of a file to its end."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.depth = 0
        self.count = 0
        self.known: dict[int, Any] = {}

    def object(self) -> Any:
        """The next object: None, float, str, bool, dict, `Module`, array or storage (a flat array)."""
        self.count += 1
        if self.count > _MOST_OBJECTS:
            raise UnsupportedFile(f"{_KIND}: it has more objects than any network")
        kind = self._int()
        if kind == _NIL:
            return None
        if kind == _NUMBER:
            return struct.unpack("<d", self._take(8))[0]
        if kind == _STRING:
            return self._text()
        if kind == _BOOLEAN:
            return self._int() == 1
        if kind not in (_TABLE, _OBJECT, _OLD_FUNCTION, *_FUNCTIONS):
            raise UnsupportedFile(f"{_KIND}: damaged, or no binary Torch7 file")
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise UnsupportedFile(f"{_KIND}: its objects are nested too deeply")
        result = self._indexed(kind) if kind != _OLD_FUNCTION else self._step_over_function()
        self.depth -= 1
        return result

    def _indexed(self, kind: int) -> Any:
        index = self._int()
        if index in self.known:
            return self.known[index]
        if kind == _TABLE:
            table = self.known[index] = {}
            self._fill(table)
            return table
        if kind == _OBJECT:
            return self._torch_object(index)
        self.known[index] = None
        return self._step_over_function()

    def _step_over_function(self) -> Any:
        self._take(self._int())  # the bytecode
        self.object()  # the variables it closes over
        return None

    def _fill(self, table: dict[Any, Any]) -> None:
        for _ in range(self._int()):
            key, value = self.object(), self.object()
            if isinstance(key, float | str | bool):
                table[key] = value

    def _torch_object(self, index: int) -> Any:
        name = self._text()
        if name.startswith("V "):
            name = self._text()
        prefix, _, kind = name.partition(".")
        if prefix == "torch" and kind.endswith("Tensor"):
            self.known[index] = self._tensor()
            return self.known[index]
        if prefix == "torch" and kind.endswith("Storage"):
            self.known[index] = self._storage(kind.removesuffix("Storage"))
            return self.known[index]
        module = self.known[index] = Module(name)
        fields = self.object()
        if not isinstance(fields, dict):
            raise UnsupportedFile(f"{_KIND}: an object of class {quoted(name)} is not read")
        module.fields = fields
        return module

    def _tensor(self) -> np.ndarray | None:
        axes = self._int()
        if not 0 <= axes <= _MAX_AXES:
            raise UnsupportedFile(f"{_KIND}: damaged: a tensor with {axes} axes")
        shape, strides = self._longs(axes), self._longs(axes)
        (offset,) = self._longs(1)
        storage = self.object()
        if not axes or storage is None:
            return None  # a buffer that was cleared before saving
        if 0 in shape:
            return None
        if not isinstance(storage, np.ndarray) or storage.ndim != 1:
            raise UnsupportedFile(f"{_KIND}: damaged: a tensor without a storage")
        try:
            return strided_view(storage, offset - 1, shape, strides)
        except ValueError:
            raise UnsupportedFile(f"{_KIND}: damaged: a tensor that reaches beyond its storage") from None

    def _storage(self, kind: str) -> np.ndarray:
        if kind not in _TYPES:
            raise UnsupportedFile(f"{_KIND}: a storage of class {quoted(kind)} is not read")
        (length,) = self._longs(1)
        return np.frombuffer(self._take(length * _TYPES[kind].itemsize), _TYPES[kind])

    def _text(self) -> str:
        return bytes(self._take(self._int())).decode("latin-1")

    def _int(self) -> int:
        number: int = struct.unpack("<i", self._take(4))[0]
        return number

    def _longs(self, count: int) -> tuple[int, ...]:
        return struct.unpack(f"<{count}q", self._take(8 * count))

    def _take(self, length: int) -> memoryview:
        if not 0 <= length <= len(self.data) - self.at:
            raise UnsupportedFile(f"{_KIND}: damaged or cut off")
        self.at += length
        return memoryview(self.data)[self.at - length : self.at]
