"""Pixels -> what a network wants, on the device that trains: bytes travel there, not floats."""

import keras
from keras import ops

from kith.catalogue.preprocessing import FixedScaling, PixelRule


def scale_on_device(crops: keras.KerasTensor, rule: PixelRule) -> keras.KerasTensor:
    """The same as `kith.embedding.scale_pixels`, for tensors: (n, s, s, 3) to (n, s, s, 3) float32."""
    pixels = ops.cast(crops, "float32")
    if isinstance(rule, FixedScaling):
        return (pixels - ops.array(rule.mean, "float32")) * (1 / rule.divisor)
    axes = (1, 2, 3)
    least = 1 / float(pixels.shape[1] * pixels.shape[2] * pixels.shape[3]) ** 0.5
    deviation = ops.std(pixels, axis=axes, keepdims=True)
    return (pixels - ops.mean(pixels, axis=axes, keepdims=True)) / ops.maximum(deviation, least)
