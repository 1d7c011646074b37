from pathlib import Path

import numpy as np
import pytest

from kith.errors import EvaluationError
from kith.evaluation.groups import evaluate_groups, labels_of, read_groups


def test_rates_of_each_group_equal_a_plain_loop() -> None:
    random = np.random.default_rng(0)
    people = random.integers(0, 30, (2000, 2))
    mated = people[:, 0] == people[:, 1]
    mated[:600] = True
    people[:600, 1] = people[:600, 0]
    group = np.array(["a", "b", ""])[np.arange(30) % 3]
    labels = group[people]
    scores = random.random(2000) + 0.5 * mated
    results = evaluate_groups(scores, mated, people, labels, 0.7, replicates=20)
    assert [result.label for result in results] == ["a", "b"]
    for result in results:
        matches = {True: [], False: []}
        for score, same, (first, second) in zip(scores, mated, labels, strict=True):
            if first == second == result.label:
                matches[bool(same)].append(score >= 0.7)
        assert result.fnmr.value == pytest.approx(1 - np.mean(matches[True]))
        assert result.fmr.value == pytest.approx(np.mean(matches[False]))
        assert result.fmr.low < result.fmr.value < result.fmr.high
        assert (result.mated, result.non_mated) == (len(matches[True]), len(matches[False]))


def test_a_group_without_pairs_of_a_kind_has_no_rate() -> None:
    labels = np.array([["a", "a"], ["a", "b"]])
    (a, b) = evaluate_groups(
        np.array([1.0, 1.0]), np.array([True, False]), np.array([[0, 0], [0, 1]]), labels, 0.5
    )
    assert (a.fmr, b.fmr, b.fnmr) == (None, None, None)
    assert a.fnmr.value == 0


def test_labels_are_of_people_or_photos(tmp_path: Path) -> None:
    file = tmp_path / "groups.csv"
    file.write_text('Ada,young\n"Ada/2.jpg",old\n')
    labels = read_groups(file)
    photos = [tmp_path / name for name in ("Ada/1.jpg", "Ada/2.jpg", "Omar/1.jpg")]
    assert labels_of(photos, tmp_path, labels) == ["young", "old", ""]
    with pytest.raises(
        EvaluationError, match="no label fits any person or photo, which are called like Omar"
    ):
        labels_of(photos[2:], tmp_path, labels)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no line with a label"),
        ("Ada\n", "line 1: expected a person or photo"),
        ("Ada,young\nAda,old\n", "line 2: Ada has the label young already"),
        ("Ada,young,tall\n", "line 1: expected"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "groups.csv"
    file.write_text(text)
    with pytest.raises(EvaluationError, match=message):
        read_groups(file)


def test_a_name_is_one_in_either_spelling(tmp_path: Path) -> None:
    """A folder of macOS, and a table written elsewhere."""
    table = tmp_path / "groups.csv"
    table.write_text("Zo\u00eb,first\n", encoding="utf-8")
    photos = [tmp_path / "Zoe\u0308" / "1.jpg"]
    assert labels_of(photos, tmp_path, read_groups(table)) == ["first"]
