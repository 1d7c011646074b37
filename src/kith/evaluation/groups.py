"""Are some groups of people served worse? Error rates of each at the common threshold."""

import csv
import os
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kith.errors import EvaluationError
from kith.evaluation.bootstrap import REPLICATES, Estimate, estimate_rate, pair_weights
from kith.evaluation.pairs import read_lines


@dataclass(frozen=True, slots=True)
class GroupResult:
    """A group's error rates.

    Attributes:
        label: Of the group.
        people: How many of its people appear in a pair.
        mated: How many pairs show one of them.
        non_mated: How many pairs show two of them.
        fmr: False match rate among them; None without such pairs.
        fnmr: False non-match rate; None without such pairs.
    """

    label: str
    people: int
    mated: int
    non_mated: int
    fmr: Estimate | None
    fnmr: Estimate | None


def read_groups(file: str | os.PathLike[str]) -> dict[str, str]:
    """Read a CSV of group labels: on each line a person (the folder's name) or a photo, and a label.

    Raises:
        EvaluationError: The file is missing or empty, or a line has not two columns or contradicts another.
    """
    path = Path(file)
    labels: dict[str, str] = {}
    for number, row in enumerate(csv.reader(read_lines(path)), start=1):
        if not row:
            continue
        if len(row) != 2 or not row[0].strip() or not row[1].strip():
            raise EvaluationError(f"{path}, line {number}: expected a person or photo, a comma, and a label")
        name, label = _composed(row[0].strip()), row[1].strip()
        if labels.setdefault(name, label) != label:
            raise EvaluationError(f"{path}, line {number}: {name} has the label {labels[name]} already")
    if not labels:
        raise EvaluationError(f"{path}: no line with a label")
    return labels


def labels_of(photos: Sequence[Path], root: Path, labels: Mapping[str, str]) -> list[str]:
    """The label of each photo, by its own path below the root, or else by its person; empty if it has none.

    Raises:
        EvaluationError: No photo has a label.
    """
    paths = [_composed(photo.relative_to(root).as_posix()) for photo in photos]
    found = [labels.get(path, labels.get(path.partition("/")[0], "")) for path in paths]
    if not any(found):
        example = paths[0].partition("/")[0] if photos else "none"
        raise EvaluationError(f"no label fits any person or photo, which are called like {example}")
    return found


def _composed(name: str) -> str:
    """A name in one form, however a file system or an editor spelled it."""
    return unicodedata.normalize("NFC", name)


def evaluate_groups(
    scores: np.ndarray,
    mated: np.ndarray,
    subjects: np.ndarray,
    labels: np.ndarray,
    threshold: float,
    *,
    replicates: int = REPLICATES,
) -> tuple[GroupResult, ...]:
    """Error rates of each group at one threshold.

    Args:
        scores: (n,) of pairs.
        mated: (n,) bool.
        subjects: (n, 2) int.
        labels: (n, 2) of the two photos of each pair; empty where unknown.
        threshold: Scores at or above it match.
        replicates: Of the bootstrap.
    """
    inside = (labels[:, 0] == labels[:, 1]) & (labels[:, 0] != "")
    return tuple(
        _evaluate_group(
            str(label),
            scores[inside & (labels[:, 0] == label)] >= threshold,
            mated[inside & (labels[:, 0] == label)],
            subjects[inside & (labels[:, 0] == label)],
            replicates,
        )
        for label in np.unique(labels[labels != ""])
    )


def _evaluate_group(
    label: str, matches: np.ndarray, mated: np.ndarray, subjects: np.ndarray, replicates: int
) -> GroupResult:
    people = np.unique(subjects)
    fmr = fnmr = None
    if (~mated).any():
        fmr = _rate(matches[~mated], mated[~mated], subjects[~mated], replicates)
    if mated.any():
        fnmr = _rate(~matches[mated], mated[mated], subjects[mated], replicates)
    return GroupResult(label, len(people), int(mated.sum()), int((~mated).sum()), fmr, fnmr)


def _rate(errors: np.ndarray, mated: np.ndarray, subjects: np.ndarray, replicates: int) -> Estimate:
    numbers = np.unique(subjects, return_inverse=True)[1].reshape(subjects.shape)
    shares = [
        float(errors @ weights / weights.sum())
        for weights in pair_weights(numbers, mated, replicates=replicates)
    ]
    return estimate_rate(float(errors.mean()), np.array(shares), len(errors), int(numbers.max()) + 1)
