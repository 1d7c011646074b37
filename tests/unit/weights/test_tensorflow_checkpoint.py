"""TensorFlow's checkpoints, written by the test and, where it is installed, by TensorFlow."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from assertions import assert_same
from recipes import sandberg
from write_tensorflow import bundle_entry, bundle_header, write_checkpoint, write_graph, write_table

from kith.errors import UnsupportedFile
from kith.weights.names_inception_resnet_v1 import (
    inception_resnet_v1_from_tensorflow,
    is_inception_resnet_v1_in_tensorflow,
)
from kith.weights.tensorflow_checkpoint import read_tensorflow_checkpoint
from kith.weights.tensorflow_files import find_checkpoint, read_checkpoint_files, read_tensorflow_zip

DICE = np.random.default_rng(0)
VARIABLES = {
    **{f"layer_{n}/weights": DICE.standard_normal((2, n)).astype(np.float32) for n in range(1, 250)},
    "layer_1/biases": np.float32([1, 2]),
    "global_step": np.array(3, np.int64),
}
STEM = "model-20180402-114759.ckpt-275"
SHARD = f"{STEM}.data-00000-of-00001"


def anything(name: str) -> bool:
    return True


def read(index: bytes, data: bytes, wanted: Callable[[str], bool] = anything) -> dict[str, np.ndarray]:
    return read_tensorflow_checkpoint(index, lambda number, count: io.BytesIO(data), wanted)


def test_variables() -> None:
    assert_same(read(*write_checkpoint(VARIABLES)), VARIABLES)


def test_half_precision() -> None:
    variables = {name: np.arange(4).astype(name) for name in ("float16", "bfloat16", "float64")}
    assert_same(read(*write_checkpoint(variables)), variables)


def test_a_compressed_index_is_told() -> None:
    with pytest.raises(UnsupportedFile, match="compressed with Snappy"):
        read(*write_checkpoint(VARIABLES, compression=1))


def test_only_what_is_wanted_is_read() -> None:
    """The optimizer's variables are not even looked at: here they are damaged."""
    optimizer = {f"{name}/Adam": values for name, values in VARIABLES.items()}
    index, data = write_checkpoint(VARIABLES | optimizer)
    damaged = data.replace(optimizer["layer_9/weights/Adam"].tobytes(), bytes(72))
    good = data.index(VARIABLES["layer_9/weights"].tobytes())
    damaged = damaged[:good] + data[good : good + 72] + damaged[good + 72 :]
    assert damaged != data
    assert_same(read(index, damaged, lambda name: not name.endswith("/Adam")), VARIABLES)


@pytest.mark.parametrize("start", [0, 0.7, 0.999])
def test_zeros_in_place_of_the_end(start: float) -> None:
    """As a broken download leaves them."""
    index, data = write_checkpoint(VARIABLES)
    kept = int(start * len(data))
    with pytest.raises(
        UnsupportedFile, match=r"damaged: the values of '[a-z_/0-9]+' do not have their checksum"
    ):
        read(index, data[:kept] + bytes(len(data) - kept))


def test_one_bit_flipped() -> None:
    index, data = write_checkpoint(VARIABLES)
    flipped = bytearray(data)
    flipped[data.index(VARIABLES["layer_77/weights"].tobytes()) + 5] ^= 4
    with pytest.raises(UnsupportedFile, match="the values of 'layer_77/weights' do not have"):
        read(index, bytes(flipped))


def test_nothing_of_a_known_network() -> None:
    with pytest.raises(UnsupportedFile, match="such as 'global_step'.* of no network"):
        read(*write_checkpoint(VARIABLES), lambda name: False)


def test_sandberg(shared: Path) -> None:
    trained = sandberg(shared) | {"Logits/weights": np.zeros((128, 9), np.float32)}
    name = "InceptionResnetV1/Bottleneck/weights"
    trained |= {f"{name}/{slot}": np.zeros(3, np.float32) for slot in ("Adam", "ExponentialMovingAverage")}
    arrays = read(*write_checkpoint(trained), is_inception_resnet_v1_in_tensorflow)
    assert_same(arrays, sandberg(shared))
    assert_same(
        inception_resnet_v1_from_tensorflow(arrays), inception_resnet_v1_from_tensorflow(sandberg(shared))
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    index, data = write_checkpoint(VARIABLES)
    (tmp_path / f"{STEM}.index").write_bytes(index)
    (tmp_path / SHARD).write_bytes(data)
    (tmp_path / f"{STEM}.meta").write_bytes(b"never read")
    (tmp_path / "checkpoint").write_text(f'model_checkpoint_path: "/elsewhere/{STEM}"\n')
    return tmp_path


def read_files(path: Path) -> dict[str, np.ndarray]:
    prefix = find_checkpoint(path)
    assert prefix is not None
    return read_checkpoint_files(prefix, anything)


@pytest.mark.parametrize("name", ["", STEM, f"{STEM}.index", f"{STEM}.meta", SHARD, "checkpoint"])
def test_files_beside_each_other(folder: Path, name: str) -> None:
    assert find_checkpoint(folder / name) == folder / STEM
    assert_same(read_files(folder / name), VARIABLES)


def test_links_to_files(folder: Path, tmp_path: Path) -> None:
    links = tmp_path / "links"
    links.mkdir()
    for name in (f"{STEM}.index", SHARD):
        (links / name).symlink_to(folder / name)
    assert_same(read_files(links), VARIABLES)


def test_folder_of_a_saved_model(folder: Path, tmp_path: Path) -> None:
    variables = tmp_path / "model" / "variables"
    variables.mkdir(parents=True)
    for name in (f"{STEM}.index", SHARD):
        (folder / name).rename(variables / name)
    assert_same(read_files(tmp_path / "model"), VARIABLES)


def test_what_is_no_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").write_text("of something else")
    for path in (tmp_path, tmp_path / "checkpoint", tmp_path / "missing"):
        assert find_checkpoint(path) is None


@pytest.mark.parametrize("name", [f"{STEM}.index", SHARD])
def test_a_file_is_missing(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(UnsupportedFile, match=f"'{name}' is missing"):
        read_files(folder / f"{STEM}.meta")


def test_two_checkpoints_in_a_folder(folder: Path) -> None:
    (folder / "other.index").write_bytes(b"")
    assert_same(read_files(folder), VARIABLES)
    (folder / "checkpoint").write_text("damaged")
    with pytest.raises(UnsupportedFile, match="2 checkpoints"):
        read_files(folder)


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
    assert_same(read_tensorflow_zip(zipped(files), anything), VARIABLES)


def test_archive_of_a_graph() -> None:
    constants = {"weights": np.ones((2, 3), np.float32)}
    assert_same(read_tensorflow_zip(zipped({"m/m.pb": write_graph(constants)}), anything), constants)


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        ({}, "0 TensorFlow checkpoints and 0 graphs"),
        ({"a.pb": b"", "b.pb": b""}, "2 graphs"),
        ({"a.pb": bytes(10**7)}, "too large for weights"),
        (
            {f"{STEM}.index": write_checkpoint(VARIABLES)[0]},
            "of the checkpoint's 1 data files, '.*' is missing",
        ),
        ({"readme.txt": b"", "a.pdf": b""}, "begins with 'readme.txt'"),
    ],
)
def test_other_archives(files: dict[str, bytes], complaint: str) -> None:
    with pytest.raises(UnsupportedFile, match=complaint):
        read_tensorflow_zip(zipped(files), anything)


def test_written_by_tensorflow(tmp_path: Path) -> None:
    tensorflow = pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
    v1 = tensorflow.compat.v1
    with v1.Graph().as_default(), v1.Session() as session:
        for name, values in VARIABLES.items():
            v1.get_variable(name, initializer=values, use_resource=False)
        session.run(v1.global_variables_initializer())
        v1.train.Saver().save(session, str(tmp_path / STEM))
    assert_same(read_files(tmp_path), VARIABLES)


def test_changed_index_is_noticed() -> None:
    index, data = write_checkpoint(VARIABLES)
    changed = bytearray(index)
    changed[1000] ^= 1
    with pytest.raises(UnsupportedFile, match=r"index is damaged.*wrong checksum"):
        read(bytes(changed), data)


@pytest.mark.parametrize("data", [b"", b"short"])
def test_data_of_another_checkpoint(data: bytes) -> None:
    with pytest.raises(UnsupportedFile, match="cut off, or is another checkpoint's: 'global_step'"):
        read(write_checkpoint(VARIABLES)[0], data)


def index_of(*entries: tuple[str, bytes]) -> bytes:
    return write_table([(b"", bundle_header(1)), *((name.encode(), entry) for name, entry in entries)])


@pytest.mark.parametrize(
    ("index", "complaint"),
    [
        (index_of(("a", bundle_entry("float32", (2,), 0, bytes(8), shard=7))), "no data file 7"),
        (index_of(("a", bundle_entry("float32", (3,), 0, bytes(8)))), "another size than its shape"),
        (index_of(("b", b""), ("a", b"")), "not in order"),
        (index_of(("a" * 3000, b"")), "beyond its block"),
        (
            index_of(*((name, bundle_entry("float32", (2,), 0, bytes(8))) for name in "ab")),
            "variables overlap",
        ),
    ],
)
def test_an_index_that_cannot_be(index: bytes, complaint: str) -> None:
    with pytest.raises(UnsupportedFile, match=complaint):
        read(index, bytes(8))
