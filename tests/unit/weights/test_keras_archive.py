"""Keras 3's archives, written by Keras."""

from pathlib import Path

import numpy as np
import pytest
from assertions import assert_same
from write_keras_h5 import write_keras_archive

from kith.errors import UnsupportedFile
from kith.weights.keras_archive import is_keras_archive, read_keras_archive
from kith.weights.keras_h5 import read_keras_h5


def test_what_keras_saves(tmp_path: Path) -> None:
    from kith import networks  # noqa: F401  chooses Keras's backend

    import keras  # isort: skip

    pixels = keras.Input((4, 4, 3))
    x = keras.layers.Conv2D(2, 3, name="stem")(pixels)
    x = keras.layers.BatchNormalization(name="stem_norm")(x)
    x = keras.layers.Dense(5, use_bias=False, name="embedding")(keras.layers.Flatten()(x))
    model = keras.Model(pixels, x)
    model.save(tmp_path / "model.keras")
    model.save_weights(tmp_path / "model.weights.h5")
    expected = {variable.path: np.asarray(variable) for variable in model.weights}
    assert_same(read_keras_archive((tmp_path / "model.keras").read_bytes()), expected)
    assert_same(read_keras_h5((tmp_path / "model.weights.h5").read_bytes()), expected)


def test_members_tell() -> None:
    assert is_keras_archive(["config.json", "model.weights.h5"])
    assert not is_keras_archive(["model/data.pkl"])


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_cut_off(share: float) -> None:
    data = write_keras_archive({"dense/kernel": np.ones((50, 50), np.float32)})
    with pytest.raises(UnsupportedFile):
        read_keras_archive(data[: int(len(data) * share)])
