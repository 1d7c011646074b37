"""How well people whom the network never learned from are told apart."""

import numpy as np

from kith.decisions.decide import threshold_at_fmr
from kith.errors import TrainingError
from kith.records import FloatArray

_ROWS = 1024  # of the table of all pairs, at a time


def tar_at_fmr(embeddings: FloatArray, labels: np.ndarray, fmr: float) -> float:
    """The share of mated pairs that match at the threshold where this share of non-mated pairs does.

    All pairs of the images are compared.

    Args:
        embeddings: (n, d) of unit length.
        labels: (n,) integers, whose each image is.
        fmr: Wanted false match rate.

    Raises:
        TrainingError: There are no mated pairs, or too few non-mated ones for so low a rate.
    """
    mated, non_mated = [], []
    for start in range(0, len(labels), _ROWS):
        rows = slice(start, start + _ROWS)
        scores = embeddings[rows] @ embeddings.T
        later = np.arange(len(labels)) > np.arange(len(labels))[rows, np.newaxis]
        same = labels[rows, np.newaxis] == labels
        mated.append(scores[later & same])
        non_mated.append(scores[later & ~same])
    require_measurable(labels, fmr)
    threshold = threshold_at_fmr(np.concatenate(non_mated), fmr)
    return float(np.mean(np.concatenate(mated) >= threshold))


def require_measurable(labels: np.ndarray, fmr: float) -> None:
    """Refuse images that `tar_at_fmr` could tell nothing from; known before anything is trained.

    Args:
        labels: (n,) integers, whose each image is.
        fmr: Wanted false match rate.

    Raises:
        TrainingError: There are no mated pairs, or too few non-mated ones for so low a rate.
    """
    counts = np.unique(labels, return_counts=True)[1].astype(np.int64)
    mated = int(np.sum(counts * (counts - 1) // 2))
    non_mated = len(labels) * (len(labels) - 1) // 2 - mated
    if not mated:
        raise TrainingError(
            f"validation: none of the {len(counts)} people held out has two photos; "
            "hold out more people (hold_out)"
        )
    if non_mated * fmr < 1 - 1e-9:
        raise TrainingError(
            f"validation: {len(counts)} people held out make {non_mated:,} pairs of different people, too "
            f"few for a false match rate of {fmr:g}; hold out more people (hold_out), or a higher rate (fmr)"
        )


def hold_out(labels: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Which images are held out, chosen by person: (n,) bool.

    Args:
        labels: (n,) integers, whose each image is.
        share: Of the people, 0 to 1.
        seed: Of the choice.
    """
    people = np.unique(labels)
    count = round(share * len(people))
    return np.isin(labels, np.random.default_rng(seed).permutation(people)[:count])
