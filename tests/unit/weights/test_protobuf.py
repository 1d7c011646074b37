"""Protocol Buffers' wire format."""

import pytest

from kith.weights.protobuf import FieldReader, message, number, read_varint


@pytest.mark.parametrize(
    ("data", "expected"),
    [(b"\x00", 0), (b"\x7f", 127), (b"\x96\x01", 150), (b"\xff" * 9 + b"\x01", 2**64 - 1)],
)
def test_varint(data: bytes, expected: int) -> None:
    assert read_varint(memoryview(b"." + data + b"."), 1) == (expected, 1 + len(data))


@pytest.mark.parametrize("data", [b"", b"\x80", b"\xff" * 10 + b"\x01"])
def test_varint_that_does_not_end(data: bytes) -> None:
    with pytest.raises(ValueError, match="number"):
        read_varint(memoryview(data), 0)


def test_fields() -> None:
    data = b"\x08\x96\x01" + b"\x12\x02hi" + b"\x1d\x01\x00\x00\x00" + b"\x21" + b"\x02" * 8
    fields = [
        (key, value if isinstance(value, int) else bytes(value))
        for key, value in FieldReader().fields(memoryview(data))
    ]
    assert fields == [(1, 150), (2, b"hi"), (3, b"\x01\0\0\0"), (4, b"\x02" * 8)]


@pytest.mark.parametrize(
    "data", [b"\x12\x05hi", b"\x1d\x01", b"\x0b", b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\x7f"]
)
def test_damage(data: bytes) -> None:
    with pytest.raises(ValueError, match="cut off|unknown kind"):
        list(FieldReader().fields(memoryview(data)))


def test_a_field_of_the_wrong_kind() -> None:
    with pytest.raises(ValueError, match="number in place of"):
        message(1)
    with pytest.raises(ValueError, match="in place of a number"):
        number(memoryview(b""))


def test_more_fields_than_a_file_has() -> None:
    reader = FieldReader(most=3)
    assert len(list(reader.fields(memoryview(b"\x08\x01" * 2)))) == 2
    with pytest.raises(ValueError, match="more fields"):
        list(reader.fields(memoryview(b"\x08\x01" * 2)))
