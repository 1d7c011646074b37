"""Which photographs are compared with which."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kith.errors import EvaluationError
from kith.evaluation.labelled import LabelledPhotos

MOST_NON_MATED = 1_000_000
"""Taken of a folder: what more there are, a draw stands for."""
MOST_MATED = 100
"""Taken of one person, so that whoever has hundreds of photos does not speak for all."""


@dataclass(frozen=True, slots=True, eq=False)
class PairsProtocol:
    """Pairs of photos, mated or not.

    Attributes:
        photos: The photos that appear in a pair, each once.
        pairs: (n, 2) int64, positions in `photos`.
        mated: (n,) bool, whether both show the same person.
        subjects: (photos,) int64, whom each photo shows, numbered from 0.
        folds: (n,) int64, the fold of each pair; None where there are no folds.
    """

    photos: tuple[Path, ...]
    pairs: np.ndarray
    mated: np.ndarray
    subjects: np.ndarray
    folds: np.ndarray | None = None


def all_pairs(people: LabelledPhotos, *, most: int = MOST_NON_MATED, seed: int = 0) -> PairsProtocol:
    """Every pair of a folder's photos; where there are very many, so many drawn at random.

    Raises:
        EvaluationError: Nobody has two photos.
    """
    generator = np.random.default_rng(seed)
    mated = _mated_pairs(people.subjects, generator)
    if not len(mated):
        raise EvaluationError("nobody has two photos, so there is no pair of one person to measure with")
    non_mated = _non_mated_pairs(people.subjects, most, generator)
    pairs = np.concatenate([mated, non_mated])
    return PairsProtocol(people.photos, pairs, np.arange(len(pairs)) < len(mated), people.subjects)


def _mated_pairs(subjects: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    found = [np.empty((0, 2), np.int64)]
    for subject in np.unique(subjects):
        members = np.flatnonzero(subjects == subject)
        pairs = np.stack(np.triu_indices(len(members), 1), axis=1)
        found.append(members[generator.permutation(pairs)[:MOST_MATED]])
    return np.concatenate(found)


def _non_mated_pairs(subjects: np.ndarray, most: int, generator: np.random.Generator) -> np.ndarray:
    count = len(subjects)
    if count * (count - 1) // 2 <= 4 * most:
        pairs = np.stack(np.triu_indices(count, 1), axis=1)
        pairs = np.asarray(pairs[subjects[pairs[:, 0]] != subjects[pairs[:, 1]]])
        return pairs if len(pairs) <= most else pairs[generator.choice(len(pairs), most, replace=False)]
    drawn = np.sort(generator.integers(count, size=(2 * most, 2)), axis=1)
    drawn = np.unique(drawn[subjects[drawn[:, 0]] != subjects[drawn[:, 1]]], axis=0)
    return drawn[generator.permutation(len(drawn))[:most]]


def read_pairs(folder: str | os.PathLike[str], pairs_file: str | os.PathLike[str]) -> PairsProtocol:
    """Read a file of pairs: on each line two photos and whether they show one person.

    The three are separated by commas or tabs; photos are given relative to the folder; the third is
    1, mated or same, or else 0, non-mated or different. Empty lines, and lines that begin with #, do not
    count. Whom a photo shows follows from the mated pairs: photos linked by them are one person's.

    Raises:
        EvaluationError: The file or a photo is missing, or a line is malformed or contradicts others.
    """
    root, file = Path(folder), Path(pairs_file)
    if not root.is_dir():
        raise EvaluationError(f"{root}: no such folder")
    positions: dict[Path, int] = {}
    pairs, mated, numbers = [], [], []
    for number, line in enumerate(read_lines(file), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        first, second, same = _pair(file, number, line)
        pairs.append([positions.setdefault(root / photo, len(positions)) for photo in (first, second)])
        mated.append(same)
        numbers.append(number)
    require_photos(file, positions)
    protocol = PairsProtocol(
        tuple(positions),
        np.array(pairs, np.int64).reshape(-1, 2),
        np.array(mated, bool),
        subjects_of(len(positions), pairs, mated),
    )
    _refuse_contradictions(file, protocol, numbers)
    return protocol


def subjects_of(count: int, pairs: list[list[int]], mated: list[bool]) -> np.ndarray:
    """Whom each of so many photos shows (count,), numbered from 0: photos linked by mated pairs are one's."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    linked = np.array([pair for pair, same in zip(pairs, mated, strict=True) if same], np.int64).reshape(
        -1, 2
    )
    graph = coo_array((np.ones(len(linked)), (linked[:, 0], linked[:, 1])), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def read_lines(file: Path) -> list[str]:
    """The lines of a text file.

    Raises:
        EvaluationError: It cannot be read, or is no text.
    """
    try:
        return file.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise EvaluationError(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise EvaluationError(f"{file}: not a text file") from None


def require_photos(file: Path, photos: Iterable[Path]) -> None:
    """Refuse a list of pairs of which photos are missing.

    Raises:
        EvaluationError: Names the first, and says how many there are.
    """
    missing = [photo for photo in photos if not photo.is_file()]
    if missing:
        others = f" and {len(missing) - 1} others" if len(missing) > 1 else ""
        raise EvaluationError(f"{missing[0]}: this photo of {file.name} is missing{others}")


_SAME = {"1": True, "mated": True, "same": True, "0": False, "non-mated": False, "different": False}


def _pair(file: Path, number: int, line: str) -> tuple[str, str, bool]:
    words = [word.strip() for word in line.split("\t" if "\t" in line else ",")]
    if len(words) != 3 or words[2].lower() not in _SAME or not words[0] or not words[1]:
        raise EvaluationError(
            f"{file}, line {number}: expected two photos and 1 or 0, separated by commas or tabs"
        )
    if words[0] == words[1]:
        raise EvaluationError(f"{file}, line {number}: {words[0]} is paired with itself")
    return words[0], words[1], _SAME[words[2].lower()]


def _refuse_contradictions(file: Path, protocol: PairsProtocol, numbers: list[int]) -> None:
    first, second = protocol.subjects[protocol.pairs].T
    wrong = np.flatnonzero((first == second) & ~protocol.mated)
    if len(wrong):
        photos = [protocol.photos[index].name for index in protocol.pairs[wrong[0]]]
        raise EvaluationError(
            f"{file}, line {numbers[wrong[0]]}: {photos[0]} and {photos[1]} are called two people, "
            "but other lines make them one"
        )
