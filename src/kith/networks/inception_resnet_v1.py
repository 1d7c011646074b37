"""Inception-ResNet-v1, the network of nearly every published FaceNet.

Paper: Szegedy et al. 2016, "Inception-v4, Inception-ResNet and the Impact of Residual Connections
on Learning", https://arxiv.org/abs/1602.07261, figures 10 to 15. Source of what the paper leaves
open, and of the layers' names: src/models/inception_resnet_v1.py of
https://github.com/davidsandberg/facenet. Differences from the paper: no activation behind the very
last residual block, and a bottleneck of 128 or 512 behind it.

The batch normalization of the original has no scale, since a convolution follows; ports to PyTorch
have one. Here it is always there: a scale of 1 changes nothing.
"""

import keras
from keras import layers

from kith.networks.settings import channels_last


@channels_last()
def inception_resnet_v1(
    *,
    embedding_size: int = 512,
    crop_size: int = 160,
    dropout: float = 0.0,
    initializer: str = "he_normal",
) -> keras.Model:
    """The network from scaled crops to embeddings that are not yet of unit length.

    Args:
        embedding_size: Length of the output: 128 or 512 in the published models.
        crop_size: Side of the square input in pixels.
        dropout: Share of the features dropped in training; the published models had 0.2 to 0.6.
        initializer: For the kernels; "zeros" builds fastest when weights are loaded anyway.

    Returns:
        A model from (n, s, s, 3) float32 to (n, embedding_size) float32.
    """
    inputs = keras.Input((crop_size, crop_size, 3), name="crops")
    x = _conv(inputs, 32, 3, "conv2d_1a_3x3", initializer, strides=2, padding="valid")  # 79 x 79 x 32
    x = _conv(x, 32, 3, "conv2d_2a_3x3", initializer, padding="valid")  # 77 x 77 x 32
    x = _conv(x, 64, 3, "conv2d_2b_3x3", initializer)  # 77 x 77 x 64
    x = layers.MaxPooling2D(3, 2, name="maxpool_3a_3x3")(x)  # 38 x 38 x 64
    x = _conv(x, 80, 1, "conv2d_3b_1x1", initializer)  # 38 x 38 x 80
    x = _conv(x, 192, 3, "conv2d_4a_3x3", initializer, padding="valid")  # 36 x 36 x 192
    x = _conv(x, 256, 3, "conv2d_4b_3x3", initializer, strides=2, padding="valid")  # 17 x 17 x 256
    for number in range(1, 6):
        x = _block35(x, f"block35_{number}", initializer)  # 17 x 17 x 256
    x = _mixed_6a(x, initializer)  # 8 x 8 x 896
    for number in range(1, 11):
        x = _block17(x, f"block17_{number}", initializer)  # 8 x 8 x 896
    x = _mixed_7a(x, initializer)  # 3 x 3 x 1792
    for number in range(1, 6):
        x = _block8(x, f"block8_{number}", initializer)  # 3 x 3 x 1792
    x = _block8(x, "block8_6", initializer, scale=1.0, activation=None)
    x = layers.GlobalAveragePooling2D(name="avgpool")(x)  # 1792
    x = layers.Dropout(dropout, name="dropout")(x)
    x = layers.Dense(embedding_size, use_bias=False, kernel_initializer=initializer, name="bottleneck")(x)
    return keras.Model(inputs, _norm(x, "bottleneck"), name="inception_resnet_v1")


def _block35(x: keras.KerasTensor, name: str, initializer: str) -> keras.KerasTensor:
    """Inception-ResNet-A: figure 10."""
    branch_0 = _conv(x, 32, 1, f"{name}_branch_0_conv2d_1x1", initializer)
    branch_1 = _conv(x, 32, 1, f"{name}_branch_1_conv2d_0a_1x1", initializer)
    branch_1 = _conv(branch_1, 32, 3, f"{name}_branch_1_conv2d_0b_3x3", initializer)
    branch_2 = _conv(x, 32, 1, f"{name}_branch_2_conv2d_0a_1x1", initializer)
    branch_2 = _conv(branch_2, 32, 3, f"{name}_branch_2_conv2d_0b_3x3", initializer)
    branch_2 = _conv(branch_2, 32, 3, f"{name}_branch_2_conv2d_0c_3x3", initializer)
    return _residual(x, [branch_0, branch_1, branch_2], 0.17, name, initializer)


def _block17(x: keras.KerasTensor, name: str, initializer: str) -> keras.KerasTensor:
    """Inception-ResNet-B: figure 11."""
    branch_0 = _conv(x, 128, 1, f"{name}_branch_0_conv2d_1x1", initializer)
    branch_1 = _conv(x, 128, 1, f"{name}_branch_1_conv2d_0a_1x1", initializer)
    branch_1 = _conv(branch_1, 128, (1, 7), f"{name}_branch_1_conv2d_0b_1x7", initializer)
    branch_1 = _conv(branch_1, 128, (7, 1), f"{name}_branch_1_conv2d_0c_7x1", initializer)
    return _residual(x, [branch_0, branch_1], 0.10, name, initializer)


def _block8(
    x: keras.KerasTensor,
    name: str,
    initializer: str,
    scale: float = 0.20,
    activation: str | None = "relu",
) -> keras.KerasTensor:
    """Inception-ResNet-C: figure 13."""
    branch_0 = _conv(x, 192, 1, f"{name}_branch_0_conv2d_1x1", initializer)
    branch_1 = _conv(x, 192, 1, f"{name}_branch_1_conv2d_0a_1x1", initializer)
    branch_1 = _conv(branch_1, 192, (1, 3), f"{name}_branch_1_conv2d_0b_1x3", initializer)
    branch_1 = _conv(branch_1, 192, (3, 1), f"{name}_branch_1_conv2d_0c_3x1", initializer)
    return _residual(x, [branch_0, branch_1], scale, name, initializer, activation)


def _mixed_6a(x: keras.KerasTensor, initializer: str) -> keras.KerasTensor:
    """Reduction-A: figure 7 with k, l, m, n = 192, 192, 256, 384."""
    name = "mixed_6a"
    branch_0 = _conv(x, 384, 3, f"{name}_branch_0_conv2d_1a_3x3", initializer, strides=2, padding="valid")
    branch_1 = _conv(x, 192, 1, f"{name}_branch_1_conv2d_0a_1x1", initializer)
    branch_1 = _conv(branch_1, 192, 3, f"{name}_branch_1_conv2d_0b_3x3", initializer)
    branch_1 = _conv(
        branch_1, 256, 3, f"{name}_branch_1_conv2d_1a_3x3", initializer, strides=2, padding="valid"
    )
    branch_2 = layers.MaxPooling2D(3, 2, name=f"{name}_branch_2_maxpool_1a_3x3")(x)
    return layers.Concatenate(name=name)([branch_0, branch_1, branch_2])


def _mixed_7a(x: keras.KerasTensor, initializer: str) -> keras.KerasTensor:
    """Reduction-B: figure 12."""
    name = "mixed_7a"
    branch_0 = _conv(x, 256, 1, f"{name}_branch_0_conv2d_0a_1x1", initializer)
    branch_0 = _conv(
        branch_0, 384, 3, f"{name}_branch_0_conv2d_1a_3x3", initializer, strides=2, padding="valid"
    )
    branch_1 = _conv(x, 256, 1, f"{name}_branch_1_conv2d_0a_1x1", initializer)
    branch_1 = _conv(
        branch_1, 256, 3, f"{name}_branch_1_conv2d_1a_3x3", initializer, strides=2, padding="valid"
    )
    branch_2 = _conv(x, 256, 1, f"{name}_branch_2_conv2d_0a_1x1", initializer)
    branch_2 = _conv(branch_2, 256, 3, f"{name}_branch_2_conv2d_0b_3x3", initializer)
    branch_2 = _conv(
        branch_2, 256, 3, f"{name}_branch_2_conv2d_1a_3x3", initializer, strides=2, padding="valid"
    )
    branch_3 = layers.MaxPooling2D(3, 2, name=f"{name}_branch_3_maxpool_1a_3x3")(x)
    return layers.Concatenate(name=name)([branch_0, branch_1, branch_2, branch_3])


def _residual(
    x: keras.KerasTensor,
    branches: list[keras.KerasTensor],
    scale: float,
    name: str,
    initializer: str,
    activation: str | None = "relu",
) -> keras.KerasTensor:
    """x + scale * (the branches brought to the width of x): section 3.3."""
    mixed = layers.Concatenate(name=f"{name}_concatenate")(branches)
    up = layers.Conv2D(x.shape[-1], 1, kernel_initializer=initializer, name=f"{name}_conv2d_1x1")(mixed)
    up = layers.Rescaling(scale, name=f"{name}_scale")(up)
    x = layers.Add(name=f"{name}_sum")([x, up])
    return layers.Activation(activation, name=f"{name}_relu")(x) if activation else x


def _conv(
    x: keras.KerasTensor,
    filters: int,
    kernel: int | tuple[int, int],
    name: str,
    initializer: str,
    strides: int = 1,
    padding: str = "same",
) -> keras.KerasTensor:
    x = layers.Conv2D(
        filters, kernel, strides, padding, use_bias=False, kernel_initializer=initializer, name=name
    )(x)
    return layers.ReLU(name=f"{name}_relu")(_norm(x, name))


def _norm(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    return layers.BatchNormalization(momentum=0.995, epsilon=0.001, name=f"{name}_norm")(x)
