"""Crops -> embeddings of unit length."""

from collections.abc import Iterator, Sequence
from typing import Protocol

import cv2
import numpy as np

from kith.records import FloatArray, require_shape
from kith.weights.preprocessing import PixelRule

_AT_ONCE = 32  # crops in one run: larger batches are no faster on a CPU, and cost memory


class Network(Protocol):
    """A compiled network: float32 arrays in, float32 arrays out."""

    def run(self, *inputs: np.ndarray) -> list[np.ndarray]:
        """Run it."""
        ...


class Embedder:
    """Turns crops into embeddings; safe to use from many threads.

    Args:
        network: Maps (n, s, s, 3) float32 to (n, d) float32.
        crop_size: s.
        embedding_size: d.
        pixels: How the network wants pixels scaled.
        flip: Whether the embeddings of a crop and of its mirror image are summed.
        zooms: At which magnifications a crop is looked at; the embeddings are summed.
    """

    def __init__(
        self,
        network: Network,
        *,
        crop_size: int,
        embedding_size: int,
        pixels: PixelRule,
        flip: bool,
        zooms: Sequence[float] = (1.0,),
    ) -> None:
        self._network = network
        self._crop_size = crop_size
        self._embedding_size = embedding_size
        self._pixels = pixels
        self._flip = flip
        self._zooms = tuple(zooms)

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
            for view in self._views(crops[part]):
                sums[part] += self._network.run(view)[0]
        return normalize(sums)

    def _views(self, crops: np.ndarray) -> Iterator[FloatArray]:
        """The inputs whose outputs are summed: every zoom, and its mirror image."""
        for factor in self._zooms:
            inputs = scale_pixels(zoom(crops, factor), self._pixels)
            yield inputs
            if self._flip:
                yield np.ascontiguousarray(inputs[:, :, ::-1])


def zoom(crops: np.ndarray, factor: float) -> np.ndarray:
    """Crops (n, s, s, 3) uint8 magnified about their middle; what is cut off is lost."""
    if factor == 1:
        return crops
    size = crops.shape[1]
    shift = (size - 1) / 2 * (1 - factor)
    transform = np.array([[factor, 0, shift], [0, factor, shift]])
    zoomed = np.empty_like(crops)
    for crop, result in zip(crops, zoomed, strict=True):
        cv2.warpAffine(crop, transform, (size, size), dst=result, flags=cv2.INTER_LINEAR)
    return zoomed


def scale_pixels(crops: np.ndarray, rule: PixelRule) -> FloatArray:
    """Pixels 0 to 255 -> what a network was trained on.

    Args:
        crops: (n, s, s, 3) uint8 RGB.
        rule: The embedder's pixel rule.

    Returns:
        (n, s, s, 3) float32.
    """
    scaled = crops.astype(np.float32)
    scaled -= np.array(rule.mean, np.float32)
    scaled *= np.float32(1 / rule.divisor)
    return scaled


def normalize(embeddings: np.ndarray) -> FloatArray:
    """Rows (n, d) brought to unit length; a row of zeros stays."""
    lengths = np.linalg.norm(embeddings, axis=1, keepdims=True)
    return np.asarray(embeddings / np.maximum(lengths, 1e-10), np.float32)
