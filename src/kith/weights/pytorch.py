"""PyTorch's files with a state dict, read without PyTorch and without unpickling.

A file is a pickle of a dict of tensors, each of which refers to a storage, and the storages' bytes.
Since PyTorch 1.6 it is a zip archive with the members `*/data.pkl` and `*/data/KEY`; before, it was
five pickles in a row (a magic number, a version, the writer's byte order, the dict, the storages'
keys) and then each storage's length and bytes.

Format: https://github.com/pytorch/pytorch/blob/main/torch/serialization.py
"""

import io
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import ml_dtypes
import numpy as np

from kith.errors import UnsupportedFile
from kith.weights.limits import MOST_VARIABLES
from kith.weights.pickle_machine import Call, Name, PickleMachine
from kith.weights.quoting import quoted
from kith.weights.strided import strided_view
from kith.weights.zip_archive import open_zip, stored_member

_KIND = "PyTorch state dict"
_MAGIC = 0x1950A86A20F9469CFC6C
_VERSION = 1001
_PROTOCOLS = tuple(bytes([0x80, protocol]) for protocol in (2, 3, 4, 5))
_PICKLE = "data.pkl"
_MOST_PICKLE_BYTES = 16 << 20
_MOST_PARTS = 50  # of a training's checkpoint: weights, optimizer, epoch ...
_SAVE = "torch.save(model.state_dict(), 'weights.pt')"

_TYPES: dict[str, np.dtype[Any]] = {
    "FloatStorage": np.dtype("<f4"),
    "DoubleStorage": np.dtype("<f8"),
    "HalfStorage": np.dtype("<f2"),
    "BFloat16Storage": np.dtype(ml_dtypes.bfloat16),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
    "ShortStorage": np.dtype("<i2"),
    "CharStorage": np.dtype("i1"),
    "ByteStorage": np.dtype("u1"),
    "BoolStorage": np.dtype("?"),
}
_DICT = "OrderedDict"
_TENSORS = ("_rebuild_tensor", "_rebuild_tensor_v2")
_PARAMETER = "_rebuild_parameter"
_NAMES = {
    ("collections", _DICT),
    *(("torch._utils", name) for name in (*_TENSORS, _PARAMETER)),
    *((module, name) for module in ("torch", "torch.cuda") for name in _TYPES),
    # what a training notes beside its weights: sizes, devices, numbers of NumPy's, its arguments
    *(("torch", "Size"), ("torch", "device"), ("argparse", "Namespace"), ("collections", "defaultdict")),
    *(("numpy", "dtype"), ("numpy.core.multiarray", "scalar"), ("numpy._core.multiarray", "scalar")),
    ("_codecs", "encode"),
}
_STATE_DICTS = (
    "state_dict",
    "model_state_dict",
    "model_state",
    "model",
    "net",
    "network",
    "backbone",
    "weights",
)
"""Under which names trainings keep the model's state dict, beside that of the optimizer."""


@dataclass(frozen=True)
class _Storage:
    """A reference to a storage."""

    key: str
    dtype: np.dtype[Any]


class _Machine(PickleMachine):
    """Notes the storages a pickle refers to."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file, _KIND, _NAMES)
        self.storages: dict[str, _Storage] = {}

    def misplaced(self) -> str:
        return (
            f"which has no place in it: nothing in a file is ever run. If it is a whole model, "
            f"load it in the project that made it, and {_SAVE}"
        )

    def persistent(self, key: Any) -> _Storage:
        # ("storage", class, key, location, elements[, view])
        tag, kind, name, *rest = key
        if tag != "storage" or not isinstance(kind, Name) or not isinstance(name, str):
            raise TypeError
        if any(view is not None for view in rest[2:]):
            raise UnsupportedFile(f"{_KIND}: a storage that is part of another is not read")
        return self.storages.setdefault(name, _Storage(name, _TYPES[kind.name]))


def is_pytorch(data: bytes) -> bool:
    """Whether the content is a pickle, as all of PyTorch's files were before 1.6."""
    return data.startswith(_PROTOCOLS)


def is_pytorch_zip(names: list[str]) -> bool:
    """Whether a zip archive with these members is PyTorch's."""
    return any(name.rpartition("/")[2] == _PICKLE for name in names)


def read_pytorch(data: bytes) -> dict[str, np.ndarray]:
    """Read a state dict, or the model's out of a training's checkpoint.

    Args:
        data: The file's content.

    Returns:
        The tensors by their names, in the order of the file; read-only views of it.

    Raises:
        UnsupportedFile: The content is damaged, is another kind of file, or holds more than tensors.
    """
    if data.startswith(_PROTOCOLS):
        content, storages = _read_legacy(data)
    else:
        content, storages = _read_zip(data)
    entries = _items(content)
    if entries is None:
        raise UnsupportedFile(
            f"{_KIND}: it holds something else than a dict of tensors; save it with {_SAVE}"
        )
    arrays: dict[str, np.ndarray] = {}
    size = 0
    for name, tensor in _state_dict(entries):
        arrays[name] = _array(tensor, storages, name)
        size += arrays[name].nbytes
        if size > len(data) or len(arrays) > MOST_VARIABLES:
            raise UnsupportedFile(f"{_KIND}: its tensors are larger than the file, or absurdly many")
    return arrays


def _read_zip(data: bytes) -> tuple[Any, Mapping[str, memoryview]]:
    """The pickle's content, and every storage by its key."""
    with open_zip(data) as archive:
        members = {member.filename: member for member in archive.infolist()}
        pickles = [name for name in members if name.rpartition("/")[2] == _PICKLE]
        if len(pickles) != 1:
            raise UnsupportedFile(
                f"{_KIND}: the zip archive has {len(pickles)} members {_PICKLE} instead of one"
            )
        root = pickles[0].removesuffix(_PICKLE)
        if any(name.startswith(f"{root}code/") for name in members):
            raise UnsupportedFile(
                f"a TorchScript program, not a state dict; in Python: model = torch.jit.load(file); {_SAVE}"
            )
        order = members.get(f"{root}byteorder")
        if order is not None and bytes(stored_member(data, order)) != b"little":
            raise UnsupportedFile(f"{_KIND}: it was written on a big-endian machine, which is not supported")
        pickled = stored_member(data, members[pickles[0]])
        if len(pickled) > _MOST_PICKLE_BYTES:
            raise UnsupportedFile(f"{_KIND}: its {_PICKLE} is larger than that of any weights")
        folder = f"{root}data/"
        machine = _Machine(io.BytesIO(pickled))
        content = machine.run()
        storages = {
            key: stored_member(data, members[folder + key])
            for key in machine.storages
            if folder + key in members
        }
    return content, storages


def _read_legacy(data: bytes) -> tuple[Any, Mapping[str, memoryview]]:
    """The same of the older format."""
    file = io.BytesIO(data[:_MOST_PICKLE_BYTES])
    if _Machine(file).run() != _MAGIC or _Machine(file).run() != _VERSION:
        raise UnsupportedFile(f"{_KIND}: it does not start as PyTorch's files do")
    system = _Machine(file).run()
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise UnsupportedFile(f"{_KIND}: it was written on a big-endian machine, which is not supported")
    machine = _Machine(file)
    content = machine.run()
    keys = _Machine(file).run()
    known = machine.storages
    if not isinstance(keys, list) or not all(isinstance(key, str) and key in known for key in keys):
        raise UnsupportedFile(f"{_KIND}: damaged")
    at = file.tell()
    storages: dict[str, memoryview] = {}
    for key in keys:
        start = at + 8
        (count,) = struct.unpack("<q", data[at:start]) if start <= len(data) else (-1,)
        at = start + count * known[key].dtype.itemsize
        if count < 0 or at > len(data):
            raise UnsupportedFile(f"{_KIND}: cut off inside its tensors")
        storages[key] = memoryview(data)[start:at]
    return content, storages


def _items(content: Any) -> dict[Any, Any] | None:
    """What a dict or an ordered dict of the file holds; None if it is something else."""
    if isinstance(content, Call) and content.name.name == _DICT:
        pairs = content.arguments[0] if content.arguments else []
        if isinstance(pairs, list) and all(_is_pair(pair) for pair in pairs):
            return {key: value for key, value in pairs} | content.items
    return content if isinstance(content, dict) else None


def _is_pair(pair: Any) -> bool:
    return isinstance(pair, list | tuple) and len(pair) == 2 and isinstance(pair[0], str)


def _state_dict(entries: Mapping[Any, Any]) -> list[tuple[str, Call]]:
    """The tensors of a dict, or of the one in it that is the model's.

    Raises:
        UnsupportedFile: It holds none, or several that could be.
    """
    named = [name for name in _STATE_DICTS if _tensors(_items(entries.get(name)))]
    if named:
        return _tensors(_items(entries[named[0]]))
    if tensors := _tensors(entries):
        return tensors
    parts = [name for name in list(entries)[:_MOST_PARTS] if _tensors(_items(entries[name]))]
    if len(parts) > 1:
        several = ", ".join(quoted(str(name)) for name in parts[:4])
        raise UnsupportedFile(
            f"{_KIND}: it holds several dicts of tensors ({several}); save the model's alone"
        )
    if not parts:
        raise UnsupportedFile(f"{_KIND}: it holds no tensors; save them with {_SAVE}")
    return _tensors(_items(entries[parts[0]]))


def _tensors(entries: Mapping[Any, Any] | None) -> list[tuple[str, Call]]:
    """The tensors of a dict with their names; none if it is none."""
    tensors = []
    for name, value in (entries or {}).items():
        if isinstance(value, Call) and value.name.name == _PARAMETER and value.arguments:
            value = value.arguments[0]
        if isinstance(name, str) and isinstance(value, Call) and value.name.name in _TENSORS:
            tensors.append((name, value))
    return tensors


def _array(tensor: Call, storages: Mapping[str, memoryview], name: str) -> np.ndarray:
    """A view of a storage's bytes."""
    try:
        storage, offset, shape, strides, *_ = tensor.arguments
        values = np.frombuffer(storages[storage.key], storage.dtype)
        return strided_view(values, offset, shape, strides)
    except (ValueError, TypeError, AttributeError, KeyError):
        raise UnsupportedFile(f"{_KIND}: {quoted(name)} is no intact tensor") from None
