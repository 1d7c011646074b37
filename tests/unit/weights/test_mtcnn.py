import io
import marshal
import pickle
from pathlib import Path

import joblib
import lz4.frame
import numpy as np
import pytest

from kith.catalogue.builtin import DETECTORS
from kith.catalogue.files import find_package_file, read_weights
from kith.errors import UnsupportedFile
from kith.weights.joblib import read_joblib_arrays
from kith.weights.mtcnn import read_mtcnn_pnet
from kith.weights.registry import READERS


def dump(value: object) -> bytes:
    buffer = io.BytesIO()
    joblib.dump(value, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("stage", ["pnet", "rnet", "onet"])
def test_arrays_equal_what_joblib_itself_reads(stage: str) -> None:
    spec = DETECTORS["mtcnn"].weights[stage]
    expected = joblib.load(find_package_file(spec.file))
    found = list(READERS[spec.reader](read_weights(spec)).values())
    assert len(found) == len(expected)
    for ours, theirs in zip(found[:-2], expected[:-2], strict=True):
        assert ours.dtype == theirs.dtype
        assert (ours == theirs).all()


@pytest.mark.parametrize(
    "arrays",
    [
        [],
        [np.arange(6, dtype=np.float32).reshape(2, 3)],
        [
            np.asfortranarray(np.arange(12, dtype=np.float64).reshape(3, 4)),
            np.arange(3),
            np.array(7, np.float32),
        ],
    ],
)
def test_lists_of_arrays(arrays: list[np.ndarray]) -> None:
    found = read_joblib_arrays(dump(arrays))
    assert len(found) == len(arrays)
    for ours, theirs in zip(found, arrays, strict=True):
        assert ours.shape == theirs.shape
        assert (ours == theirs).all()


class Payload:
    """What an attacker would put in: unpickling it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_payload_is_refused_and_not_executed(tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    hostile = pickle.dumps([Payload(marker)])
    pickle.loads(hostile)
    assert marker.exists(), "the payload must be able to do harm, or this test shows nothing"
    marker.unlink()
    with pytest.raises(UnsupportedFile):
        read_joblib_arrays(dump([Payload(marker)]))
    with pytest.raises(UnsupportedFile):
        read_joblib_arrays(hostile)
    with pytest.raises(UnsupportedFile):
        read_mtcnn_pnet(lz4.frame.compress(hostile))
    assert not marker.exists()


@pytest.mark.parametrize(
    "value",
    [{"a": np.zeros(2)}, [1, 2, 3], ["text"], np.zeros(3), [np.array([None])], [np.zeros(2), "text"], None],
)
def test_anything_but_a_list_of_arrays_is_refused(value: object) -> None:
    with pytest.raises(UnsupportedFile):
        read_joblib_arrays(dump(value))


def test_files_cut_off_are_refused() -> None:
    content = dump([np.arange(100, dtype=np.float32), np.arange(50, dtype=np.float32)])
    for length in range(0, len(content) - 1, 7):
        with pytest.raises(UnsupportedFile):
            read_joblib_arrays(content[:length])


def test_a_bomb_is_refused() -> None:
    with pytest.raises(UnsupportedFile, match="larger than 64 MiB"):
        read_mtcnn_pnet(lz4.frame.compress(bytes(100 * 2**20)))


def test_another_kind_of_file_is_refused() -> None:
    with pytest.raises(UnsupportedFile, match="not an intact LZ4 file"):
        read_mtcnn_pnet(marshal.dumps([1, 2, 3]))
