"""Torch7's binary files, as OpenFace's nn4.small2.v1.t7 is one."""

import struct
from pathlib import Path

import numpy as np
import pytest
from assertions import assert_same
from recipes import openface
from write_torch7 import Function, Module, Torch7Writer, write_openface

from kith.errors import UnsupportedFile
from kith.weights.names_nn4_small2 import nn4_small2_from_layers, nn4_small2_from_pytorch
from kith.weights.torch7 import read_torch7_layers

WEIGHT = np.arange(6, dtype=np.float32).reshape(2, 3)
BIAS = np.float32([1, 2])


def write(item: object) -> bytes:
    return bytes(Torch7Writer().write(item).content)


def test_openface(shared: Path) -> None:
    layers = read_torch7_layers(write_openface(openface(shared)))
    assert_same(nn4_small2_from_layers(layers), nn4_small2_from_pytorch(openface(shared)))


def test_order_is_that_of_the_numbers() -> None:
    """A Lua table is written in any order."""
    layers = {number: Module("Linear", weight=WEIGHT + number) for number in (3, 1, 11, 2)}
    found = read_torch7_layers(write(Module("Sequential", modules=layers)))
    assert [layer["weight"][0, 0] for layer in found] == [1, 2, 3, 11]


def test_function_is_stepped_over() -> None:
    hook = Function("bytecode that is never loaded")
    layer = Module("Linear", before=hook, weight=WEIGHT, after=hook, bias=BIAS)
    (found,) = read_torch7_layers(write(layer))
    assert_same(found, {"weight": WEIGHT, "bias": BIAS})


def test_shared_layer_stands_once() -> None:
    layer = Module("Linear", weight=WEIGHT)
    assert len(read_torch7_layers(write(Module("Sequential", modules={1: layer, 2: layer})))) == 1


def test_doubles_become_float32() -> None:
    (found,) = read_torch7_layers(write(Module("Linear", weight=WEIGHT.astype(np.float64))))
    assert_same(found, {"weight": WEIGHT})


def test_old_normalization() -> None:
    """Before 2016 it kept the inverse standard deviation."""
    variance = np.float32([0.5, 2])
    inverse = ((variance + 1e-3) ** -0.5).astype(np.float32)
    (found,) = read_torch7_layers(write(Module("BatchNormalization", eps=1e-3, running_std=inverse)))
    np.testing.assert_allclose(found["running_var"], variance, rtol=1e-6)


def tensor(axes: int, numbers: tuple[int, ...], storage: bytes) -> bytes:
    """A Linear whose weight is written by hand."""
    head = struct.pack("<ii", 4, 1) + b"\x03\0\0\0V 1" + b"\x09\0\0\0nn.Linear"
    table = struct.pack("<iii", 3, 2, 1) + b"\x02\0\0\0\x06\0\0\0weight"
    content = struct.pack("<ii", 4, 3) + b"\x03\0\0\0V 1" + b"\x11\0\0\0torch.FloatTensor"
    return (
        head
        + table
        + content
        + struct.pack("<i", axes)
        + struct.pack(f"<{len(numbers)}q", *numbers)
        + storage
    )


STORAGE = (
    struct.pack("<ii", 4, 4)
    + b"\x03\0\0\0V 1"
    + b"\x12\0\0\0torch.FloatStorage"
    + struct.pack("<q4f", 4, 1, 2, 3, 4)
)


def test_view_of_a_storage() -> None:
    (found,) = read_torch7_layers(tensor(2, (2, 2, 1, 2, 1), STORAGE))
    assert_same(found, {"weight": np.float32([[1, 3], [2, 4]])})


def test_stride_of_an_axis_of_one_may_be_any_number() -> None:
    (found,) = read_torch7_layers(tensor(2, (1, 4, 2**62, 1, 1), STORAGE))
    assert_same(found, {"weight": np.float32([[1, 2, 3, 4]])})


@pytest.mark.parametrize(
    "numbers",
    [
        (2, 3, 3, 1, 1),
        (2, 2, 2, 1, 2),
        (2, 2, 2, 1, 0),
        (2, 2, -2, 1, 1),
        (-2, 2, 2, 1, 1),
        (2**62, 2**62, 0, 0, 1),
    ],
)
def test_tensor_beyond_its_storage(numbers: tuple[int, ...]) -> None:
    with pytest.raises(UnsupportedFile, match="storage"):
        read_torch7_layers(tensor(2, numbers, STORAGE))


def test_absurd_storage() -> None:
    with pytest.raises(UnsupportedFile, match="cut off"):
        read_torch7_layers(tensor(1, (4, 1, 1), STORAGE[:-24] + struct.pack("<q", 2**60)))


def test_nested_without_end() -> None:
    item: dict[int, object] = {}
    for _ in range(200):
        item = {1: item}
    with pytest.raises(UnsupportedFile, match="nested too deeply"):
        read_torch7_layers(write(item))


@pytest.mark.parametrize(
    "data", [b"", b"4\n1\n3\nV 1\n", b"\x09\0\0\0", write(Module("Linear", weight=WEIGHT))[:-5]]
)
def test_damaged(data: bytes) -> None:
    with pytest.raises(UnsupportedFile, match="damaged"):
        read_torch7_layers(data)


def test_one_storage_for_many_layers() -> None:
    weight = np.zeros(10**5)
    layers = {number: Module("Linear", weight=weight[:]) for number in range(1, 9)}
    for layer in layers.values():
        layer.fields["weight"] = weight
    with pytest.raises(UnsupportedFile, match="larger than the file"):
        read_torch7_layers(write(Module("Sequential", modules=layers)))
