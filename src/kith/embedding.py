"""Crops -> embeddings of unit length."""

from typing import Protocol

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
    """

    def __init__(
        self, network: Network, *, crop_size: int, embedding_size: int, pixels: PixelRule, flip: bool
    ) -> None:
        self._network = network
        self._crop_size = crop_size
        self._embedding_size = embedding_size
        self._pixels = pixels
        self._flip = flip

    def embed(self, crops: np.ndarray) -> FloatArray:
        """Embed crops.

        Args:
            crops: (n, s, s, 3) uint8 RGB.

        Returns:
            (n, d) float32, each row of unit length.
        """
        require_shape("crops", crops, (None, self._crop_size, self._crop_size, 3))
        embeddings = np.empty((len(crops), self._embedding_size), np.float32)
        for start in range(0, len(crops), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            inputs = scale_pixels(crops[part], self._pixels)
            (outputs,) = self._network.run(inputs)
            if self._flip:
                (mirrored,) = self._network.run(np.ascontiguousarray(inputs[:, :, ::-1]))
                outputs = outputs + mirrored
            embeddings[part] = outputs
        return normalize(embeddings)


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
