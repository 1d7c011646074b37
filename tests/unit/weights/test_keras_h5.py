"""Keras 2's HDF5 files: Taniai's, faustomorales's and deepface's layouts, and hostile ones."""

import io
import re
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from assertions import assert_same
from recipes import load_recipe, sandberg
from write_keras_h5 import keras_path, write_keras_h5

from kith.errors import UnsupportedFile
from kith.weights.keras_h5 import read_keras_h5
from kith.weights.names_inception_resnet_v1 import (
    inception_resnet_v1_from_keras,
    inception_resnet_v1_from_tensorflow,
)

VALUES = np.arange(6, dtype=np.float32).reshape(2, 3)


def make(write: Callable[[h5py.File], None]) -> bytes:
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        write(file)
    return content.getvalue()


@pytest.mark.parametrize("prefix", ["", "model_weights/"], ids=["weights", "whole model"])
def test_facenet_keras(shared: Path, prefix: str) -> None:
    """The layout of the published files, to the last dataset and to the last bit."""
    datasets = {keras_path(name): values for name, values in sandberg(shared).items()}
    layout = load_recipe(shared, "keras_facenet_h5_layout")["datasets"]
    assert {name: values.shape for name, values in datasets.items()} == {
        name: tuple(shape) for name, shape in layout
    }
    arrays = read_keras_h5(write_keras_h5(datasets, prefix=prefix))
    assert_same(inception_resnet_v1_from_keras(arrays), inception_resnet_v1_from_tensorflow(sandberg(shared)))


def test_lambda_is_never_run(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    payload = f"open({str(marker)!r}, 'w').close()"
    data = write_keras_h5({"dense/dense/kernel:0": VALUES}, prefix="model_weights/", payload=payload)
    assert_same(read_keras_h5(data), {"dense/kernel": VALUES})
    assert not marker.exists()


def test_optimizer_is_left_out() -> None:
    def write(file: h5py.File) -> None:
        file["model_weights/model/dense/kernel:0"] = VALUES  # tf.keras nests one deeper
        file["optimizer_weights/Adam/m/kernel:0"] = VALUES

    assert_same(read_keras_h5(make(write)), {"dense/kernel": VALUES})


def test_deepface_openface_names(shared: Path) -> None:
    from recipes import openface

    from kith.weights.names_nn4_small2 import (
        _convolutions,
        nn4_small2_from_keras,
        nn4_small2_from_pytorch,
    )

    expected = nn4_small2_from_pytorch(openface(shared))
    renamed = {f"dense_layer/{kind}": expected[f"embedding/{kind}"] for kind in ("kernel", "bias")}
    for name, layer, norm, _ in _convolutions():
        renamed |= {f"{layer}/{kind}": expected[f"{name}/{kind}"] for kind in ("kernel", "bias")}
        for kind in ("gamma", "beta", "moving_mean", "moving_variance"):
            renamed[f"{norm}/{kind}"] = expected[f"{name}_norm/{kind}"]
    data = write_keras_h5({re.sub("^(.*?)/(.*)$", r"\1/\1/\2:0", name): v for name, v in renamed.items()})
    assert_same(nn4_small2_from_keras(read_keras_h5(data)), expected)


def test_weights_of_keras_3() -> None:
    """Numbers in place of names; a normalization without a scale has three variables."""

    def write(file: h5py.File) -> None:
        for group, name, count in (("dense", "last", 2), ("bn", "last_norm", 4), ("bn_1", "plain_norm", 3)):
            for number in range(count):
                file[f"layers/{group}/vars/{number}"] = VALUES + number
            file[f"layers/{group}/vars"].attrs["name"] = name
        file["optimizer/vars/0"] = VALUES
        file["optimizer/vars"].attrs["name"] = "last"

    norm = ("gamma", "beta", "moving_mean", "moving_variance")
    expected = {"last/kernel": VALUES, "last/bias": VALUES + 1}
    expected |= {f"last_norm/{kind}": VALUES + number for number, kind in enumerate(norm)}
    expected |= {f"plain_norm/{kind}": VALUES + number for number, kind in enumerate(norm[1:])}
    assert_same(read_keras_h5(make(write)), expected)


def soft_link(file: h5py.File) -> None:
    file["dense/dense/kernel:0"] = VALUES
    file["dense/dense/bias:0"] = h5py.SoftLink("/dense/dense/kernel:0")


def external_link(file: h5py.File) -> None:
    file["dense/dense"] = h5py.ExternalLink("/etc/passwd", "/")


def external_storage(file: h5py.File) -> None:
    file.create_group("dense/dense").create_dataset("kernel:0", (4,), "f4", external=[("/etc/passwd", 0, 16)])


def virtual_dataset(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("/tmp/other.h5", "kernel", (4,), "f4")
    file.create_group("dense/dense").create_virtual_dataset("kernel:0", layout)


def compressed(file: h5py.File) -> None:
    file.create_group("dense/dense").create_dataset(
        "kernel:0", data=np.zeros((99, 99), "f4"), compression="gzip"
    )


def chunked(file: h5py.File) -> None:
    file.create_group("dense/dense").create_dataset("kernel:0", (2**40,), "f4", chunks=(1,))


def whole_model_elsewhere(file: h5py.File) -> None:
    """Followed, it would be opened, and a pipe waits for ever."""
    file["model_weights"] = h5py.ExternalLink("/dev/zero", "/")


def crowded(file: h5py.File) -> None:
    group = file.create_group("layer")
    group["0"] = VALUES
    for number in range(1, 5001):
        group.id.links.create_hard(str(number).encode(), group.id, b"0")


def numbered(file: h5py.File) -> h5py.Group:
    file["layers/dense/vars/0"] = VALUES
    return file["layers/dense/vars"]


def five_variables(file: h5py.File) -> None:
    for number in range(1, 5):
        file[f"layers/dense/vars/{number}"] = VALUES
    numbered(file).attrs["name"] = "dense"


def nameless_layer(file: h5py.File) -> None:
    numbered(file)


def number_for_a_name(file: h5py.File) -> None:
    numbered(file).attrs["name"] = 7


def endless_name(file: h5py.File) -> None:
    numbered(file).attrs["name"] = "x" * 10_000


def never_written(file: h5py.File) -> None:
    file.create_group("dense/dense").create_dataset("kernel:0", (10**6, 10**6), "f4")


def integers(file: h5py.File) -> None:
    file["dense/dense/kernel:0"] = np.arange(4)


def texts(file: h5py.File) -> None:
    file["dense/dense/kernel:0"] = "text"


def circle(file: h5py.File) -> None:
    file["dense/dense"] = file.create_group("other")
    file["other/again"] = file["dense"]


def same_name_twice(file: h5py.File) -> None:
    file["a/dense/kernel:0"] = VALUES
    file["b/dense/kernel:0"] = VALUES


def one_dataset_many_names(file: h5py.File) -> None:
    file["layer0/kernel:0"] = np.zeros(10**5, np.float32)
    for number in range(1, 50):
        file[f"layer{number}/kernel:0"] = file["layer0/kernel:0"]


def nothing(file: h5py.File) -> None:
    file.create_group("model_weights")


def dataset_for_a_group(file: h5py.File) -> None:
    file["model_weights"] = VALUES


@pytest.mark.parametrize(
    ("write", "complaint"),
    [
        (soft_link, "'bias:0' is a link"),
        (external_link, "'dense' is a link"),
        (external_storage, "another file"),
        (virtual_dataset, "another file"),
        (compressed, "compressed or in chunks"),
        (chunked, "compressed or in chunks"),
        (never_written, "was never written"),
        (whole_model_elsewhere, "'model_weights' is a link"),
        (crowded, "more groups than any model"),
        (five_variables, "damaged or cut off"),
        (nameless_layer, "damaged or cut off"),
        (number_for_a_name, "name is no text"),
        (endless_name, "longer than any layer's"),
        (integers, "else than floats"),
        (texts, "else than floats"),
        (circle, "more groups than any model"),
        (same_name_twice, "two variables"),
        (one_dataset_many_names, "larger than the file"),
        (nothing, "no variables"),
        (dataset_for_a_group, "no model"),
    ],
)
def test_refused(write: Callable[[h5py.File], None], complaint: str) -> None:
    with pytest.raises(UnsupportedFile, match=complaint):
        read_keras_h5(make(write))


@pytest.mark.parametrize("length", [0, 8, 100, 1000, -1])
def test_cut_off(length: int) -> None:
    with pytest.raises(UnsupportedFile):
        read_keras_h5(write_keras_h5({"dense/dense/kernel:0": VALUES})[:length])
