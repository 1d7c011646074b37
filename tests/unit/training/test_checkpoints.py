from pathlib import Path

import numpy as np
import pytest

from kith.errors import TrainingError
from kith.training.checkpoints import Checkpoint, Checkpoints


def checkpoint(step: int, settings: str = "a = 1\nb = 2") -> Checkpoint:
    arrays = {"weights/0": np.full((2, 3), step, np.float32), "optimizer/0": np.array(step)}
    return Checkpoint(step, arrays, settings)


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    kept = Checkpoints(tmp_path / "run")
    kept.save(checkpoint(5))
    loaded = kept.load(5, "a = 1\nb = 2")
    assert loaded.step == 5
    assert loaded.arrays.keys() == checkpoint(5).arrays.keys()
    for name, array in checkpoint(5).arrays.items():
        np.testing.assert_array_equal(loaded.arrays[name], array)
        assert loaded.arrays[name].dtype == array.dtype


def test_the_last_ones_and_the_best_stay(tmp_path: Path) -> None:
    kept = Checkpoints(tmp_path, keep=2)
    for step, score in enumerate((0.1, 0.9, None, 0.3, 0.9, None)):
        kept.save(checkpoint(step), score)
    assert kept.steps() == [1, 4, 5]
    assert kept.best() == (1, 0.9)


def test_other_settings_are_refused_and_the_difference_is_told(tmp_path: Path) -> None:
    kept = Checkpoints(tmp_path)
    kept.save(checkpoint(5))
    with pytest.raises(TrainingError, match="b = 2 then, b = 3 now"):
        kept.load(5, "a = 1\nb = 3")


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    kept = Checkpoints(tmp_path)
    kept.save(checkpoint(5))
    (file,) = tmp_path.glob("step-*.npz")
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(TrainingError, match="damaged"):
        kept.load(5, "a = 1\nb = 2")


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Checkpoints(tmp_path)
    kept.save(checkpoint(5))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(TrainingError, match="No space left on device"):
        kept.save(checkpoint(6))
    monkeypatch.undo()
    assert kept.steps() == [5]
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000005.npz"]
    assert kept.load(5, "a = 1\nb = 2").step == 5


def test_an_empty_folder_has_nothing(tmp_path: Path) -> None:
    assert Checkpoints(tmp_path / "none").steps() == []
    assert Checkpoints(tmp_path / "none").best() is None
