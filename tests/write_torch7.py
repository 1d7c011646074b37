"""Writes OpenFace's network as Torch7 does: nested modules in binary."""

import struct
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np


class Torch7Writer:
    """Objects in Torch7's binary format, each object once."""

    def __init__(self) -> None:
        self.content = bytearray()
        self.count = 0
        self.indexes: dict[int, int] = {}
        self.kept: list[Any] = []  # so that no id is given twice

    def write(self, item: Any) -> "Torch7Writer":
        match item:
            case None:
                self._int(0)
            case bool():
                self._int(5)._int(int(item))
            case int() | float():
                self._int(1).raw(struct.pack("<d", item))
            case str():
                self._int(2)._text(item)
            case dict():
                if self._index(3, item):
                    self._int(len(item))
                    for key, value in item.items():
                        self.write(key).write(value)
            case Function():
                if self._index(8, item):
                    self._text(item.bytecode).write({1: {"name": "hook", "value": 1}})
            case Module():
                if self._index(4, item):
                    self._text("V 1")._text(item.kind).write(item.fields)
            case np.ndarray():
                self._tensor(item)
        return self

    def raw(self, content: bytes) -> "Torch7Writer":
        self.content += content
        return self

    def _tensor(self, values: np.ndarray) -> None:
        kind = {"float32": "Float", "float64": "Double"}[values.dtype.name]
        if not self._index(4, values):
            return
        self._text("V 1")._text(f"torch.{kind}Tensor")._int(values.ndim)
        strides = [stride // values.itemsize for stride in values.strides]
        self.raw(struct.pack(f"<{2 * values.ndim + 1}q", *values.shape, *strides, 1))
        storage = values.ravel()
        if not values.size:
            self.write(None)
        elif self._index(4, storage):
            self._text("V 1")._text(f"torch.{kind}Storage")
            self.raw(struct.pack("<q", storage.size) + storage.tobytes())

    def _index(self, kind: int, item: Any) -> bool:
        """Writes kind and index; whether the item is to follow, being new."""
        new = id(item) not in self.indexes
        if new:
            self.count += 1
            self.indexes[id(item)] = self.count
            self.kept.append(item)
        self._int(kind)._int(self.indexes[id(item)])
        return new

    def _int(self, number: int) -> "Torch7Writer":
        return self.raw(struct.pack("<i", number))

    def _text(self, text: str) -> "Torch7Writer":
        return self._int(len(text)).raw(text.encode("latin-1"))


class Function:
    """A Lua function by its bytecode."""

    def __init__(self, bytecode: str) -> None:
        self.bytecode = bytecode


class Module:
    """An object of class nn.KIND."""

    def __init__(self, kind: str, **fields: Any) -> None:
        self.kind = f"nn.{kind}"
        self.fields = {"train": False, "output": np.zeros(0, np.float32), **fields}


def write_openface(state: Mapping[str, np.ndarray]) -> bytes:
    """nn4.small2.v1.t7 out of OpenFacePytorch's state dict."""
    shared = Function("\x1bLua bytecode")
    modules: list[Module] = []
    blocks: dict[str, dict[str, list[Module]]] = {}
    for prefix, arrays in _layers(state):
        module = _leaf(arrays, shared)
        block, _, rest = prefix.partition(".seq_list.")
        if not rest:
            modules.append(module)
            continue
        if block not in blocks:
            blocks[block] = {}
            modules.append(Module("Inception", modules=blocks[block], transfer=Module("ReLU")))
        blocks[block].setdefault(rest[0], []).append(module)
    for branches in blocks.values():
        columns = [
            Module("Sequential", modules=_numbered([*branch, Module("ReLU")])) for branch in branches.values()
        ]
        branches.clear()
        branches[1] = Module("DepthConcat", dimension=2, modules=_numbered(columns))
    modules.insert(3, Module("SpatialCrossMapLRN", size=5, alpha=1e-4, beta=0.75, k=1))
    return bytes(Torch7Writer().write(Module("Sequential", modules=_numbered(modules))).content)


def _layers(state: Mapping[str, np.ndarray]) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    layers: dict[str, dict[str, np.ndarray]] = {}
    for name, values in state.items():
        prefix, _, kind = name.rpartition(".")
        if kind != "num_batches_tracked":
            layers.setdefault(prefix, {})[kind] = values
    yield from layers.items()


def _leaf(arrays: dict[str, np.ndarray], shared: Function) -> Module:
    if "running_var" in arrays:
        return Module("SpatialBatchNormalization", eps=1e-5, momentum=0.1, affine=True, **arrays)
    weight = arrays["weight"].reshape(len(arrays["weight"]), -1)  # convolutions too are matrices
    kind = "Linear" if arrays["weight"].ndim == 2 else "SpatialConvolutionMM"
    fields = {
        "bias": arrays["bias"],
        "gradWeight": np.zeros_like(weight[:1]),
        "accUpdateGradParameters": shared,
    }
    return Module(kind, weight=weight, **fields)


def _numbered(modules: list[Module]) -> dict[int, Module]:
    return dict(enumerate(modules, start=1))
