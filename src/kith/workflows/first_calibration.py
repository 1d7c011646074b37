"""What a new model's scores mean, as far as the sample people can tell."""

import cv2
import numpy as np

from kith.decisions.calibration import Calibration
from kith.errors import UnsupportedFile
from kith.recognizer import Recognizer
from kith.records import FloatArray
from kith.sample_crops import sample_crops
from kith.workflows.calibrating import fit_calibration

_SAME = 0.9999  # cosine; of a network that never learned anything, different faces have up to 0.999
_COARSE = 14  # pixels across a crop: of 4 to 20, the one whose distance told best which LFW pairs would fail


def calibrate_on_sample_people(recognizer: Recognizer) -> Calibration:
    """Measure on the sample people. It is a beginning: a thousand pairs of eight people say little.

    Raises:
        UnsupportedFile: The network gives no embeddings; see `require_embeddings`.
    """
    embeddings, people = embed_sample_people(recognizer)
    require_embeddings(embeddings)
    return calibrate_embeddings(recognizer, embeddings, people)


def calibrate_embeddings(recognizer: Recognizer, embeddings: FloatArray, people: np.ndarray) -> Calibration:
    """The same, of the sample people's embeddings (n, d), and whom each shows (n,) int."""
    return fit_calibration(
        embeddings, people, "the sample people", unrecognizable=embed_unrecognizable(recognizer)
    )


def embed_sample_people(recognizer: Recognizer) -> tuple[FloatArray, np.ndarray]:
    """Embeddings (n, d) of the sample people's photos, and whom each shows (n,) int."""
    crops, people = sample_crops(recognizer.detector, recognizer.spec.crop)
    with np.errstate(all="ignore"):  # a damaged network's numbers may be anything
        return recognizer.embed(crops), people


def require_embeddings(embeddings: FloatArray) -> None:
    """Make sure that a network says something of faces, before anyone relies on it.

    Args:
        embeddings: (n, d) of different faces, of unit length if they are any.

    Raises:
        UnsupportedFile: They are not finite, are zeros, or all lie on one line.
    """
    if not np.isfinite(embeddings).all():
        raise UnsupportedFile("the network's embeddings are not finite numbers: its weights are damaged")
    if np.linalg.norm(embeddings, axis=1).min() < 0.5:
        raise UnsupportedFile("the network's embeddings are zeros: its weights are damaged")
    scores = np.abs(embeddings @ embeddings.T)[np.triu_indices(len(embeddings), 1)]
    if np.median(scores) > _SAME:
        raise UnsupportedFile("the network's embedding is the same for every face: its weights are damaged")


def discernment(embeddings: FloatArray, people: np.ndarray) -> float:
    """How often a mated pair scores higher than a non-mated one: 0.5 by chance, 1 at best.

    Args:
        embeddings: (n, d) of unit length.
        people: (n,) int, whom each shows.
    """
    first, second = np.triu_indices(len(people), 1)
    scores = (embeddings @ embeddings.T)[first, second]
    mated = people[first] == people[second]
    non_mated = np.sort(scores[~mated])
    return float(np.searchsorted(non_mated, scores[mated]).mean() / len(non_mated))


def embed_unrecognizable(recognizer: Recognizer) -> FloatArray:
    """Embeddings (n, d) of the sample people's faces, made too coarse for anyone to recognize them."""
    crops, _ = sample_crops(recognizer.detector, recognizer.spec.crop)
    return recognizer.embed(np.stack([_coarse(crop) for crop in crops]))


def _coarse(crop: np.ndarray) -> np.ndarray:
    small = cv2.resize(crop, (_COARSE, _COARSE), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, crop.shape[:2], interpolation=cv2.INTER_LINEAR), np.uint8)
