"""Crops -> the same faces as other cameras and other days would have shown them."""

from dataclasses import dataclass

import cv2
import numpy as np

from kith.errors import InvalidArgument
from kith.records import FloatArray, require_shape


@dataclass(frozen=True, slots=True)
class Augmentation:
    """What is done to a crop at random; each share is a probability, 0 for never.

    Attributes:
        flip: Share of crops that are mirrored.
        shift: Deviation of the shift, in parts of the crop's side.
        scale: Deviation of the zoom.
        turn: Deviation of the rotation, in degrees.
        photometric: Share whose brightness, contrast, saturation and white balance change.
        low_resolution: Share that is shrunk and enlarged again.
        jpeg: Share that is compressed badly.
        erase: Share of which a rectangle is covered by noise (Zhong et al. 2017,
            https://arxiv.org/abs/1708.04896).
    """

    flip: float = 0.5
    shift: float = 0.013
    scale: float = 0.03
    turn: float = 3.0
    photometric: float = 0.7
    low_resolution: float = 0.2
    jpeg: float = 0.2
    erase: float = 0.0

    def __post_init__(self) -> None:
        for name in ("flip", "photometric", "low_resolution", "jpeg", "erase"):
            if not 0 <= getattr(self, name) <= 1:
                raise InvalidArgument(f"{name} must be a share from 0 to 1, got {getattr(self, name)}")
        if not all(amount >= 0 for amount in (self.shift, self.scale, self.turn)):
            raise InvalidArgument("shift, scale and turn must not be negative")

    def __call__(self, crop: np.ndarray, size: int, chance: np.random.Generator) -> np.ndarray:
        """Change a crop.

        Args:
            crop: (s, s, 3) uint8.
            size: Side of the result; the whole crop is shown, but for the changes.
            chance: All randomness comes from here.

        Returns:
            (size, size, 3) uint8.
        """
        require_shape("crop", crop, (None, None, 3))
        crop = self._move(crop, size, chance)
        if chance.random() < self.low_resolution:
            crop = _lower_resolution(crop, chance)
        if chance.random() < self.photometric:
            crop = _change_light(crop, chance)
        if chance.random() < self.jpeg:
            crop = _compress(crop, chance)
        if chance.random() < self.erase:
            crop = _erase(crop, chance)
        return np.ascontiguousarray(crop[:, ::-1] if chance.random() < self.flip else crop)

    def _move(self, crop: np.ndarray, size: int, chance: np.random.Generator) -> np.ndarray:
        """Shift, zoom and turn, in one step with the change of size."""
        side = len(crop)
        zoom = size / side * float(np.exp(chance.normal(0, self.scale)))
        middle = (side - 1) / 2
        transform = cv2.getRotationMatrix2D((middle, middle), chance.normal(0, self.turn), zoom)
        transform[:, 2] += (size - 1) / 2 - middle + chance.normal(0, self.shift * size, 2)
        return np.asarray(cv2.warpAffine(crop, transform, (size, size), borderMode=cv2.BORDER_REPLICATE))


NONE = Augmentation(0, 0, 0, 0, 0, 0, 0, 0)
"""Only the change of size."""


def _lower_resolution(crop: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    side = len(crop)
    small = max(int(side * chance.uniform(0.2, 0.8)), 8)
    shrunk = cv2.resize(crop, (small, small), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(shrunk, (side, side), interpolation=cv2.INTER_LINEAR))


def _change_light(crop: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """Contrast about the mean, brightness, saturation, and a tint."""
    values: FloatArray = crop.astype(np.float32)
    mean = float(values.mean())
    contrast, brightness, saturation = chance.uniform((0.7, 0.75, 0), (1.3, 1.25, 1.3))
    gray = values.mean(axis=2, keepdims=True)
    values = gray + (values - gray) * np.float32(saturation)
    values = (values - mean) * np.float32(contrast) + np.float32(mean * brightness)
    values *= chance.uniform(0.9, 1.1, 3).astype(np.float32)
    return np.clip(values, 0, 255).astype(np.uint8)


def _compress(crop: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    _, data = cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, int(chance.integers(15, 90))])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))  # red and blue are swapped twice


def _erase(crop: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """Cover a rectangle of 2 to 20 % of the area, of any place."""
    side = len(crop)
    area, ratio = chance.uniform(0.02, 0.2) * side * side, np.exp(chance.uniform(-1, 1))
    height, width = (int(np.clip(np.sqrt(value), 1, side)) for value in (area * ratio, area / ratio))
    top, left = chance.integers(0, side - height + 1), chance.integers(0, side - width + 1)
    erased = crop.copy()
    erased[top : top + height, left : left + width] = chance.integers(0, 256, (height, width, 3))
    return erased
