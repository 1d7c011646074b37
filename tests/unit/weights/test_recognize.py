"""Format and network of a file, told from its content."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from assertions import assert_same
from recipes import Arrays, facenet_pytorch, openface, sandberg
from write_keras_h5 import write_facenet_keras, write_keras_3, write_keras_archive, write_keras_h5
from write_pytorch import in_a_checkpoint, write_legacy_pytorch, write_pytorch
from write_tensorflow import write_checkpoint, write_graph
from write_torch7 import write_openface

from kith.errors import UnsupportedFile
from kith.weights.recognize import Format, recognize, recognize_file
from kith.weights.safetensors import write_safetensors

INCEPTION, OPENFACE = "inception_resnet_v1", "nn4_small2"


@pytest.mark.parametrize(
    ("make", "weights", "kind", "network", "embedding_size"),
    [
        (write_facenet_keras, sandberg, Format.KERAS_H5, INCEPTION, 128),
        (write_graph, sandberg, Format.TENSORFLOW_GRAPH, INCEPTION, 128),
        (write_pytorch, facenet_pytorch, Format.PYTORCH, INCEPTION, 512),
        (write_legacy_pytorch, facenet_pytorch, Format.PYTORCH, INCEPTION, 512),
        (write_pytorch, openface, Format.PYTORCH, OPENFACE, 128),
        (write_openface, openface, Format.TORCH7, OPENFACE, 128),
    ],
)
def test_recognized(
    shared: Path,
    make: Callable[[Arrays], bytes],
    weights: Callable[[Path], Arrays],
    kind: Format,
    network: str,
    embedding_size: int,
) -> None:
    found = recognize(make(weights(shared)))
    assert (found.format, found.network, found.embedding_size) == (kind, network, embedding_size)


@pytest.mark.parametrize(("make", "network"), [(sandberg, INCEPTION), (openface, OPENFACE)])
def test_our_own_form_is_recognized(shared: Path, make: Callable[[Path], Arrays], network: str) -> None:
    write = write_graph if make is sandberg else write_pytorch
    arrays = recognize(write(make(shared))).arrays
    found = recognize(write_safetensors(arrays))
    assert (found.format, found.network, found.embedding_size) == (Format.SAFETENSORS, network, 128)
    assert all((found.arrays[name] == arrays[name]).all() for name in arrays)


def test_checkpoint_is_recognized_by_any_of_its_files(shared: Path, tmp_path: Path) -> None:
    index, data = write_checkpoint(sandberg(shared))
    (tmp_path / "m.ckpt-1.index").write_bytes(index)
    (tmp_path / "m.ckpt-1.data-00000-of-00001").write_bytes(data)
    for path in (tmp_path, tmp_path / "m.ckpt-1", *tmp_path.iterdir()):
        found = recognize_file(path)
        assert (found.format, found.network, found.embedding_size) == (
            Format.TENSORFLOW_CHECKPOINT,
            INCEPTION,
            128,
        )


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_other_floats_become_float32(shared: Path, dtype: str) -> None:
    state = {name: _cast(values, dtype) for name, values in openface(shared).items()}
    found = recognize(write_pytorch(state)).arrays
    assert {values.dtype for values in found.values()} == {np.dtype(np.float32)}
    expected = recognize(write_pytorch(openface(shared))).arrays
    assert all(np.allclose(found[name], expected[name], rtol=0.01, atol=1e-3) for name in expected)


def _cast(values: np.ndarray, dtype: str) -> np.ndarray:
    return values.astype(dtype) if values.dtype.kind == "f" else values


@pytest.mark.parametrize("prefix", ["module.", "model.", "_orig_mod.module.backbone."])
@pytest.mark.parametrize("key", ["state_dict", "model_state_dict", "model"])
def test_the_network_is_found_in_a_trainings_checkpoint(shared: Path, prefix: str, key: str) -> None:
    expected = recognize(write_pytorch(openface(shared))).arrays
    assert_same(
        recognize(write_pytorch(openface(shared), prefix=prefix, **in_a_checkpoint(key))).arrays, expected
    )


def test_two_networks_in_a_state_dict(shared: Path) -> None:
    both = {f"{role}.{name}": values for role in ("a", "b") for name, values in openface(shared).items()}
    with pytest.raises(UnsupportedFile, match=r"several networks \('a.layer25.weight', 'b.layer25.weight'\)"):
        recognize(write_pytorch(both))


def test_what_keras_3_saves(shared: Path) -> None:
    """As `kith models convert --to keras` writes it."""
    expected = recognize(write_openface(openface(shared)))
    for content, kind in (
        (write_keras_archive(expected.arrays), Format.KERAS_ARCHIVE),
        (write_keras_3(expected.arrays), Format.KERAS_H5),
    ):
        found = recognize(content)
        assert (found.format, found.network, found.embedding_size) == (kind, OPENFACE, 128)
        assert_same(found.arrays, expected.arrays)


def test_a_folder_of_something_else(tmp_path: Path) -> None:
    with pytest.raises(
        UnsupportedFile, match="a folder without a TensorFlow checkpoint.*Kith reads safetensors"
    ):
        recognize_file(tmp_path)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        recognize_file(tmp_path / "missing.h5")


def test_a_link_to_a_file(shared: Path, tmp_path: Path) -> None:
    (tmp_path / "a.t7").write_bytes(write_openface(openface(shared)))
    (tmp_path / "link").symlink_to("a.t7")
    assert recognize_file(tmp_path / "link").format is Format.TORCH7


def test_name_of_the_file_says_nothing(shared: Path, tmp_path: Path) -> None:
    path = tmp_path / "renamed.png"
    path.write_bytes(write_openface(openface(shared)))
    assert recognize_file(path).format is Format.TORCH7


OTHER = {"dense.weight": np.ones((2, 3), np.float32)}


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "no weights file of a known format; Kith reads safetensors, .*Torch7"),
        (b"\x08\x01\x12\x04none", "a TensorFlow SavedModel, which is not run.*variables"),
        (b"\x08\x08\x12\x04none", "perhaps an ONNX network"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "no weights file of a known format"),
        (b"<!DOCTYPE html>", "no weights file of a known format"),
        (write_checkpoint(OTHER)[0], r"\.data-\* file must lie beside"),
        (write_pytorch(OTHER), "'dense.weight'"),
        (write_legacy_pytorch(OTHER), "'dense.weight'"),
        (write_graph(OTHER), "'dense.weight'"),
        (write_keras_h5({"dense/dense/kernel:0": OTHER["dense.weight"]}), "'dense/kernel'"),
    ],
)
def test_everything_else_is_one_clear_error(data: bytes, complaint: str) -> None:
    with pytest.raises(UnsupportedFile, match=complaint):
        recognize(data)
