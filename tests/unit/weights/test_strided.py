"""Tensors as windows on a storage, and names fit for a message."""

import numpy as np
import pytest

from kith.weights.quoting import quoted
from kith.weights.strided import strided_view

STORAGE = np.arange(12, dtype=np.float32)


@pytest.mark.parametrize(
    ("offset", "shape", "strides", "expected"),
    [
        (0, (3, 4), (4, 1), STORAGE.reshape(3, 4)),
        (0, (4, 3), (1, 4), STORAGE.reshape(3, 4).T),
        (2, (2, 2), (6, 3), [[2, 5], [8, 11]]),
        (0, (3, 2), (0, 1), [[0, 1]] * 3),
        (11, (), (), 11),
        (0, (1, 2), (2**80, 1), [[0, 1]]),
    ],
)
def test_view(offset: int, shape: tuple[int, ...], strides: tuple[int, ...], expected: object) -> None:
    found = strided_view(STORAGE, offset, shape, strides)
    np.testing.assert_array_equal(found, expected)
    assert np.shares_memory(found, STORAGE)
    assert not found.flags.writeable


@pytest.mark.parametrize(
    ("offset", "shape", "strides"),
    [
        (0, (13,), (1,)),
        (1, (12,), (1,)),
        (12, (1,), (1,)),
        (-1, (2,), (1,)),
        (4, (2,), (-1,)),
        (0, (-2, -2), (1, 1)),
        (0, (100, 100), (0, 0)),  # a small window that would fill memory when copied
        (0, (0,), (1,)),
        (0, (2**62, 2**62), (0, 0)),
        (0, (2, 2), (1,)),
        (0.0, (2,), (1,)),
        (0, ("2",), (1,)),
        (0, (1,) * 9, (1,) * 9),
    ],
)
def test_nothing_beyond_the_storage(offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="tensor|storage|zip"):
        strided_view(STORAGE, offset, shape, strides)


@pytest.mark.parametrize("name", ["", "a\nb\x1b[31m", "\udc80", "x" * 10**6, "\0" * 10**6])
def test_quoted_is_one_short_line(name: str) -> None:
    assert len(quoted(name)) <= 82
    assert quoted(name).isprintable()
