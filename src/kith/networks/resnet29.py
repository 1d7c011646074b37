"""ResNet-29, the face embedder that dlib ships (public domain).

Source: https://github.com/davisking/dlib, `dlib_face_recognition_resnet_model_v1.dat`: a ResNet-34
(He et al. 2015, https://arxiv.org/abs/1512.03385) with five blocks fewer and half the filters.
Differences from the usual ResNet: a strided block does not pad its first convolution, its shortcut
is an average pool, and the smaller operand of the sum is padded with zeros at the end of each axis.
"""

from collections.abc import Sequence
from typing import NamedTuple

import keras
from keras import layers, ops

from kith.networks.settings import channels_last


class Stage(NamedTuple):
    """Residual blocks of one width; `stride` is that of the first."""

    blocks: int
    filters: int
    stride: int


# shapes for a 150 x 150 crop
STAGES = (
    Stage(3, 32, 1),  # 35 x 35 x 32
    Stage(4, 64, 2),  # 17 x 17 x 64
    Stage(3, 128, 2),  # 8 x 8 x 128
    Stage(3, 256, 2),  # 4 x 4 x 256
    Stage(1, 256, 2),  # 2 x 2 x 256
)


@channels_last()
def resnet29(
    *, crop_size: int = 150, embedding_size: int = 128, initializer: str = "he_normal"
) -> keras.Model:
    """The network from scaled crops to embeddings that are not yet of unit length.

    Args:
        crop_size: Side of the square input in pixels.
        embedding_size: Length of the output.
        initializer: For the kernels; "zeros" builds fastest when weights are loaded anyway.

    Returns:
        A model from (n, s, s, 3) float32 to (n, embedding_size) float32.
    """
    return residual_network("resnet29", STAGES, crop_size, embedding_size, initializer)


def residual_network(
    name: str, stages: Sequence[Stage], crop_size: int, embedding_size: int, initializer: str
) -> keras.Model:
    """A network of this plan; the stem has the filters of the first stage."""
    inputs = keras.Input((crop_size, crop_size, 3), name="crops")
    x = _conv(inputs, stages[0].filters, 7, 2, "valid", "stem", initializer)  # 72 x 72
    x = layers.ReLU(name="stem_relu")(x)
    x = layers.MaxPooling2D(3, 2, name="stem_pool")(x)  # 35 x 35
    number = 0
    for blocks, filters, stride in stages:
        for position in range(blocks):
            number += 1
            x = _block(x, filters, stride if position == 0 else 1, f"block{number}", initializer)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    embedding = layers.Dense(
        embedding_size, use_bias=False, kernel_initializer=initializer, name="embedding"
    )(x)
    return keras.Model(inputs, embedding, name=name)


def _block(x: keras.KerasTensor, filters: int, stride: int, name: str, initializer: str) -> keras.KerasTensor:
    padding = "same" if stride == 1 else "valid"
    residual = _conv(x, filters, 3, stride, padding, f"{name}_1", initializer)
    residual = layers.ReLU(name=f"{name}_1_relu")(residual)
    residual = _conv(residual, filters, 3, 1, "same", f"{name}_2", initializer)
    if stride > 1:
        x = layers.AveragePooling2D(2, stride, name=f"{name}_shortcut")(x)
    shape = tuple(max(a, b) for a, b in zip(x.shape[1:], residual.shape[1:], strict=True))
    total = layers.Add(name=f"{name}_sum")([_pad_to(x, shape), _pad_to(residual, shape)])
    return layers.ReLU(name=f"{name}_relu")(total)


def _conv(
    x: keras.KerasTensor, filters: int, kernel: int, stride: int, padding: str, name: str, initializer: str
) -> keras.KerasTensor:
    x = layers.Conv2D(filters, kernel, stride, padding, kernel_initializer=initializer, name=f"{name}_conv")(
        x
    )
    return layers.BatchNormalization(epsilon=1e-5, name=f"{name}_norm")(x)


def _pad_to(x: keras.KerasTensor, shape: tuple[int, ...]) -> keras.KerasTensor:
    """Zeros at the end of each axis up to (height, width, channels)."""
    missing = [(0, want - have) for have, want in zip(x.shape[1:], shape, strict=True)]
    return ops.pad(x, [(0, 0), *missing]) if any(end for _, end in missing) else x
