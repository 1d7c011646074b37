"""MXNet's `.params` files, as insightface publishes MobileFaceNet in one."""

import struct

import numpy as np
import pytest
from assertions import assert_same
from write_mxnet import insightface_names, made_up_mobilefacenet, write_mxnet

from kith.errors import UnsupportedFile
from kith.weights.mxnet import read_mxnet
from kith.weights.recognize import Format, recognize

WEIGHT = np.arange(6, dtype=np.float32).reshape(2, 3)
MEAN = np.float32([1, 2])


def test_arrays_by_name() -> None:
    found = read_mxnet(write_mxnet({"arg:fc_weight": WEIGHT, "aux:fc_mean": MEAN}))
    assert_same(found, {"fc_weight": WEIGHT, "fc_mean": MEAN})


@pytest.mark.parametrize("dtype", [np.float64, np.float16])
def test_other_floats(dtype: type) -> None:
    assert_same(read_mxnet(write_mxnet({"arg:w": WEIGHT.astype(dtype)})), {"w": WEIGHT.astype(dtype)})


def test_mobilefacenet() -> None:
    variables = made_up_mobilefacenet(embedding_size=64)
    found = recognize(write_mxnet(insightface_names(variables)))
    assert (found.format, found.network, found.embedding_size) == (Format.MXNET, "mobilefacenet", 64)
    assert_same(found.arrays, variables)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"arg:conv_1_relu_gamma": None}, "it lacks conv_1_relu_gamma"),
        ({"arg:fc1_weight": np.ones(3, np.float32)}, "it has 1 axes in fc1_weight"),
        ({"arg:conv_6dw7_7_conv2d_weight": None}, "are of no network Kith knows"),
    ],
)
def test_another_network(change: dict[str, np.ndarray | None], complaint: str) -> None:
    arrays = insightface_names(made_up_mobilefacenet()) | change
    with pytest.raises(UnsupportedFile, match=complaint):
        recognize(write_mxnet({name: values for name, values in arrays.items() if values is not None}))


FILE = write_mxnet({"arg:fc_weight": WEIGHT, "aux:fc_mean": MEAN})
ARRAY = 24  # where the first array begins
NAMES = FILE.index(b"arg:") - 16  # where the names' count stands


def changed(at: int, layout: str, number: int) -> bytes:
    written = struct.pack(layout, number)
    return FILE[:at] + written + FILE[at + len(written) :]


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (FILE[:12], "cut off"),
        (FILE[:-1], "cut off"),
        (changed(8, "<Q", 1), "damaged, or another kind of file"),
        (changed(16, "<Q", 2**63), "more arrays than any network"),
        (changed(16, "<Q", 3), "damaged, or written by MXNet of before 2018"),
        (changed(ARRAY, "<I", 0xF993FAC8), "written by MXNet of before 2018"),
        (changed(ARRAY + 4, "<i", 1), "sparse"),
        (changed(ARRAY + 8, "<I", 9), "of 9 axes"),
        (changed(ARRAY + 12, "<q", 2**60), "cut off"),
        (changed(ARRAY + 12, "<q", -2), r"an array of shape \(-2, 3\)"),
        (write_mxnet({"arg:a": np.float32(1)}), r"an array of shape \(\)"),
        (changed(ARRAY + 12, "<q", 0), r"an array of shape \(0, 3\)"),
        (changed(ARRAY + 36, "<i", 4), "type 4 are not read"),
        (changed(NAMES, "<Q", 1), "it has 2 arrays and 1 names"),
        (changed(NAMES + 8, "<Q", 2**40), "a name of 1,099,511,627,776 bytes"),
        (FILE.replace(b"aux:", b"evil"), "'evilfc_mean' is neither arg: nor aux:"),
        (write_mxnet({"arg:a": MEAN, "aux:a": MEAN}), "it has 2 arrays and 1 names"),
    ],
)
def test_damaged(data: bytes, complaint: str) -> None:
    with pytest.raises(UnsupportedFile, match=complaint) as caught:
        read_mxnet(data)
    assert len(str(caught.value).splitlines()) == 1
