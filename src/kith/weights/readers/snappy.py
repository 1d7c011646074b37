"""Snappy's compression, as it may occur in the index of a TensorFlow checkpoint.

The length as a varint, then elements. The lowest two bits of an element's first byte say what it is:
literal bytes, or a copy of bytes that stand some way back, which may overlap what it makes.

Format: https://github.com/google/snappy/blob/main/format_description.txt
"""

from kith.weights.readers.protobuf import read_varint

_MAX_RATIO = 64  # a copy makes at most 64 bytes out of 2 or more


def decompress(data: memoryview) -> bytes:
    """The original bytes.

    Raises:
        ValueError: The data is damaged or cut off.
    """
    length, at = read_varint(data, 0)
    if length > _MAX_RATIO * len(data):
        raise ValueError("a length that cannot be")
    result = bytearray()
    while at < len(data):
        tag, at = data[at], at + 1
        kind, high = tag & 3, tag >> 2
        if kind == 0:
            size, at = _literal_size(data, high, at)
            result += _slice(data, at, size)
            at += size
        else:
            width = (0, 1, 2, 4)[kind]
            back = int.from_bytes(_slice(data, at, width), "little")
            size = high + 1
            if kind == 1:
                back, size = back | (high >> 3) << 8, (high & 7) + 4
            at += width
            _copy(result, back, size)
        if len(result) > length:
            raise ValueError("more than its length")
    if len(result) != length:
        raise ValueError("less than its length")
    return bytes(result)


def _literal_size(data: memoryview, high: int, at: int) -> tuple[int, int]:
    """Sizes above 60 stand in the next one to four bytes."""
    if high < 60:
        return high + 1, at
    width = high - 59
    return int.from_bytes(_slice(data, at, width), "little") + 1, at + width


def _copy(result: bytearray, back: int, size: int) -> None:
    if not 0 < back <= len(result):
        raise ValueError("a copy from before the start")
    start = len(result) - back
    pattern = result[start : start + size]
    result += (pattern * (size // len(pattern) + 1))[:size]


def _slice(data: memoryview, at: int, size: int) -> memoryview:
    if size > len(data) - at:
        raise ValueError("cut off")
    return data[at : at + size]
