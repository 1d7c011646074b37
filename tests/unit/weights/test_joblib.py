"""joblib files that hold a list of arrays."""

import io

import joblib
import numpy as np
import pytest

from kith.errors import UnsupportedFile
from kith.weights.joblib import read_joblib_arrays

ARRAYS = [
    np.arange(6, dtype=np.float32).reshape(2, 3),
    np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    np.arange(3, dtype=np.int64),
    np.array(5, np.float32),
]


def dump(item: object) -> bytes:
    content = io.BytesIO()
    joblib.dump(item, content)
    return content.getvalue()


def test_arrays() -> None:
    found = read_joblib_arrays(dump(ARRAYS))
    assert len(found) == len(ARRAYS)
    for ours, theirs in zip(found, ARRAYS, strict=True):
        np.testing.assert_array_equal(ours, theirs)
        assert ours.dtype == theirs.dtype


@pytest.mark.parametrize("item", [{}, [1], ARRAYS[0], [print], [np.array(["text"])], [np.array([object()])]])
def test_anything_else_is_refused(item: object) -> None:
    with pytest.raises(UnsupportedFile):
        read_joblib_arrays(dump(item))


@pytest.mark.parametrize("length", range(0, 300, 7))
def test_cut_off(length: int) -> None:
    with pytest.raises(UnsupportedFile):
        read_joblib_arrays(dump(ARRAYS)[:length])
