"""Writes TensorFlow's checkpoints and frozen graphs without TensorFlow."""

import struct
from collections.abc import Mapping

import google_crc32c
import numpy as np

_TYPES = {"float32": 1, "float64": 2, "int32": 3, "int64": 9, "bfloat16": 14, "float16": 19}
_RESTART = 16


def write_checkpoint(variables: Mapping[str, np.ndarray], *, compression: int = 0) -> tuple[bytes, bytes]:
    """The index and the data; of another compression than 0 the index only says that it is."""
    entries = [(b"", bundle_header(1))]
    chunks = []
    offset = 0
    for name, values in sorted(variables.items()):
        data = np.ascontiguousarray(values).tobytes()
        entries.append((name.encode(), bundle_entry(values.dtype.name, values.shape, offset, data)))
        chunks.append(data)
        offset += len(data)
    return write_table(entries, compression), b"".join(chunks)


def bundle_header(shards: int) -> bytes:
    """What the index says of all: how many data files there are, and the format's version."""
    return _number(1, shards) + _bytes(3, _number(1, 1))


def bundle_entry(dtype: str, shape: tuple[int, ...], offset: int, data: bytes, shard: int = 0) -> bytes:
    """What the index says of a variable."""
    entry = _number(1, _TYPES[dtype]) + _bytes(2, _shape(shape))
    entry += _number(3, shard) + _number(4, offset) + _number(5, len(data))
    return entry + _key(6, 5) + struct.pack("<I", _masked_crc32c(data))


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


def write_table(entries: list[tuple[bytes, bytes]], compression: int = 0) -> bytes:
    """A sorted table."""
    content = b""
    index = []
    for start in range(0, len(entries), 100):
        block = write_block(entries[start : start + 100], compression)
        index.append((entries[start : start + 100][-1][0], pointer(len(content), len(block))))
        content += block
    return finish_table(content, index)


def finish_table(blocks: bytes, index: list[tuple[bytes, bytes]]) -> bytes:
    """A table of blocks and what points to them."""
    ends = []
    for block in (write_block([]), write_block(index)):
        ends.append(pointer(len(blocks), len(block)))
        blocks += block
    return blocks + b"".join(ends).ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)


def pointer(offset: int, length: int) -> bytes:
    """Where a block is, whose length is given with its trailer of five bytes."""
    return _varint(offset) + _varint(length - 5)


def write_block(entries: list[tuple[bytes, bytes]], compression: int = 0) -> bytes:
    """A table's block with its trailer."""
    chunks, size, restarts, last = [], 0, [], b""
    for position, (key, value) in enumerate(entries):
        kept = 0
        if position % _RESTART == 0:
            restarts.append(size)
        else:
            while kept < min(len(key), len(last)) and key[kept] == last[kept]:
                kept += 1
        chunks.append(_varint(kept) + _varint(len(key) - kept) + _varint(len(value)) + key[kept:] + value)
        size += len(chunks[-1])
        last = key
    restarts = restarts or [0]
    chunks += [struct.pack(f"<{len(restarts)}I", *restarts), struct.pack("<I", len(restarts))]
    content = b"".join([*chunks, bytes([compression])])
    return content + struct.pack("<I", _masked_crc32c(content))


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


def _masked_crc32c(data: bytes) -> int:
    checksum = google_crc32c.value(data)
    return ((checksum >> 15 | checksum << 17) + 0xA282EAD8) & 0xFFFFFFFF
