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

from kith.weights.readers.protobuf import read_varint
from kith.weights.readers.snappy import decompress

_FOOTER = 48
_TRAILER = 5
_MAGIC = 0xDB4775248B80FB57
_PLAIN, _SNAPPY = 0, 1


def is_sorted_table(data: bytes) -> bool:
    """Whether the content ends as a sorted table does."""
    return len(data) >= _FOOTER and data[-8:] == struct.pack("<Q", _MAGIC)


def read_sorted_table(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """The entries in their order.

    Raises:
        ValueError: The table is damaged or cut off.
    """
    if not is_sorted_table(data):
        raise ValueError("it does not end as a table does")
    content = memoryview(data)
    footer = content[-_FOOTER:]
    _, at = _pointer(footer, 0)
    index, _ = _pointer(footer, at)
    for _, value in _entries(_block(content, index)):
        pointer, _ = _pointer(value, 0)
        yield from _entries(_block(content, pointer))


def _pointer(data: memoryview, at: int) -> tuple[tuple[int, int], int]:
    offset, at = read_varint(data, at)
    length, at = read_varint(data, at)
    return (offset, length), at


def _block(content: memoryview, pointer: tuple[int, int]) -> memoryview:
    offset, length = pointer
    if offset + length + _TRAILER > len(content):
        raise ValueError("a block beyond the end")
    block = content[offset : offset + length]
    compression = content[offset + length]
    _verify(content[offset : offset + length + 1], content[offset + length + 1 : offset + length + _TRAILER])
    if compression == _SNAPPY:
        return memoryview(decompress(block))
    if compression != _PLAIN:
        raise ValueError("a block of unknown compression")
    return block


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
        if kept > len(key) or added + length > end - at:
            raise ValueError("an entry beyond its block")
        key = key[:kept] + bytes(block[at : at + added])
        yield key, block[at + added : at + added + length]
        at += added + length


def _verify(content: memoryview, masked: memoryview) -> None:
    checksum = _crc32c(content)
    rotated = (checksum >> 15 | checksum << 17) & 0xFFFF_FFFF
    if struct.pack("<I", (rotated + 0xA282EAD8) & 0xFFFF_FFFF) != masked:
        raise ValueError("a block with a wrong checksum")


def _table() -> tuple[int, ...]:
    remainders = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
        remainders.append(byte)
    return tuple(remainders)


_REMAINDERS = _table()


def _crc32c(data: memoryview) -> int:
    checksum = 0xFFFF_FFFF
    for byte in data:
        checksum = _REMAINDERS[(checksum ^ byte) & 0xFF] ^ (checksum >> 8)
    return checksum ^ 0xFFFF_FFFF
