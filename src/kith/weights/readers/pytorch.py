"""PyTorch's files with a state dict, read without PyTorch and without unpickling.

A file is a pickle of a dict of tensors, each of which refers to a storage, and the storages' bytes.
Since PyTorch 1.6 it is a zip archive with the members `*/data.pkl` and `*/data/KEY`; before, it was
five pickles in a row (a magic number, a version, the writer's byte order, the dict, the storages'
keys) and then each storage's length and bytes.

Format: https://github.com/pytorch/pytorch/blob/main/torch/serialization.py
"""

import io
import struct
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

from kith.errors import UnsupportedFile
from kith.weights.readers.pickle_machine import Call, Name, PickleMachine
from kith.weights.readers.quoting import quoted
from kith.weights.readers.strided import strided_view

_KIND = "PyTorch state dict"
_MAGIC = 0x1950A86A20F9469CFC6C
_VERSION = 1001
_ZIP_MEMBER = b"PK\x03\x04"
_HEAD = 512  # data.pkl is the first member

_TYPES: dict[str, np.dtype[Any]] = {
    "FloatStorage": np.dtype("<f4"),
    "DoubleStorage": np.dtype("<f8"),
    "HalfStorage": np.dtype("<f2"),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
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
}


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

    def persistent(self, key: Any) -> _Storage:
        # ("storage", class, key, location, elements[, view])
        tag, kind, name, *rest = key
        if tag != "storage" or not isinstance(kind, Name) or not isinstance(name, str):
            raise TypeError
        if any(view is not None for view in rest[2:]):
            raise UnsupportedFile(f"{_KIND}: a storage that is part of another is not read")
        return self.storages.setdefault(name, _Storage(name, _TYPES[kind.name]))


def is_pytorch(data: bytes) -> bool:
    """Whether the content is a pickle, or a zip archive that compresses nothing and has a data.pkl."""
    return data[:2] == b"\x80\x02" or (data[:4] == _ZIP_MEMBER and b"data.pkl" in data[30:_HEAD])


def read_pytorch(data: bytes) -> dict[str, np.ndarray]:
    """Read a state dict, or a checkpoint that holds one as `state_dict`.

    Args:
        data: The file's content.

    Returns:
        The tensors by their names, in the order of the file; read-only views of it where possible.
        A prefix `module.` of all names, which parallel training leaves, is taken off.

    Raises:
        UnsupportedFile: The content is damaged, is another kind of file, or holds more than tensors.
    """
    if data[:4] == _ZIP_MEMBER:
        content, storages = _read_zip(data)
    else:
        content, storages = _read_legacy(data)
    entries = _items(content)
    entries = _items(entries["state_dict"]) if "state_dict" in entries else entries
    arrays: dict[str, np.ndarray] = {}
    size = 0
    for name, tensor in _tensors(entries):
        arrays[name] = _array(tensor, storages, name)
        size += arrays[name].size * arrays[name].itemsize
        if size > len(data):
            raise UnsupportedFile(f"{_KIND}: its tensors are larger than the file")
    if not arrays:
        raise UnsupportedFile(f"{_KIND}: it holds no tensors")
    if all(name.startswith("module.") for name in arrays):
        arrays = {name.removeprefix("module."): array for name, array in arrays.items()}
    return arrays


def _read_zip(data: bytes) -> tuple[Any, Mapping[str, memoryview]]:
    """The pickle's content, and every storage by its key."""
    members = _stored_members(data)
    pickles = [name for name in members if name.rpartition("/")[2] == "data.pkl"]
    if len(pickles) != 1:
        raise UnsupportedFile(f"{_KIND}: the zip archive has {len(pickles)} members data.pkl instead of one")
    root = pickles[0].removesuffix("data.pkl")
    if bytes(members.get(f"{root}byteorder", b"little")) != b"little":
        raise UnsupportedFile(f"{_KIND}: it was written on a big-endian machine, which is not supported")
    content = _Machine(io.BytesIO(members[pickles[0]])).run()
    folder = f"{root}data/"
    storages = {
        name.removeprefix(folder): member for name, member in members.items() if name.startswith(folder)
    }
    return content, storages


def _stored_members(data: bytes) -> dict[str, memoryview]:
    """The members of a zip archive that compresses nothing, without a copy."""
    members: dict[str, memoryview] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for info in archive.infolist():
                if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
                    raise UnsupportedFile(f"{_KIND}: the archive is compressed or encrypted")
                header = data[info.header_offset : info.header_offset + 30]
                name_length, extra_length = struct.unpack("<HH", header[26:30])
                start = info.header_offset + 30 + name_length + extra_length
                if header[:4] != _ZIP_MEMBER or start + info.file_size > len(data):
                    raise UnsupportedFile(f"{_KIND}: the archive is damaged or cut off")
                members[info.filename] = memoryview(data)[start : start + info.file_size]
    except (zipfile.BadZipFile, ValueError, OSError, struct.error, NotImplementedError, KeyError):
        raise UnsupportedFile(f"{_KIND}: the archive is damaged or cut off") from None
    return members


def _read_legacy(data: bytes) -> tuple[Any, Mapping[str, memoryview]]:
    """The same of the older format."""
    file = io.BytesIO(data)
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


def _items(content: Any) -> dict[str, Any]:
    """What a dict or an ordered dict of the file holds."""
    if isinstance(content, Call) and content.name.name == _DICT:
        pairs = content.arguments[0] if content.arguments else []
        if isinstance(pairs, list) and all(_is_pair(pair) for pair in pairs):
            return {key: value for key, value in pairs} | content.items
    if isinstance(content, dict):
        return content
    raise UnsupportedFile(f"{_KIND}: it holds something else than a dict of tensors")


def _is_pair(pair: Any) -> bool:
    return isinstance(pair, list | tuple) and len(pair) == 2 and isinstance(pair[0], str)


def _tensors(entries: Mapping[str, Any]) -> Iterator[tuple[str, Call]]:
    for name, value in entries.items():
        while isinstance(value, Call) and value.name.name == _PARAMETER and value.arguments:
            value = value.arguments[0]
        if isinstance(value, Call) and value.name.name in _TENSORS:
            yield name, value


def _array(tensor: Call, storages: Mapping[str, memoryview], name: str) -> np.ndarray:
    """A view of a storage's bytes, or a copy in float32 if they are floats of another size."""
    try:
        storage, offset, shape, strides, *_ = tensor.arguments
        values = np.frombuffer(storages[storage.key], storage.dtype)
        view = strided_view(values, offset, shape, strides)
    except (ValueError, TypeError, AttributeError, KeyError):
        raise UnsupportedFile(f"{_KIND}: {quoted(name)} is no intact tensor") from None
    return view.astype(np.float32, copy=False) if view.dtype.kind == "f" else view
