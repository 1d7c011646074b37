"""LFW's test pairs."""

import os
from pathlib import Path

import numpy as np

from kith.errors import EvaluationError
from kith.evaluation.pairs import PairsProtocol, read_lines, require_photos


def read_lfw_pairs(folder: str | os.PathLike[str], pairs_file: str | os.PathLike[str]) -> PairsProtocol:
    """Read LFW's `pairs.txt`: 10 folds of 300 mated and 300 non-mated pairs.

    The first line says how many folds there are and how many pairs of each kind a fold has; then
    `name number number` is a mated pair and `name number name number` a non-mated one.
    Source: http://vis-www.cs.umass.edu/lfw/README.txt

    Args:
        folder: LFW's folder, with one folder per person.
        pairs_file: The file.

    Raises:
        EvaluationError: The file is missing or malformed, or a photo is missing.
    """
    root, file = Path(folder), Path(pairs_file)
    if not root.is_dir():
        raise EvaluationError(f"{root}: no such folder")
    lines = [line for line in read_lines(file) if line.strip()]
    folds, per_kind = _head(file, lines)
    expected = 1 + folds * per_kind * 2
    if len(lines) != expected:
        raise EvaluationError(f"{file}: {len(lines) - 1} pairs, but its first line announces {expected - 1}")
    positions: dict[Path, int] = {}
    pairs, mated = [], []
    for number, line in enumerate(lines[1:], start=2):
        first, second, same = _pair(file, number, line)
        pairs.append([positions.setdefault(root / photo, len(positions)) for photo in (first, second)])
        mated.append(same)
    require_photos(file, positions)
    return PairsProtocol(
        tuple(positions),
        np.array(pairs, np.int64),
        np.array(mated),
        np.unique([photo.parent.name for photo in positions], return_inverse=True)[1].astype(np.int64),
        np.arange(len(pairs)) // (2 * per_kind),
    )


def _head(file: Path, lines: list[str]) -> tuple[int, int]:
    try:
        folds, per_kind = (int(word) for word in lines[0].split())
    except (IndexError, ValueError):
        raise EvaluationError(
            f"{file}: the first line must hold two numbers, folds and pairs of each kind in a fold"
        ) from None
    if folds < 2 or per_kind < 1:
        raise EvaluationError(f"{file}: needs at least two folds of one pair, has {folds} of {per_kind}")
    return folds, per_kind


def _pair(file: Path, number: int, line: str) -> tuple[str, str, bool]:
    words = line.split("\t")
    try:
        if len(words) == 3:
            return _photo(words[0], words[1]), _photo(words[0], words[2]), True
        if len(words) == 4:
            return _photo(words[0], words[1]), _photo(words[2], words[3]), False
    except ValueError:
        pass
    raise EvaluationError(
        f"{file}, line {number}: expected 'name number number' or 'name number name number', tab-separated"
    )


def _photo(name: str, number: str) -> str:
    if "/" in name or name.startswith("."):
        raise ValueError(name)
    return f"{name}/{name}_{int(number):04d}.jpg"
