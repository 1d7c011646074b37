"""The losses in plain loops over float64, as their papers write them."""

import math

import numpy as np


def n_pair(embeddings: np.ndarray, labels: np.ndarray, temperature: float = 0.07) -> float:
    losses = []
    for a in range(len(labels)):
        negatives = [n for n in range(len(labels)) if labels[n] != labels[a]]
        for p in range(len(labels)):
            if p == a or labels[p] != labels[a]:
                continue
            to_positive = embeddings[a] @ embeddings[p]
            exponents = [(embeddings[a] @ embeddings[n] - to_positive) / temperature for n in negatives]
            losses.append(math.log(1 + sum(math.exp(exponent) for exponent in exponents)))
    return sum(losses) / len(losses) if losses else 0.0


def angles(embeddings: np.ndarray, prototypes: np.ndarray) -> np.ndarray:
    return np.arccos(
        [[x @ w / np.linalg.norm(w) for w in prototypes.astype(float)] for x in embeddings.astype(float)]
    )


def softmax_with_margin(theta: np.ndarray, labels: np.ndarray, own: list[float], scale: float) -> float:
    losses = []
    for row, label in enumerate(labels):
        others = sum(math.exp(scale * math.cos(theta[row, j])) for j in range(theta.shape[1]) if j != label)
        mine = math.exp(scale * own[row])
        losses.append(-math.log(mine / (mine + others)))
    return sum(losses) / len(losses)


def arcface(
    embeddings: np.ndarray, labels: np.ndarray, prototypes: np.ndarray, margin: float, scale: float
) -> float:
    theta = angles(embeddings, prototypes)
    own = []
    for row, label in enumerate(labels):
        mine = theta[row, label]
        beyond = mine + margin > math.pi
        own.append(math.cos(mine) - margin * math.sin(margin) if beyond else math.cos(mine + margin))
    return softmax_with_margin(theta, labels, own, scale)


def cosface(
    embeddings: np.ndarray, labels: np.ndarray, prototypes: np.ndarray, margin: float, scale: float
) -> float:
    theta = angles(embeddings, prototypes)
    own = [math.cos(theta[row, label]) - margin for row, label in enumerate(labels)]
    return softmax_with_margin(theta, labels, own, scale)


def adaface(
    embeddings: np.ndarray,
    labels: np.ndarray,
    norms: np.ndarray,
    prototypes: np.ndarray,
    margin: float,
    concentration: float,
    scale: float,
) -> float:
    """From the statistics of a new loss: a mean of 20 and a deviation of 100."""
    theta = angles(embeddings, prototypes)
    norms = norms.astype(float)
    mean = 0.99 * 20 + 0.01 * norms.mean()
    deviation = 0.99 * 100 + 0.01 * norms.std()
    own = []
    for row, label in enumerate(labels):
        z = min(max((norms[row] - mean) / ((deviation + 1e-3) / concentration), -1), 1)
        turned = min(max(theta[row, label] - margin * z, 0), math.pi)
        own.append(math.cos(turned) - (margin * z + margin))
    return softmax_with_margin(theta, labels, own, scale)


def center(
    embeddings: np.ndarray,
    labels: np.ndarray,
    directions: np.ndarray,
    biases: np.ndarray,
    centers: np.ndarray,
    weight: float,
    scale: float,
) -> float:
    total = 0.0
    for x, label in zip(embeddings.astype(float), labels, strict=True):
        logits = [scale * float(w @ x) + b for w, b in zip(directions, biases, strict=True)]
        total -= logits[label] - math.log(sum(math.exp(logit) for logit in logits))
        total += weight / 2 * float(((x - centers[label]) ** 2).sum())
    return total / len(labels)


def moved_centers(
    embeddings: np.ndarray, labels: np.ndarray, centers: np.ndarray, alpha: float
) -> np.ndarray:
    moved = centers.astype(float).copy()
    for person in range(len(centers)):
        images = [x for x, label in zip(embeddings, labels, strict=True) if label == person]
        away = sum((centers[person] - x for x in images), np.zeros(centers.shape[1]))
        moved[person] -= (1 - alpha) * away / (1 + len(images))
    return moved


def cosine_distillation(embeddings: np.ndarray, teacher: np.ndarray) -> float:
    return float(np.mean([1 - x @ t for x, t in zip(embeddings, teacher, strict=True)]))


def relational_distillation(embeddings: np.ndarray, teacher: np.ndarray) -> float:
    apart = [
        (embeddings[i] @ embeddings[j] - teacher[i] @ teacher[j]) ** 2
        for i in range(len(embeddings))
        for j in range(len(embeddings))
        if i != j
    ]
    return float(np.mean(apart)) if apart else 0.0
