"""Writes TensorFlow's checkpoints and frozen graphs without TensorFlow."""

import struct
from collections.abc import Mapping

import numpy as np

_TYPES = {"float32": 1, "float64": 2, "int32": 3, "int64": 9, "float16": 19}
_RESTART = 16


def write_checkpoint(variables: Mapping[str, np.ndarray], *, snappy: bool = False) -> tuple[bytes, bytes]:
    """The index and the data."""
    entries = [(b"", _number(1, 1) + _bytes(3, _number(1, 1)))]
    data = b""
    chunks = []
    offset = 0
    for name, values in sorted(variables.items()):
        data = np.ascontiguousarray(values).tobytes()
        entry = _number(1, _TYPES[values.dtype.name]) + _bytes(2, _shape(values.shape))
        entry += _number(4, offset) + _number(5, len(data)) + _key(6, 5) + struct.pack("<I", 0)
        entries.append((name.encode(), entry))
        chunks.append(data)
        offset += len(data)
    return _table(entries, snappy), b"".join(chunks)


def write_graph(
    constants: Mapping[str, np.ndarray],
    *,
    as_list: frozenset[str] = frozenset(),
    shape: tuple[int, ...] | None = None,
) -> bytes:
    """A frozen graph: a placeholder, and each constant with its reader.

    Args:
        constants: By their nodes' names.
        as_list: Names of those whose values are written as a list, the last one once.
        shape: Said of all of them in place of their own.
    """
    nodes = [_node("image_batch", "Placeholder", b"")]
    for name, values in constants.items():
        tensor = _number(1, _TYPES[values.dtype.name]) + _bytes(
            2, _shape(values.shape if shape is None else shape)
        )
        if name in as_list:
            flat = values.ravel()
            while len(flat) > 1 and flat[-1] == flat[-2]:
                flat = flat[:-1]
            tensor += _bytes(5, flat.astype("<f4").tobytes())
        else:
            tensor += _bytes(4, values.tobytes())
        dtype = _attribute("dtype", _number(6, _TYPES[values.dtype.name]))
        nodes.append(_node(name, "Const", dtype + _attribute("value", _bytes(8, tensor))))
        nodes.append(_node(f"{name}/read", "Identity", b""))
    return b"".join(_bytes(1, node) for node in nodes) + _bytes(4, _number(1, 24))


def _table(entries: list[tuple[bytes, bytes]], snappy: bool) -> bytes:
    content = b""
    index = []
    for start in range(0, len(entries), 100):
        block = _block(entries[start : start + 100], snappy)
        pointer = _varint(len(content)) + _varint(len(block) - 5)
        index.append((entries[start : start + 100][-1][0], pointer))
        content += block
    ends = []
    for block in (_block([], False), _block(index, snappy)):
        ends.append(_varint(len(content)) + _varint(len(block) - 5))
        content += block
    return content + b"".join(ends).ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)


def _block(entries: list[tuple[bytes, bytes]], snappy: bool) -> bytes:
    content, restarts, last = b"", [], b""
    for position, (key, value) in enumerate(entries):
        kept = 0
        if position % _RESTART == 0:
            restarts.append(len(content))
        else:
            while kept < min(len(key), len(last)) and key[kept] == last[kept]:
                kept += 1
        content += _varint(kept) + _varint(len(key) - kept) + _varint(len(value)) + key[kept:] + value
        last = key
    restarts = restarts or [0]
    content += struct.pack(f"<{len(restarts)}I", *restarts) + struct.pack("<I", len(restarts))
    if snappy:
        content = compress(content)
    content += b"\x01" if snappy else b"\x00"
    checksum = _crc32c(content)
    masked = (((checksum >> 15) | (checksum << 17)) + 0xA282EAD8) & 0xFFFFFFFF
    return content + struct.pack("<I", masked)


def compress(data: bytes) -> bytes:
    """Snappy with literals, and with copies of all three widths where eight bytes repeat."""
    result, at, width = _varint(len(data)), 0, 0
    literal = b""
    while at < len(data):
        back = at - data.rfind(data[at : at + 8], 0, at + 7)
        if at + 8 > len(data) or back > at or back < 1:
            literal += data[at : at + 1]
            at += 1
            continue
        result += _literal(literal)
        literal = b""
        width = width % 3 + 1
        if width == 1 and back < 2048:
            result += bytes([1 | 4 << 2 | back >> 8 << 5, back & 0xFF])
        elif width == 2 and back < 65536:
            result += bytes([2 | 7 << 2]) + struct.pack("<H", back)
        else:
            result += bytes([3 | 7 << 2]) + struct.pack("<I", back)
        at += 8
    return result + _literal(literal)


def _literal(data: bytes) -> bytes:
    if not data:
        return b""
    if len(data) <= 60:
        return bytes([len(data) - 1 << 2]) + data
    return bytes([61 << 2]) + struct.pack("<H", len(data) - 1) + data


def _node(name: str, kind: str, attributes: bytes) -> bytes:
    return _bytes(1, name.encode()) + _bytes(2, kind.encode()) + attributes


def _attribute(name: str, value: bytes) -> bytes:
    return _bytes(5, _bytes(1, name.encode()) + _bytes(2, value))


def _shape(shape: tuple[int, ...]) -> bytes:
    return b"".join(_bytes(2, _number(1, length)) for length in shape)


def _bytes(field: int, content: bytes) -> bytes:
    return _key(field, 2) + _varint(len(content)) + content


def _number(field: int, number: int) -> bytes:
    return _key(field, 0) + _varint(number)


def _key(field: int, kind: int) -> bytes:
    return _varint(field << 3 | kind)


def _varint(number: int) -> bytes:
    content = b""
    while number > 127:
        content += bytes([number & 127 | 128])
        number >>= 7
    return content + bytes([number])


def _crc32c(data: bytes) -> int:
    checksum = 0xFFFFFFFF
    for byte in data:
        checksum ^= byte
        for _ in range(8):
            checksum = checksum >> 1 ^ (0x82F63B78 if checksum & 1 else 0)
    return checksum ^ 0xFFFFFFFF
