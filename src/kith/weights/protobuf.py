"""The wire format of Protocol Buffers, as far as weights files need it.

A message is fields in a row: a varint of number and kind, then a varint, 8 bytes, a length and that
many bytes, or 4 bytes. A varint has seven bits a byte, the lowest first, and a 1 in the eighth bit
of all bytes but the last. https://protobuf.dev/programming-guides/encoding
"""

from collections.abc import Iterator

Value = int | memoryview

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MOST_FIELDS = 400_000  # a frozen Inception-ResNet-v1 has about a quarter of them


def read_varint(data: memoryview, at: int) -> tuple[int, int]:
    """The number at a position, and the position behind it.

    Raises:
        ValueError: It is cut off or longer than 64 bits.
    """
    if at < len(data) and data[at] < 0x80:  # most are this short
        return data[at], at + 1
    number = 0
    for shift, byte in enumerate(data[at : at + 10]):
        number |= (byte & 0x7F) << (7 * shift)
        if byte < 0x80:
            return number & 0xFFFF_FFFF_FFFF_FFFF, at + shift + 1
    raise ValueError("cut off or too long a number")


class FieldReader:
    """Reads the messages of one file, and no more fields in all than a file of weights has."""

    def __init__(self, most: int = _MOST_FIELDS) -> None:
        """Args: how many fields the file may have."""
        self._left = most

    def fields(self, data: memoryview) -> Iterator[tuple[int, Value]]:
        """A message's fields: number, and a varint as an unsigned int or anything else as its bytes.

        Raises:
            ValueError: The message is damaged or cut off, or the file has too many fields.
        """
        at = 0
        while at < len(data):
            self._left -= 1
            if self._left < 0:
                raise ValueError("more fields than a file of weights has")
            key, at = read_varint(data, at)
            kind = key & 7
            if kind == _VARINT:
                number, at = read_varint(data, at)
                yield key >> 3, number
                continue
            if kind == _BYTES:
                length, at = read_varint(data, at)
            elif kind in (_FIXED32, _FIXED64):
                length = 4 if kind == _FIXED32 else 8
            else:
                raise ValueError("a field of unknown kind")
            if length > len(data) - at:
                raise ValueError("cut off")
            yield key >> 3, data[at : at + length]
            at += length


def message(value: Value) -> memoryview:
    """A field's bytes.

    Raises:
        ValueError: It is a number instead.
    """
    if isinstance(value, int):
        raise ValueError("a number in place of a message")
    return value


def number(value: Value) -> int:
    """A field's number.

    Raises:
        ValueError: It is something else.
    """
    if not isinstance(value, int):
        raise ValueError("something else in place of a number")
    return value
