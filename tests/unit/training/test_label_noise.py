from pathlib import Path

import numpy as np
import pytest

from kith.errors import TrainingError
from kith.training import label_noise
from kith.training.label_noise import SAME_PICTURE, find_label_noise, write_report
from kith.workflows.people_folders import PersonPhoto


def make(
    labels: list[int], seed: int = 0, spread: float = 0.2
) -> tuple[list[PersonPhoto], np.ndarray, np.ndarray]:
    chance = np.random.default_rng(seed)
    centres = chance.standard_normal((max(labels) + 1, 16))
    rows = centres[labels] + spread * chance.standard_normal((len(labels), 16))
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    photos = [PersonPhoto(f"person {label}", Path(f"{i}.jpg")) for i, label in enumerate(labels)]
    return photos, rows, np.array(labels)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("rows_at_once", [1024, 3])
def test_it_finds_what_a_slow_search_finds(
    seed: int, rows_at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(label_noise, "_ROWS", rows_at_once)
    photos, rows, labels = make([0, 0, 0, 1, 1, 2, 2, 2, 2, 3, 3, 3], seed, spread=0.8)
    rows[7], rows[10] = rows[3], rows[8]
    noise = find_label_noise(photos, rows, labels, 0.5)
    outliers = set()
    for i in range(len(rows)):
        same = [j for j in range(len(rows)) if labels[j] == labels[i] and j != i]
        mean = rows[same].sum(axis=0)
        if len(same) > 1 and rows[i] @ mean / np.linalg.norm(mean) < 0.5:
            outliers.add(i)
    assert {int(outlier.photo.path.stem) for outlier in noise.outliers} == outliers
    duplicates = {(i, j) for i in range(12) for j in range(i + 1, 12) if rows[i] @ rows[j] >= SAME_PICTURE}
    found = {(int(pair.first.path.stem), int(pair.second.path.stem)) for pair in noise.duplicates}
    assert found == duplicates >= {(3, 7), (8, 10)}
    assert noise.mislabelled == 2


def test_a_photo_in_the_wrong_folder_is_told_with_whom_it_looks_like() -> None:
    photos, rows, labels = make([0] * 5 + [1] * 5)
    labels[4] = 1
    photos[4] = PersonPhoto("person 1", Path("4.jpg"))
    (outlier,) = find_label_noise(photos, rows, labels, 0.5).outliers
    assert (outlier.photo, outlier.looks_like) == (photos[4], "person 0")


def test_labels_need_not_be_consecutive() -> None:
    photos, rows, labels = make([0] * 4 + [1] * 4)
    assert find_label_noise(photos, rows, labels * 7 + 3, 0.5) == find_label_noise(photos, rows, labels, 0.5)


def test_clean_photos_have_nothing_to_report(tmp_path: Path) -> None:
    noise = find_label_noise(*make([0] * 4 + [1] * 4), 0.5)
    assert (noise.outliers, noise.duplicates) == ((), ())
    write_report(noise, tmp_path / "noise.csv")
    assert (tmp_path / "noise.csv").read_text() == "kind,score,photo,person,other\n"


def test_a_report_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TrainingError, match="cannot write"):
        write_report(find_label_noise(*make([0, 0, 1, 1]), 0.5), tmp_path / "file" / "noise.csv")
