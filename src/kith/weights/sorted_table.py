"""LevelDB's sorted table: keys and values, as in the index of a TensorFlow checkpoint.

The file is blocks, and at its end a footer of 48 bytes that points to the block of the index, whose
values point to the blocks of the entries. A pointer is two varints, offset and length. A block's
entries are: how many bytes of the key before are kept, how many bytes of key follow, how many bytes
of value follow, those bytes. At a block's end stand restart points (uint32 each) and their count;
behind it a byte for its compression and a checksum (CRC-32C, masked).

Format: https://github.com/google/leveldb/blob/main/doc/table_format.md
"""

import struct
from collections.abc import Iterator

from kith.errors import UnsupportedFile
from kith.weights.crc32c import masked_crc32c
from kith.weights.limits import MOST_VARIABLES
from kith.weights.protobuf import read_varint

_FOOTER = 48
_TRAILER = 5
_MAGIC = 0xDB4775248B80FB57
_PLAIN, _SNAPPY = 0, 1
_LONGEST_KEY = 2000

Pointer = tuple[int, int]


def is_sorted_table(data: bytes) -> bool:
    """Whether the content ends as a sorted table does."""
    return len(data) >= _FOOTER and data[-8:] == struct.pack("<Q", _MAGIC)


def read_sorted_table(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """The entries in their order.

    Raises:
        ValueError: The table is damaged or cut off, or has more entries than a checkpoint.
        UnsupportedFile: It is compressed.
    """
    if not is_sorted_table(data):
        raise ValueError("it does not end as a table does")
    content = memoryview(data)
    footer = content[-_FOOTER:]
    _, at = _pointer(footer, 0)
    index, _ = _pointer(footer, at)
    end, last, count = 0, None, 0
    for _, value in _entries(_block(content, index)):
        pointer, _ = _pointer(value, 0)
        if pointer[0] < end:
            raise ValueError("a block that is named twice")
        end = sum(pointer)
        count += 1  # blocks too: one may be without entries
        if count > MOST_VARIABLES:
            raise ValueError("more blocks than a checkpoint has")
        for key, entry in _entries(_block(content, pointer)):
            count += 1
            if count > MOST_VARIABLES:
                raise ValueError("more entries than a checkpoint has")
            if last is not None and key <= last:
                raise ValueError("keys that are not in order")
            last = key
            yield key, entry


def _pointer(data: memoryview, at: int) -> tuple[Pointer, int]:
    offset, at = read_varint(data, at)
    length, at = read_varint(data, at)
    return (offset, length), at


def _block(content: memoryview, pointer: Pointer) -> memoryview:
    offset, length = pointer
    end = offset + length + 1  # with the byte for the compression
    if offset + length + _TRAILER > len(content):
        raise ValueError("a block beyond the end")
    _verify(content[offset:end], content[end : offset + length + _TRAILER])
    compression = content[offset + length]
    if compression == _SNAPPY:
        raise UnsupportedFile("the index is compressed with Snappy, which TensorFlow does not do; not read")
    if compression != _PLAIN:
        raise ValueError("a block of unknown compression")
    return content[offset : offset + length]


def _entries(block: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    if len(block) < 4:
        raise ValueError("a block too short")
    (restarts,) = struct.unpack("<I", block[-4:])
    end = len(block) - 4 - 4 * restarts
    if end < 0:
        raise ValueError("a block too short")
    at, key = 0, b""
    while at < end:
        kept, at = read_varint(block, at)
        added, at = read_varint(block, at)
        length, at = read_varint(block, at)
        if kept > len(key) or added + length > end - at or kept + added > _LONGEST_KEY:
            raise ValueError("an entry beyond its block")
        key = key[:kept] + bytes(block[at : at + added])
        yield key, block[at + added : at + added + length]
        at += added + length


def _verify(content: memoryview, checksum: memoryview) -> None:
    if struct.pack("<I", masked_crc32c(content)) != checksum:
        raise ValueError("a block with a wrong checksum")
