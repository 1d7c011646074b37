import numpy as np
import pytest

from kith.catalogue.builtin import EMBEDDERS
from kith.catalogue.files import read_weights
from kith.errors import UnsupportedFile
from kith.weights.dlib import read_dlib_resnet29
from kith.weights.registry import READERS


@pytest.fixture(scope="module")
def content() -> bytes:
    return read_weights(EMBEDDERS["dlib-resnet29"].weights)


def test_every_variable_is_there(content: bytes) -> None:
    arrays = read_dlib_resnet29(content)
    assert len(arrays) == 29 * 6 + 1
    assert arrays["stem_conv/kernel"].shape == (7, 7, 3, 32)
    assert arrays["block14_2_conv/kernel"].shape == (3, 3, 256, 256)
    assert arrays["embedding/kernel"].shape == (256, 128)
    assert all(np.isfinite(array).all() for array in arrays.values())


@pytest.mark.parametrize("length", [0, 1, 100, 20_000, 1_000_000, -1_000])
def test_a_file_cut_off_is_refused(content: bytes, length: int) -> None:
    with pytest.raises(UnsupportedFile):
        read_dlib_resnet29(content[:length])


def test_another_file_is_refused() -> None:
    with pytest.raises(UnsupportedFile, match="0 convolutions"):
        read_dlib_resnet29(b"\x89PNG" * 1000)


def test_a_tensor_that_claims_to_be_huge_is_refused_without_allocating() -> None:
    huge = b"\x01\x05con_4" + b"\x01\x02" + b"\x08" + b"\xff" * 7 + b"\x7f" + b"\x01\x01" * 3
    with pytest.raises(UnsupportedFile, match="damaged or cut off"):
        read_dlib_resnet29(huge)


@pytest.mark.parametrize("reader", READERS)
def test_no_reader_falls_over_damaged_bytes(reader: str, content: bytes) -> None:
    random = np.random.default_rng(0)
    start = content[:60_000]
    for _ in range(50):
        damaged = bytearray(start)
        for place in random.integers(0, len(start), 30):
            damaged[place] = random.integers(0, 256)
        with pytest.raises(UnsupportedFile):
            READERS[reader](bytes(damaged))
