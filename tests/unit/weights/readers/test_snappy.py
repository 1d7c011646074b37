"""Snappy's compression."""

import numpy as np
import pytest
from write_tensorflow import compress

from kith.weights.readers.snappy import decompress


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\x00", b""),
        (b"\x03\x08abc", b"abc"),
        (b"\x08\x04ab\x05\x02\x00a", b"abababaa"),  # a copy that overlaps itself, then a literal
        (b"\x0c\x04ab\x26\x02\x00", b"ab" * 6),
        (b"\x0c\x04ab\x27\x02\x00\x00\x00", b"ab" * 6),
        (bytes([100, 60 << 2, 99]) + b"x" * 100, b"x" * 100),
    ],
)
def test_elements(data: bytes, expected: bytes) -> None:
    assert decompress(memoryview(data)) == expected


def test_round_trip() -> None:
    dice = np.random.default_rng(0)
    for size in (1, 59, 60, 61, 300, 5000):
        data = dice.integers(97, 100, size).astype(np.uint8).tobytes()
        assert decompress(memoryview(compress(data))) == data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xff\xff\xff\x0f\x00a",  # 4 GiB out of two bytes
        b"\x05\x08abc",
        b"\x01\x08abc",
        b"\x04\x01\x00",
        b"\x04\x00a\x01\x05",
        b"\x09\x20ab",
        b"\x09\xf4\x01",
    ],
)
def test_damage(data: bytes) -> None:
    with pytest.raises(ValueError, match="cut off|length|before the start"):
        decompress(memoryview(data))
