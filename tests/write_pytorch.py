"""Writes PyTorch's state dicts, one pickle instruction at a time, in both of its formats."""

import io
import struct
import zipfile
from collections.abc import Mapping

import numpy as np

_STORAGES = {
    "float32": "FloatStorage",
    "float64": "DoubleStorage",
    "float16": "HalfStorage",
    "bfloat16": "BFloat16Storage",
    "int64": "LongStorage",
}


def write_pytorch(
    tensors: Mapping[str, np.ndarray],
    *,
    prefix: str = "",
    extra: bytes = b"",
    before: bytes = b"",
    after: bytes = b"",
) -> bytes:
    """A zip archive, as PyTorch writes since 1.6.

    Args:
        tensors: By their names.
        prefix: In front of all names.
        extra: Instructions to come before everything else.
        before: Instructions in front of the state dict.
        after: Instructions behind it.
    """
    content = io.BytesIO()
    pickled = extra + before + _dict(tensors, prefix, legacy=False) + after
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("model/data.pkl", b"\x80\x02" + pickled + b".")
        archive.writestr("model/byteorder", b"little")
        for key, values in enumerate(tensors.values()):
            archive.writestr(f"model/data/{key}", values.tobytes())
        archive.writestr("model/version", b"3\n")
    return content.getvalue()


def in_a_checkpoint(key: str) -> dict[str, bytes]:
    """What stands around a state dict that a training kept under this key, beside its optimizer's."""
    optimizer = b"}(" + _text("state") + b"}K\x00}" + _text("step") + b"K\x05ss"
    optimizer += _text("param_groups") + b"]u"
    before = b"}(" + _text("epoch") + b"K\x07" + _text("optimizer") + optimizer + _text(key)
    return {"before": before, "after": b"u"}


def write_legacy_pytorch(tensors: Mapping[str, np.ndarray], *, extra: bytes = b"") -> bytes:
    """Five pickles and the storages, as PyTorch wrote before."""
    keys = b"]" + b"".join(_text(str(key)) + b"a" for key in range(len(tensors)))
    system = b"}(" + _text("little_endian") + b"\x88" + _text("protocol_version") + b"M\xe9\x03u"
    pickles = [
        b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19",  # the magic number
        b"M\xe9\x03",  # version 1001
        system,
        extra + _dict(tensors, "", legacy=True),
        keys,
    ]
    content = b"".join(b"\x80\x02" + pickle + b"." for pickle in pickles)
    return content + b"".join(
        struct.pack("<q", values.size) + values.tobytes() for values in tensors.values()
    )


def _dict(tensors: Mapping[str, np.ndarray], prefix: str, *, legacy: bool) -> bytes:
    """An ordered dict with an attribute, as `Module.state_dict` makes it."""
    items = b"".join(
        _text(prefix + name) + tensor(values, str(key), legacy)
        for key, (name, values) in enumerate(tensors.items())
    )
    metadata = b"}" + _text("_metadata") + _ORDERED_DICT + b"s"
    return _ORDERED_DICT + b"q\x00(" + items + b"u" + metadata + b"b"


def tensor(values: np.ndarray, key: str, legacy: bool) -> bytes:
    """What stands for a tensor whose storage has this key."""
    storage = b"(" + _text("storage") + _name("torch", _STORAGES[values.dtype.name]) + _text(key)
    storage += _text("cpu") + _number(values.size) + (b"N" if legacy else b"") + b"tQ"
    strides = [stride // values.itemsize for stride in values.strides]
    arguments = storage + _number(0) + _tuple(values.shape) + _tuple(strides) + b"\x89" + _ORDERED_DICT
    return _name("torch._utils", "_rebuild_tensor_v2") + b"(" + arguments + b"tR"


def _tuple(numbers: tuple[int, ...] | list[int]) -> bytes:
    return b"(" + b"".join(map(_number, numbers)) + b"t"


def _number(number: int) -> bytes:
    return b"J" + struct.pack("<i", number)


def _text(text: str) -> bytes:
    return b"X" + struct.pack("<I", len(text.encode())) + text.encode()


def _name(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


_ORDERED_DICT = _name("collections", "OrderedDict") + b")R"
