"""TensorFlow's checkpoints, written by the test and, where it is installed, by TensorFlow."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from assertions import assert_same
from recipes import sandberg
from write_tensorflow import write_checkpoint, write_graph

from kith.errors import UnsupportedFile
from kith.weights.readers import sorted_table
from kith.weights.readers.names_inception_resnet_v1 import inception_resnet_v1_from_tensorflow
from kith.weights.readers.tensorflow_checkpoint import read_tensorflow_checkpoint
from kith.weights.readers.tensorflow_files import is_checkpoint, read_checkpoint_files, read_tensorflow_zip

DICE = np.random.default_rng(0)
VARIABLES = {
    **{f"layer_{n}/weights": DICE.standard_normal((2, n)).astype(np.float32) for n in range(1, 250)},
    "layer_1/biases": np.float32([1, 2]),
    "global_step": np.array(3, np.int64),
}
STEM = "model-20180402-114759.ckpt-275"
SHARD = f"{STEM}.data-00000-of-00001"


@pytest.mark.parametrize("snappy", [False, True], ids=["plain", "snappy"])
def test_variables(snappy: bool) -> None:
    index, data = write_checkpoint(VARIABLES, snappy=snappy)
    assert_same(read_tensorflow_checkpoint(index, [data]), VARIABLES)


def test_sandberg(shared: Path) -> None:
    index, data = write_checkpoint(sandberg(shared) | {"Logits/weights": np.zeros((128, 9), np.float32)})
    assert_same(
        inception_resnet_v1_from_tensorflow(read_tensorflow_checkpoint(index, [data])),
        inception_resnet_v1_from_tensorflow(sandberg(shared)),
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    index, data = write_checkpoint(VARIABLES)
    (tmp_path / f"{STEM}.index").write_bytes(index)
    (tmp_path / SHARD).write_bytes(data)
    (tmp_path / f"{STEM}.meta").write_bytes(b"never read")
    (tmp_path / "checkpoint").write_text("never read")
    return tmp_path


@pytest.mark.parametrize("name", ["", f"{STEM}.index", f"{STEM}.meta", SHARD])
def test_files_beside_each_other(folder: Path, name: str) -> None:
    assert is_checkpoint(folder / name)
    assert_same(read_checkpoint_files(folder / name), VARIABLES)


@pytest.mark.parametrize("name", [f"{STEM}.index", SHARD])
def test_a_file_is_missing(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(UnsupportedFile, match="one of them is missing"):
        read_checkpoint_files(folder / f"{STEM}.meta")


def test_two_checkpoints_in_a_folder(folder: Path) -> None:
    (folder / "other.index").write_bytes(b"")
    with pytest.raises(UnsupportedFile, match="2 checkpoints"):
        read_checkpoint_files(folder)


def zipped(files: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()


def test_published_archive() -> None:
    index, data = write_checkpoint(VARIABLES)
    files = {"20180402-114759/20180402-114759.pb": b"never read"}
    files |= {f"20180402-114759/{STEM}.index": index, f"20180402-114759/{SHARD}": data}
    assert_same(read_tensorflow_zip(zipped(files)), VARIABLES)


def test_archive_of_a_graph() -> None:
    constants = {"weights": np.ones((2, 3), np.float32)}
    assert_same(read_tensorflow_zip(zipped({"m/m.pb": write_graph(constants)})), constants)


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        ({}, "0 TensorFlow checkpoints and 0 graphs"),
        ({"a.pb": b"", "b.pb": b""}, "2 graphs"),
        ({"a.pb": bytes(10**7)}, "too large for weights"),
        ({f"{STEM}.index": write_checkpoint(VARIABLES)[0]}, "of which 0 are here"),
    ],
)
def test_other_archives(files: dict[str, bytes], complaint: str) -> None:
    with pytest.raises(UnsupportedFile, match=complaint):
        read_tensorflow_zip(zipped(files))


def test_written_by_tensorflow(tmp_path: Path) -> None:
    tensorflow = pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
    v1 = tensorflow.compat.v1
    with v1.Graph().as_default(), v1.Session() as session:
        for name, values in VARIABLES.items():
            v1.get_variable(name, initializer=values, use_resource=False)
        session.run(v1.global_variables_initializer())
        v1.train.Saver().save(session, str(tmp_path / STEM))
    assert_same(read_checkpoint_files(tmp_path), VARIABLES)


def test_checksum_is_that_of_castagnoli() -> None:
    assert sorted_table._crc32c(memoryview(b"123456789")) == 0xE3069283


def test_changed_index_is_noticed() -> None:
    index, data = write_checkpoint(VARIABLES)
    changed = bytearray(index)
    changed[1000] ^= 1
    with pytest.raises(UnsupportedFile, match="damaged"):
        read_tensorflow_checkpoint(bytes(changed), [data])


@pytest.mark.parametrize("shards", [[], [b"", b""]])
def test_wrong_number_of_data_files(shards: list[bytes]) -> None:
    with pytest.raises(UnsupportedFile, match=f"1 data files, of which {len(shards)}"):
        read_tensorflow_checkpoint(write_checkpoint(VARIABLES)[0], shards)


def test_data_of_another_checkpoint() -> None:
    with pytest.raises(UnsupportedFile, match="do not belong together"):
        read_tensorflow_checkpoint(write_checkpoint(VARIABLES)[0], [b"short"])
