"""Whether arrays are a network's variables, told without building it; the tables: see tests/unit/networks."""

import numpy as np
import pytest

from kith.errors import UnsupportedFile
from kith.weights.recognize import _LAST_KERNEL
from kith.weights.shapes import require_shapes, shapes_of

EXPECTED = {"a/kernel": (3, 3, 1, 2), "a/bias": (2,)}
FITTING = {name: np.ones(shape, np.float32) for name, shape in EXPECTED.items()}


def test_what_fits() -> None:
    require_shapes("net", EXPECTED, FITTING)


@pytest.mark.parametrize(
    ("arrays", "complaint"),
    [
        ({}, "2 differ, it lacks a/bias"),
        ({"a/kernel": FITTING["a/kernel"]}, "1 differ, it lacks a/bias"),
        (FITTING | {"b\n" * 100: np.ones(1)}, r"1 differ, it has no place for 'b\\nb\\n"),
        (FITTING | {"a/kernel": np.ones((3, 3, 2, 1))}, r"a/kernel has shape \(3, 3, 2, 1\), expected \(3, "),
        (FITTING | {"a/bias": np.ones((2, 1))}, "a/bias has shape"),
    ],
)
def test_what_does_not(arrays: dict[str, np.ndarray], complaint: str) -> None:
    with pytest.raises(UnsupportedFile, match=f"the weights do not fit net: {complaint}") as caught:
        require_shapes("net", EXPECTED, arrays)
    assert len(str(caught.value)) < 200
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("size", [128, 200])
@pytest.mark.parametrize(("network", "last"), _LAST_KERNEL.items())
def test_every_network_that_can_be_imported_has_a_table(network: str, last: str, size: int) -> None:
    assert shapes_of(network, size)[last][-1] == size
