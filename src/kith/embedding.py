"""Crops -> embeddings of unit length."""

from collections.abc import Iterator, Sequence
from typing import Protocol

import cv2
import numpy as np

from kith.records import FloatArray, require_shape
from kith.weights.preprocessing import FixedScaling, Look, PixelRule

_AT_ONCE = 4  # crops in one run, a few looks each: larger batches are no faster on a CPU, and cost memory


class Network(Protocol):
    """A compiled network: float32 arrays in, float32 arrays out."""

    def run(self, *inputs: np.ndarray) -> list[np.ndarray]:
        """Run it."""
        ...


class Embedder:
    """Turns crops into embeddings; safe to use from many threads.

    Args:
        network: Maps (n, i, i, 3) float32 to (n, d) float32.
        crop_size: s, side of a crop.
        input_size: i, side of what the network sees.
        embedding_size: d.
        pixels: How the network wants pixels scaled.
        looks: What the network looks at, each scaled to its input; the embeddings are summed.
    """

    def __init__(
        self,
        network: Network,
        *,
        crop_size: int,
        input_size: int,
        embedding_size: int,
        pixels: PixelRule,
        looks: Sequence[Look],
    ) -> None:
        self._network = network
        self._crop_size = crop_size
        self._input_size = input_size
        self._embedding_size = embedding_size
        self._pixels = pixels
        self._looks = tuple(looks)

    def embed(self, crops: np.ndarray) -> FloatArray:
        """Embed crops.

        Args:
            crops: (n, s, s, 3) uint8 RGB.

        Returns:
            (n, d) float32, each row of unit length.
        """
        require_shape("crops", crops, (None, self._crop_size, self._crop_size, 3))
        sums = np.zeros((len(crops), self._embedding_size), np.float32)
        for start in range(0, len(crops), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            views = list(views_of(crops[part], self._looks, self._input_size, self._pixels))
            (outputs,) = self._network.run(np.concatenate(views))
            sums[part] = outputs.reshape(len(views), -1, self._embedding_size).sum(axis=0)
        return normalize(sums)


def views_of(
    crops: np.ndarray, looks: Sequence[Look], input_size: int, pixels: PixelRule
) -> Iterator[FloatArray]:
    """What the network sees of crops, one look after the other.

    Args:
        crops: (n, s, s, 3) uint8 RGB.
        looks: What the network looks at.
        input_size: i, side of what the network sees.
        pixels: How the network wants pixels scaled.

    Yields:
        (n, i, i, 3) float32 for each look.
    """
    scaled: dict[int, FloatArray] = {}
    for side, mirrored in looks:
        if side not in scaled:
            scaled[side] = scale_pixels(look(crops, side, input_size), pixels)
        yield scaled[side][:, :, ::-1] if mirrored else scaled[side]


def look(crops: np.ndarray, side: int, size: int) -> np.ndarray:
    """The middle of crops, scaled.

    Args:
        crops: (n, s, s, 3) uint8.
        side: Of the square in the middle, in pixels.
        size: Of the result, in pixels.

    Returns:
        (n, size, size, 3) uint8.
    """
    start = (crops.shape[1] - side) // 2
    middle = crops[:, start : start + side, start : start + side]
    if side == size:
        return middle
    scaled = np.empty((len(crops), size, size, 3), np.uint8)
    for source, target in zip(middle, scaled, strict=True):
        cv2.resize(source, (size, size), dst=target, interpolation=cv2.INTER_AREA)
    return scaled


def scale_pixels(crops: np.ndarray, rule: PixelRule) -> FloatArray:
    """Pixels 0 to 255 -> what a network was trained on.

    Args:
        crops: (n, s, s, 3) uint8 RGB.
        rule: The embedder's pixel rule.

    Returns:
        (n, s, s, 3) float32.
    """
    scaled = crops.astype(np.float32)
    if isinstance(rule, FixedScaling):
        rows = scaled.reshape(*scaled.shape[:2], -1)  # NumPy is slow on axes as short as three colours
        rows -= np.tile(np.array(rule.mean, np.float32), scaled.shape[2])
        rows *= np.float32(1 / rule.divisor)
        return scaled
    values = (1, 2, 3)
    least = np.float32(1 / np.sqrt(max(scaled[0].size, 1))) if len(scaled) else np.float32(1)
    deviation = scaled.std(axis=values, keepdims=True)
    scaled -= scaled.mean(axis=values, keepdims=True)
    scaled /= np.maximum(deviation, least)
    return scaled


def normalize(embeddings: np.ndarray) -> FloatArray:
    """Rows (n, d) brought to unit length; a row of zeros stays."""
    lengths = np.linalg.norm(embeddings, axis=1, keepdims=True)
    return np.asarray(embeddings / np.maximum(lengths, 1e-10), np.float32)
