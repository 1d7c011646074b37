"""Miners and their loss in plain loops over float64, and batches to try them on."""

from collections.abc import Callable

import numpy as np

Triplet = tuple[int, int, int, float]  # anchor, positive, negative, weight

LABELS = {
    "even": np.repeat(np.arange(4), 3),
    "uneven": np.array([0, 1, 1, 2, 2, 2, 2, 3, 3, 0, 4, 5]),
    "shuffled": np.array([2, 0, 1, 2, 1, 0, 0, 2, 1, 3, 3, 2]),
    "one person": np.zeros(6, int),
    "no positives": np.arange(6),
    "one image": np.zeros(1, int),
    "two of one": np.zeros(2, int),
    "two people": np.arange(2),
}


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def random_batch(count: int, seed: int, size: int = 6) -> np.ndarray:
    return unit(np.random.default_rng(seed).standard_normal((count, size)))


def tied_batch(count: int, seed: int) -> np.ndarray:
    """Corners of a cube on the unit sphere: squared distances are 0, 1, 2, 3 and 4, exactly."""
    return np.random.default_rng(seed).choice([-0.5, 0.5], (count, 4)).astype(np.float32)


def equal_batch(count: int) -> np.ndarray:
    return np.tile(np.array([[0, 1, 0]], np.float32), (count, 1))


def distance(embeddings: np.ndarray, first: int, second: int) -> float:
    return float(((embeddings[first].astype(float) - embeddings[second].astype(float)) ** 2).sum())


def people(labels: np.ndarray, anchor: int) -> tuple[list[int], list[int]]:
    others = [image for image in range(len(labels)) if image != anchor]
    return (
        [image for image in others if labels[image] == labels[anchor]],
        [image for image in others if labels[image] != labels[anchor]],
    )


def semi_hard(embeddings: np.ndarray, labels: np.ndarray, margin: float) -> list[Triplet]:
    found = []
    for anchor in range(len(labels)):
        positives, negatives = people(labels, anchor)
        for positive in positives:
            near = distance(embeddings, anchor, positive)
            best = None
            for negative in negatives:
                far = distance(embeddings, anchor, negative)
                if near < far < near + margin and (best is None or far < best[0]):
                    best = far, negative
            if best is not None:
                found.append((anchor, positive, best[1], 1.0))
    return found


def batch_hard(embeddings: np.ndarray, labels: np.ndarray, margin: float) -> list[Triplet]:
    found = []
    for anchor in range(len(labels)):
        positives, negatives = people(labels, anchor)
        if not positives or not negatives:
            continue
        positive = max(positives, key=lambda image: distance(embeddings, anchor, image))
        negative = min(negatives, key=lambda image: distance(embeddings, anchor, image))
        if distance(embeddings, anchor, positive) + margin > distance(embeddings, anchor, negative):
            found.append((anchor, positive, negative, 1.0))
    return found


def batch_all(embeddings: np.ndarray, labels: np.ndarray, margin: float) -> list[Triplet]:
    return weighted(embeddings, labels, margin, lambda anchor, negatives: [1.0] * len(negatives))


def distance_weighted(embeddings: np.ndarray, labels: np.ndarray, margin: float) -> list[Triplet]:
    size = embeddings.shape[1]

    def probabilities(anchor: int, negatives: list[int]) -> list[float]:
        odds = []
        for negative in negatives:
            apart = distance(embeddings, anchor, negative) ** 0.5
            capped = max(apart, 0.5)
            density = (
                capped ** (size - 2) * (1 - capped**2 / 4) ** ((size - 3) / 2) if apart < 1.4 else np.inf
            )
            odds.append(1 / density)
        return [one / max(sum(odds), 1e-300) for one in odds]

    return weighted(embeddings, labels, margin, probabilities)


def weighted(
    embeddings: np.ndarray,
    labels: np.ndarray,
    margin: float,
    weights_of: Callable[[int, list[int]], list[float]],
) -> list[Triplet]:
    found = []
    for anchor in range(len(labels)):
        positives, negatives = people(labels, anchor)
        weights = weights_of(anchor, negatives)
        for positive in positives:
            for negative, weight in zip(negatives, weights, strict=True):
                opened = distance(embeddings, anchor, positive) + margin > distance(
                    embeddings, anchor, negative
                )
                if opened and weight > 0:
                    found.append((anchor, positive, negative, weight))
    return found


PLAIN_MINERS = {
    "semi-hard": semi_hard,
    "batch-hard": batch_hard,
    "batch-all": batch_all,
    "distance-weighted": distance_weighted,
}


def tables(triplets: list[Triplet], count: int) -> tuple[np.ndarray, np.ndarray]:
    """The weights of the triplets by their anchor and positive, and by their anchor and negative."""
    pull, push = np.zeros((count, count)), np.zeros((count, count))
    for anchor, positive, negative, weight in triplets:
        pull[anchor, positive] += weight
        push[anchor, negative] += weight
    return pull, push


def triplet_loss(embeddings: np.ndarray, triplets: list[Triplet], margin: float) -> float:
    """The mean of the hinges, by weight."""
    total = 0.0
    for anchor, positive, negative, weight in triplets:
        near, far = distance(embeddings, anchor, positive), distance(embeddings, anchor, negative)
        total += weight * max(near - far + margin, 0.0)
    return total / sum(weight for *_, weight in triplets) if triplets else 0.0


def slope(loss: Callable[[np.ndarray], float], at: np.ndarray, step: float = 1e-6) -> np.ndarray:
    """The gradient of a loss, by central differences in float64."""
    at = at.astype(float)
    gradient = np.zeros_like(at)
    for index in np.ndindex(*at.shape):
        for sign in (1, -1):
            moved = at.copy()
            moved[index] += sign * step
            gradient[index] += sign * loss(moved) / (2 * step)
    return gradient
