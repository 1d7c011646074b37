from pathlib import Path

import numpy as np
import pytest

from kith.errors import EvaluationError
from kith.evaluation.labelled import LabelledPhotos
from kith.evaluation.pairs import MOST_MATED, all_pairs, read_pairs


def people_of(*counts: int) -> LabelledPhotos:
    subjects = np.repeat(np.arange(len(counts)), counts)
    photos = tuple(Path(f"{subject}/{number}.jpg") for number, subject in enumerate(subjects))
    return LabelledPhotos(photos, subjects, tuple(map(str, range(len(counts)))))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, photos in (("Ada", 3), ("Grace", 2), ("Omar", 1)):
        (tmp_path / "people" / name).mkdir(parents=True)
        for number in range(photos):
            (tmp_path / "people" / name / f"{number}.jpg").touch()
    return tmp_path / "people"


def test_every_pair_is_there_once() -> None:
    people = people_of(3, 2, 1)
    protocol = all_pairs(people)
    expected = {(a, b): people.subjects[a] == people.subjects[b] for a in range(6) for b in range(a + 1, 6)}
    found = {
        tuple(sorted(pair.tolist())): same for pair, same in zip(protocol.pairs, protocol.mated, strict=True)
    }
    assert len(protocol.pairs) == len(expected)
    assert found == expected


def test_where_there_are_many_some_are_drawn() -> None:
    people = people_of(40, *[2] * 60)
    protocol = all_pairs(people, most=500)
    first, second = people.subjects[protocol.pairs].T
    assert ((first == second) == protocol.mated).all()
    assert (~protocol.mated).sum() == 500
    assert (first[protocol.mated] == 0).sum() == MOST_MATED
    assert len(np.unique(protocol.pairs, axis=0)) == len(protocol.pairs)
    again = all_pairs(people, most=500)
    assert (again.pairs == protocol.pairs).all()


def test_nobody_with_two_photos_is_refused() -> None:
    with pytest.raises(EvaluationError, match="nobody has two photos"):
        all_pairs(people_of(1, 1, 1))


PAIRS = (
    "# a comment\nAda/0.jpg,Ada/1.jpg,1\n\nAda/1.jpg\tAda/2.jpg\tmated\nAda/0.jpg, Grace/0.jpg, different\n"
)


def test_pairs_and_who_they_show(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "pairs.csv"
    file.write_text(PAIRS)
    protocol = read_pairs(folder, file)
    assert protocol.mated.tolist() == [True, True, False]
    names = [photo.relative_to(folder).as_posix() for photo in protocol.photos]
    assert names == ["Ada/0.jpg", "Ada/1.jpg", "Ada/2.jpg", "Grace/0.jpg"]
    assert protocol.subjects[0] == protocol.subjects[1] == protocol.subjects[2] != protocol.subjects[3]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (PAIRS + "Ada/0.jpg\n", "line 6: expected two photos and 1 or 0"),
        (PAIRS + "Ada/0.jpg,Grace/0.jpg,perhaps\n", "line 6: expected"),
        (PAIRS + "Ada/0.jpg,Ada/0.jpg,1\n", "line 6: Ada/0.jpg is paired with itself"),
        (PAIRS + "Ada/0.jpg,Ada/2.jpg,0\n", "line 6: 0.jpg and 2.jpg are called two people"),
        (PAIRS + "Ada/0.jpg,Ada/9.jpg,1\n", "9.jpg: this photo of pairs.csv is missing"),
    ],
)
def test_a_wrong_line_is_named(folder: Path, tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "pairs.csv"
    file.write_text(text)
    with pytest.raises(EvaluationError, match=message):
        read_pairs(folder, file)
