"""Crops -> embeddings of unit length."""

from collections.abc import Iterator
from typing import Protocol

import cv2
import numpy as np

from kith.catalogue.preprocessing import FixedScaling, PixelRule
from kith.decisions.cosine import normalize
from kith.records import FloatArray, require_shape
from kith.runtime.device import PROVIDERS, Device


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
        mirrored: Whether the network sees the mirror image too, and the two embeddings are summed.
        at_once: How many crops are embedded in one run.
    """

    def __init__(
        self,
        network: Network,
        *,
        crop_size: int,
        input_size: int,
        embedding_size: int,
        pixels: PixelRule,
        mirrored: bool,
        at_once: int = PROVIDERS[Device.CPU].at_once,
    ) -> None:
        self._network = network
        self._crop_size = crop_size
        self._input_size = input_size
        self._embedding_size = embedding_size
        self._pixels = pixels
        self._mirrored = mirrored
        self._at_once = at_once

    def embed(self, crops: np.ndarray) -> FloatArray:
        """Embed crops.

        Args:
            crops: (n, s, s, 3) uint8 RGB.

        Returns:
            (n, d) float32, each row of unit length.
        """
        require_shape("crops", crops, (None, self._crop_size, self._crop_size, 3))
        sums = np.zeros((len(crops), self._embedding_size), np.float32)
        for start in range(0, len(crops), self._at_once):
            part = slice(start, start + self._at_once)
            views = list(views_of(crops[part], self._input_size, self._pixels, mirrored=self._mirrored))
            (outputs,) = self._network.run(np.concatenate(views))
            sums[part] = outputs.reshape(len(views), -1, self._embedding_size).sum(axis=0)
        return normalize(sums)


def views_of(
    crops: np.ndarray, input_size: int, pixels: PixelRule, *, mirrored: bool
) -> Iterator[FloatArray]:
    """What the network sees of crops: each of them, and then perhaps the mirror image of each.

    Args:
        crops: (n, s, s, 3) uint8 RGB.
        input_size: i, side of what the network sees.
        pixels: How the network wants pixels scaled.
        mirrored: Whether it sees mirror images too.

    Yields:
        (n, i, i, 3) float32, once or twice.
    """
    scaled = scale_pixels(shrink(crops, input_size), pixels)
    yield scaled
    if mirrored:
        yield scaled[:, :, ::-1]


def shrink(crops: np.ndarray, size: int) -> np.ndarray:
    """Crops (n, s, s, 3) uint8 at another size: (n, size, size, 3) uint8."""
    if crops.shape[1] == size:
        return crops
    shrunk = np.empty((len(crops), size, size, 3), np.uint8)
    for source, target in zip(crops, shrunk, strict=True):
        cv2.resize(source, (size, size), dst=target, interpolation=cv2.INTER_AREA)
    return shrunk


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
