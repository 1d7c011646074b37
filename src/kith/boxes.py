"""Arithmetic on boxes (n, 4): x1, y1, x2, y2 in pixels."""

import numpy as np

_ROWS = 64


def areas(boxes: np.ndarray) -> np.ndarray:
    """(n,) areas; a box turned inside out has none."""
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    return np.asarray(sides[:, 0] * sides[:, 1])


def overlaps(first: np.ndarray, second: np.ndarray, *, of_smaller: bool = False) -> np.ndarray:
    """How far each box of one set covers each of another.

    Args:
        first: (n, 4)
        second: (m, 4)
        of_smaller: Divide the common area by the smaller of the two, not by the union.

    Returns:
        (n, m) shares, 0 to 1.
    """
    a, b = first.T[:, :, np.newaxis], second.T[:, np.newaxis, :]
    width = np.minimum(a[2], b[2]) - np.maximum(a[0], b[0])
    height = np.minimum(a[3], b[3]) - np.maximum(a[1], b[1])
    common = np.maximum(width, 0) * np.maximum(height, 0)
    of_first, of_second = areas(first)[:, np.newaxis], areas(second)[np.newaxis, :]
    whole = np.minimum(of_first, of_second) if of_smaller else of_first + of_second - common
    return np.asarray(common / np.maximum(whole, 1e-9))


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    """How far two boxes (4,) cover each other: common area over joint area, 0 to 1."""
    return float(overlaps(first[np.newaxis], second[np.newaxis])[0, 0])


def suppress(
    boxes: np.ndarray, scores: np.ndarray, max_overlap: float, *, of_smaller: bool = False
) -> np.ndarray:
    """Non-maximum suppression: of boxes that cover one another, the best-scored stays.

    A box goes as soon as any better one covers it, also one that itself goes: that is how the
    weights' own package decides, and it needs no loop over boxes.

    Args:
        boxes: (n, 4)
        scores: (n,)
        max_overlap: A box that is covered further than this by a better one goes.
        of_smaller: See `overlaps`.

    Returns:
        Indices of the boxes that stay, best first; of equal scores the first counts as better.
    """
    order = np.argsort(-scores, kind="stable")
    if len(order) < 2:
        return order
    boxes, rank = boxes[order], np.arange(len(order))
    covered = np.zeros(len(boxes), bool)
    for start in range(0, len(boxes), _ROWS):  # rows at once: stays in the processor's cache
        better, rest = slice(start, start + _ROWS), slice(start, None)
        covers = overlaps(boxes[better], boxes[rest], of_smaller=of_smaller) > max_overlap
        covers &= rank[better, np.newaxis] < rank[rest]
        covered[rest] |= covers.any(axis=0)
    return order[~covered]


def square(boxes: np.ndarray) -> np.ndarray:
    """Squares with the boxes' centres and longer sides."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = np.max(boxes[:, 2:] - boxes[:, :2], axis=1, keepdims=True) / 2
    return np.concatenate([centres - half, centres + half], axis=1)
