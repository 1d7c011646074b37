import numpy as np
import pytest

from kith.errors import UnsupportedFile
from kith.weights.compact import read_compact, write_compact


def arrays() -> dict[str, np.ndarray]:
    chance = np.random.default_rng(0)
    kernel = chance.standard_normal((3, 3, 4, 5)).astype(np.float32) * np.array(
        [1e-3, 1, 1, 100, 0], np.float32
    )
    return {"conv/kernel": kernel, "conv/bias": chance.standard_normal(5).astype(np.float32)}


def test_kernels_come_back_within_half_a_level_of_their_filter_and_the_rest_exactly() -> None:
    before, after = arrays(), read_compact(write_compact(arrays()))
    assert after.keys() == before.keys()
    np.testing.assert_array_equal(after["conv/bias"], before["conv/bias"])
    for filter_ in range(5):
        one, other = before["conv/kernel"][..., filter_], after["conv/kernel"][..., filter_]
        assert np.abs(one - other).max() <= np.abs(one).max() / 127 / 2 * 1.001
    assert all(array.dtype == np.float32 for array in after.values())


def test_a_file_is_about_a_quarter_as_large() -> None:
    kernel = {"kernel": np.ones((3, 3, 64, 64), np.float32)}
    assert len(write_compact(kernel)) < kernel["kernel"].nbytes / 3.8


@pytest.mark.parametrize("cut", [0, 7, 100, -1])
def test_a_damaged_file_is_told(cut: int) -> None:
    with pytest.raises(UnsupportedFile, match="damaged"):
        read_compact(write_compact(arrays())[:cut])


def test_a_kernel_without_its_scale_is_told() -> None:
    from safetensors.numpy import save

    with pytest.raises(UnsupportedFile, match="damaged"):
        read_compact(save({"kernel": np.ones((2, 2), np.int8)}))
