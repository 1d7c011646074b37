from pathlib import Path

import pytest

from kith.errors import EvaluationError
from kith.evaluation.lfw import read_lfw_pairs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, photos in (("Ada_Lovelace", 3), ("Grace_Hopper", 2)):
        person = tmp_path / "lfw" / name
        person.mkdir(parents=True)
        for number in range(1, photos + 1):
            (person / f"{name}_{number:04d}.jpg").touch()
    return tmp_path / "lfw"


PAIRS = (
    "2\t1\n"
    "Ada_Lovelace\t1\t2\n"
    "Ada_Lovelace\t3\tGrace_Hopper\t1\n"
    "Grace_Hopper\t1\t2\n"
    "Ada_Lovelace\t1\tGrace_Hopper\t2\n"
)


def write(folder: Path, text: str) -> Path:
    path = folder.parent / "pairs.txt"
    path.write_text(text, encoding="utf-8")
    return path


def test_pairs_are_read(folder: Path) -> None:
    protocol = read_lfw_pairs(folder, write(folder, PAIRS))
    names = [[protocol.photos[index].name for index in pair] for pair in protocol.pairs]
    assert names == [
        ["Ada_Lovelace_0001.jpg", "Ada_Lovelace_0002.jpg"],
        ["Ada_Lovelace_0003.jpg", "Grace_Hopper_0001.jpg"],
        ["Grace_Hopper_0001.jpg", "Grace_Hopper_0002.jpg"],
        ["Ada_Lovelace_0001.jpg", "Grace_Hopper_0002.jpg"],
    ]
    assert protocol.mated.tolist() == [True, False, True, False]
    assert protocol.folds.tolist() == [0, 0, 1, 1]
    assert len(protocol.photos) == 5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "first line must hold two numbers"),
        ("ten\t300\n", "first line must hold two numbers"),
        ("1\t2\n", "at least two folds"),
        (PAIRS + PAIRS.splitlines()[1], "5 pairs, but its first line announces 4"),
        ("2\t1\nAda_Lovelace\t1\n" + "\n".join(PAIRS.splitlines()[2:]), "line 2: expected"),
        (PAIRS.replace("Grace_Hopper\t1\t2", "Grace_Hopper\t1\tx"), "line 4: expected"),
        (PAIRS.replace("Grace_Hopper\t1\t2", "../secret\t1\t2"), "line 4: expected"),
        (PAIRS.replace("Grace_Hopper\t1\t2", "Grace_Hopper\t1\t9"), "Grace_Hopper_0009.jpg: this photo"),
    ],
)
def test_a_wrong_file_is_named_with_its_line(folder: Path, text: str, message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        read_lfw_pairs(folder, write(folder, text))


def test_missing_files_are_named(folder: Path) -> None:
    with pytest.raises(EvaluationError, match="no such folder"):
        read_lfw_pairs(folder / "nowhere", write(folder, PAIRS))
    with pytest.raises(EvaluationError, match="No such file"):
        read_lfw_pairs(folder, folder / "nothing.txt")
    binary = folder.parent / "binary.txt"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(EvaluationError, match="not a text file"):
        read_lfw_pairs(folder, binary)
