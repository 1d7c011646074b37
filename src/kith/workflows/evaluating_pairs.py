"""How often comparisons of two faces are wrong (1:1)."""

from dataclasses import dataclass

import numpy as np

from kith.decisions.calibration import Calibration
from kith.decisions.cosine import score_pairs
from kith.evaluation.groups import GroupResult, evaluate_groups
from kith.evaluation.pairs import PairsProtocol
from kith.evaluation.verification import (
    NOT_ACQUIRED,
    FoldsResult,
    VerificationResult,
    evaluate_folds,
    evaluate_pairs,
)
from kith.workflows.acquiring import Acquired


@dataclass(frozen=True, slots=True, eq=False)
class Verified:
    """An evaluation of pairs, with all it was made of.

    Attributes:
        protocol: The pairs.
        acquired: Their photos' embeddings.
        scores: (n,) of the pairs.
        threshold: The model's own.
        result: The figures.
        folds: Accuracy over folds, where there are folds.
        groups: The figures of groups, where groups were given.
    """

    protocol: PairsProtocol
    acquired: Acquired
    scores: np.ndarray
    threshold: float
    result: VerificationResult
    folds: FoldsResult | None
    groups: tuple[GroupResult, ...]


def evaluate_verification(
    calibration: Calibration,
    protocol: PairsProtocol,
    acquired: Acquired,
    labels: np.ndarray | None = None,
) -> Verified:
    """Compare the pairs of a protocol as `Recognizer.compare` does, and measure.

    A pair with a photo that gave no face is never a match, and counts.

    Args:
        calibration: Of the model.
        protocol: The pairs.
        acquired: What the model made of their photos.
        labels: (photos,) the group of each photo, empty where it has none; no groups are measured if None.
    """
    first, second = protocol.pairs.T
    scores = score_pairs(acquired.embeddings[first], acquired.embeddings[second])
    scores[~acquired.acquired[protocol.pairs].all(axis=1)] = NOT_ACQUIRED
    subjects = protocol.subjects[protocol.pairs]
    threshold = calibration.verification_policy().threshold
    return Verified(
        protocol,
        acquired,
        scores,
        threshold,
        evaluate_pairs(scores, protocol.mated, subjects, threshold=threshold),
        None if protocol.folds is None else evaluate_folds(scores, protocol.mated, protocol.folds),
        ()
        if labels is None
        else evaluate_groups(scores, protocol.mated, subjects, labels[protocol.pairs], threshold),
    )
