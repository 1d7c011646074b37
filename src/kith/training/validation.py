"""How well people whom the network never learned from are told apart."""

import numpy as np

from kith.errors import TrainingError
from kith.records import FloatArray

_AT_ONCE = 1 << 22  # scores, of the table of all pairs
_BINS = 1 << 20  # of the scores from -1 to 1: far finer than what is told of them


def tar_at_fmr(embeddings: FloatArray, labels: np.ndarray, fmr: float) -> float:
    """The share of mated pairs that match at the threshold where this share of non-mated pairs does.

    All pairs of the images are compared; of their scores only a histogram is kept, for a thousand people
    make millions of pairs.

    Args:
        embeddings: (n, d) of unit length.
        labels: (n,) integers, whose each image is.
        fmr: Wanted false match rate.

    Raises:
        TrainingError: There are no mated pairs, or too few non-mated ones for so low a rate.
    """
    require_measurable(labels, fmr)
    mated, non_mated = np.zeros((2, _BINS), np.int64)
    positions = np.arange(len(labels))
    rows = max(1, _AT_ONCE // len(labels))
    for some in np.split(positions, positions[rows::rows]):
        scores = embeddings[some] @ embeddings.T
        bins = np.clip((scores + 1) * (_BINS / 2), 0, _BINS - 1).astype(np.int32)
        later = positions > some[:, np.newaxis]
        same = labels[some, np.newaxis] == labels
        mated += np.bincount(bins[later & same], minlength=_BINS)
        non_mated += np.bincount(bins[later & ~same], minlength=_BINS)
    allowed = int(fmr * non_mated.sum() + 1e-9)
    matching = np.cumsum(non_mated[::-1])[::-1] <= allowed
    return float(mated[matching].sum() / mated.sum())


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
