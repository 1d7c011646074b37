"""MobileFaceNet, a small network for crops of 112 pixels.

Paper: Chen et al. 2018, "MobileFaceNets", https://arxiv.org/abs/1804.07573, table 1; its blocks are those of
Sandler et al. 2018, "MobileNetV2", https://arxiv.org/abs/1801.04381, with PReLU. Source:
recognition/symbol/fmobilefacenet.py of https://github.com/deepinsight/insightface, the form called y1: as in
the paper, with a dense layer and its normalization, without a scale, at the end.
"""

from typing import NamedTuple

import keras
from keras import layers

from kith.networks.settings import channels_last


class Stage(NamedTuple):
    """One strided block, and then residual blocks of the same width; expanded within."""

    filters: int
    strided_expansion: int
    blocks: int
    expansion: int


# shapes for a 112 x 112 crop
STAGES = (
    Stage(64, 128, 4, 128),  # 28 x 28 x 64
    Stage(128, 256, 6, 256),  # 14 x 14 x 128
    Stage(128, 512, 2, 256),  # 7 x 7 x 128
)
_STEM, _HEAD = 64, 512  # filters


@channels_last()
def mobilefacenet(
    *, crop_size: int = 112, embedding_size: int = 128, initializer: str = "he_normal"
) -> keras.Model:
    """The network from scaled crops to embeddings that are not yet of unit length.

    Args:
        crop_size: Side of the square input in pixels, a multiple of 16.
        embedding_size: Length of the output.
        initializer: For the kernels; "zeros" builds fastest when weights are loaded anyway.

    Returns:
        A model from (n, s, s, 3) float32 to (n, embedding_size) float32.
    """
    build = _Layers(initializer)
    inputs = keras.Input((crop_size, crop_size, 3), name="crops")
    x = build.conv(inputs, _STEM, 3, "stem", stride=2)  # 56 x 56 x 64
    x = build.depthwise(x, 3, "stem_depthwise")
    number = 0
    for stage in STAGES:
        number += 1
        x = build.block(x, stage.filters, stage.strided_expansion, f"block{number}", stride=2)
        for _ in range(stage.blocks):
            number += 1
            residual = build.block(x, stage.filters, stage.expansion, f"block{number}")
            x = layers.Add(name=f"block{number}_sum")([residual, x])
    x = build.conv(x, _HEAD, 1, "head")  # 7 x 7 x 512
    x = build.depthwise(x, x.shape[1], "head_depthwise", padding="valid", bent=False)  # 1 x 1 x 512
    x = layers.Flatten(name="flat")(x)
    x = layers.Dense(embedding_size, kernel_initializer=initializer, name="embedding")(x)
    x = layers.BatchNormalization(momentum=0.9, epsilon=2e-5, scale=False, name="embedding_norm")(x)
    return keras.Model(inputs, x, name="mobilefacenet")


class _Layers:
    """Convolutions as this network has them: normalized, then bent by a PReLU with a slope a channel."""

    def __init__(self, initializer: str) -> None:
        self.initializer = initializer

    def block(
        self, x: keras.KerasTensor, filters: int, expansion: int, name: str, *, stride: int = 1
    ) -> keras.KerasTensor:
        """An inverted bottleneck: expand, look around in each channel, project."""
        x = self.conv(x, expansion, 1, f"{name}_expand")
        x = self.depthwise(x, 3, f"{name}_depthwise", stride=stride)
        return self.conv(x, filters, 1, f"{name}_project", bent=False)

    def conv(
        self,
        x: keras.KerasTensor,
        filters: int,
        kernel: int,
        name: str,
        *,
        stride: int = 1,
        bent: bool = True,
    ) -> keras.KerasTensor:
        x, padding = _padded(x, stride, name)
        conv = layers.Conv2D(
            filters,
            kernel,
            stride,
            padding,
            use_bias=False,
            kernel_initializer=self.initializer,
            name=name,
        )
        return _finish(conv(x), name, bent=bent)

    def depthwise(
        self,
        x: keras.KerasTensor,
        kernel: int,
        name: str,
        *,
        stride: int = 1,
        padding: str = "same",
        bent: bool = True,
    ) -> keras.KerasTensor:
        if stride > 1:
            x, padding = _padded(x, stride, name)
        conv = layers.DepthwiseConv2D(
            kernel, stride, padding, use_bias=False, depthwise_initializer=self.initializer, name=name
        )
        return _finish(conv(x), name, bent=bent)


def _padded(x: keras.KerasTensor, stride: int, name: str) -> tuple[keras.KerasTensor, str]:
    """A convolution's input and padding: the original pads both sides alike, which "same" does not."""
    return (x, "same") if stride == 1 else (layers.ZeroPadding2D(1, name=f"{name}_pad")(x), "valid")


def _finish(x: keras.KerasTensor, name: str, *, bent: bool) -> keras.KerasTensor:
    x = layers.BatchNormalization(momentum=0.9, epsilon=1e-3, name=f"{name}_norm")(x)
    slopes = keras.initializers.Constant(0.25)
    return layers.PReLU(slopes, shared_axes=[1, 2], name=f"{name}_prelu")(x) if bent else x
