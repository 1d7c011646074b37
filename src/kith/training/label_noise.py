"""Photos that seem to be in the wrong folder, and pictures that are there twice, by the default model.

Training believes its labels, and mining goes for the hardest of them: wrong ones are what it sees most.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kith.decisions.cosine import normalize
from kith.errors import TrainingError
from kith.files import write_private
from kith.records import FloatArray
from kith.workflows.people_folders import PersonPhoto

SAME_PICTURE = 0.998
"""Cosine at and above which two photos are taken for one picture, perhaps scaled or compressed anew."""

_ROWS = 1024  # of the table of all pairs, at a time


@dataclass(frozen=True, slots=True)
class Outlier:
    """A photo that does not look like the others of its person.

    Attributes:
        photo: With the person it is said to be of.
        score: Cosine with the mean of the person's other photos.
        looks_like: Somebody else whom it does look like, or nobody.
    """

    photo: PersonPhoto
    score: float
    looks_like: str = ""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Two photos that show one picture."""

    first: PersonPhoto
    second: PersonPhoto
    score: float


@dataclass(frozen=True, slots=True)
class LabelNoise:
    """What a person should look at before training."""

    outliers: tuple[Outlier, ...]
    duplicates: tuple[Duplicate, ...]

    @property
    def mislabelled(self) -> int:
        """How many pictures are there under two names."""
        return sum(pair.first.person != pair.second.person for pair in self.duplicates)


def find_label_noise(
    photos: Sequence[PersonPhoto], embeddings: FloatArray, labels: np.ndarray, threshold: float
) -> LabelNoise:
    """Compare every photo with its person's others, and with all photos.

    A person with fewer than three photos has no outliers: of two nobody knows which is wrong.

    Args:
        photos: n of them.
        embeddings: (n, d) of unit length.
        labels: (n,) integers, whose each photo is.
        threshold: Score below which two faces are not of one person.
    """
    people, labels, counts = np.unique(labels, return_inverse=True, return_counts=True)
    sums = np.zeros((len(people), embeddings.shape[1]), np.float32)
    np.add.at(sums, labels, embeddings)
    others = normalize(sums[labels] - embeddings)
    scores = np.sum(embeddings * others, axis=1)
    odd = np.flatnonzero((scores < threshold) & (counts[labels] > 2))
    names = {int(label): photo.person for label, photo in zip(labels, photos, strict=True)}
    likest = embeddings[odd] @ normalize(sums).T
    likest[np.arange(len(odd)), labels[odd]] = -1
    outliers = []
    for row, index in enumerate(odd.tolist()):
        best = int(likest[row].argmax())
        name = names[best] if likest[row, best] >= threshold else ""
        outliers.append(Outlier(photos[index], float(scores[index]), name))
    duplicates = [Duplicate(photos[i], photos[j], score) for i, j, score in _same_pictures(embeddings)]
    return LabelNoise(
        tuple(sorted(outliers, key=lambda outlier: outlier.score)),
        tuple(sorted(duplicates, key=lambda pair: pair.first.person == pair.second.person)),
    )


def write_report(noise: LabelNoise, file: Path) -> None:
    """Write a CSV file: what, score, photo, person, and the other photo or person.

    Raises:
        TrainingError: It cannot be written.
    """
    buffer = io.StringIO()
    table = csv.writer(buffer, lineterminator="\n")
    table.writerow(["kind", "score", "photo", "person", "other"])
    for outlier in noise.outliers:
        score = f"{outlier.score:.4f}"
        table.writerow(["outlier", score, outlier.photo.path, outlier.photo.person, outlier.looks_like])
    for pair in noise.duplicates:
        score = f"{pair.score:.4f}"
        table.writerow(["duplicate", score, pair.first.path, pair.first.person, pair.second.path])
    try:
        write_private(file, buffer.getvalue().encode("utf-8", "surrogateescape"))
    except OSError as error:
        raise TrainingError(f"cannot write {file}: {error.strerror or error}") from None


def _same_pictures(embeddings: FloatArray) -> Iterator[tuple[int, int, float]]:
    for start in range(0, len(embeddings), _ROWS):
        scores = embeddings[start : start + _ROWS] @ embeddings[start:].T
        for row, column in zip(*np.nonzero(scores >= SAME_PICTURE), strict=True):
            if column > row:
                yield start + int(row), start + int(column), float(scores[row, column])
