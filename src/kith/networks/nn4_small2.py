"""nn4.small2, the network of OpenFace: a small FaceNet for crops of 96 pixels.

Paper: Schroff et al. 2015, "FaceNet", https://arxiv.org/abs/1503.03832, table 2 (NN2) and section
3.3 (NN4); its inception blocks are those of Szegedy et al. 2014, https://arxiv.org/abs/1409.4842.
Source: models/openface/nn4.small2.def.lua of https://github.com/cmusatyalab/openface: NN4 without
the blocks 4b, 4c and 4d. The published weights, nn4.small2.v1, were trained with another version of
that file; this follows the weights: the pool of a block has a stride of its own, and the branches
that end up smaller than the others are centered in zeros.
"""

import keras
from keras import layers

from kith.networks.nn4_layers import L2Pooling2D, LocalResponseNormalization
from kith.networks.settings import channels_last


@channels_last()
def nn4_small2(
    *, crop_size: int = 96, embedding_size: int = 128, initializer: str = "he_normal"
) -> keras.Model:
    """The network from scaled crops to embeddings that are not yet of unit length.

    Args:
        crop_size: Side of the square input in pixels.
        embedding_size: Length of the output.
        initializer: For the kernels; "zeros" builds fastest when weights are loaded anyway.

    Returns:
        A model from (n, s, s, 3) float32 to (n, embedding_size) float32.
    """
    inputs = keras.Input((crop_size, crop_size, 3), name="crops")
    x = layers.ZeroPadding2D(3, name="conv1_pad")(inputs)
    x = _conv(x, 64, 7, "conv1", initializer, strides=2, padding="valid")  # 48 x 48 x 64
    x = _pool(x, "pool1")  # 24 x 24
    x = LocalResponseNormalization(name="response1")(x)
    x = _conv(x, 64, 1, "conv2", initializer)  # 24 x 24 x 64
    x = _conv(x, 192, 3, "conv3", initializer)  # 24 x 24 x 192
    x = LocalResponseNormalization(name="response3")(x)
    x = _pool(x, "pool3")  # 12 x 12
    block = _Inception("inception_3a", initializer)
    x = block.join(  # 12 x 12 x 256
        block.conv(x, 3, 96, 128),
        block.conv(x, 5, 16, 32),
        block.project(block.max_pool(x), 32),
        block.pointwise(x, 64),
    )
    block = _Inception("inception_3b", initializer)
    x = block.join(  # 12 x 12 x 320
        block.conv(x, 3, 96, 128),
        block.conv(x, 5, 32, 64),
        block.project(block.l2_pool(x), 64),
        block.pointwise(x, 64),
    )
    block = _Inception("inception_3c", initializer)
    x = block.join(  # 6 x 6 x 640
        block.conv(x, 3, 128, 256, strides=2),
        block.conv(x, 5, 32, 64, strides=2),
        block.max_pool(x),
    )
    block = _Inception("inception_4a", initializer)
    x = block.join(  # 6 x 6 x 640
        block.conv(x, 3, 96, 192),
        block.conv(x, 5, 32, 64),
        block.project(block.l2_pool(x), 128),
        block.pointwise(x, 256),
    )
    block = _Inception("inception_4e", initializer)
    x = block.join(  # 3 x 3 x 1024
        block.conv(x, 3, 160, 256, strides=2),
        block.conv(x, 5, 64, 128, strides=2),
        block.max_pool(x),
    )
    block = _Inception("inception_5a", initializer)
    x = block.join(  # 3 x 3 x 736
        block.conv(x, 3, 96, 384),
        block.project(block.l2_pool(x), 96),
        block.pointwise(x, 256),
    )
    block = _Inception("inception_5b", initializer)
    x = block.join(  # 3 x 3 x 736
        block.conv(x, 3, 96, 384),
        block.project(block.max_pool(x), 96),
        block.pointwise(x, 256),
    )
    x = layers.GlobalAveragePooling2D(name="pool")(x)  # 736
    embedding = layers.Dense(embedding_size, kernel_initializer=initializer, name="embedding")(x)
    return keras.Model(inputs, embedding, name="nn4_small2")


class _Inception:
    """The branches of one inception block, and their join."""

    def __init__(self, name: str, initializer: str) -> None:
        self.name = name
        self.initializer = initializer

    def conv(
        self, x: keras.KerasTensor, kernel: int, reduced: int, filters: int, strides: int = 1
    ) -> keras.KerasTensor:
        """A convolution behind a pointwise one that reduces the channels."""
        name = f"{self.name}_{kernel}x{kernel}"
        x = _conv(x, reduced, 1, f"{name}_reduce", self.initializer)
        if strides > 1:  # the original pads both sides alike, which "same" does not
            x = layers.ZeroPadding2D(kernel // 2, name=f"{name}_pad")(x)
        return _conv(x, filters, kernel, name, self.initializer, strides, "same" if strides == 1 else "valid")

    def max_pool(self, x: keras.KerasTensor) -> keras.KerasTensor:
        return layers.MaxPooling2D(3, 2, name=f"{self.name}_max")(x)

    def l2_pool(self, x: keras.KerasTensor) -> keras.KerasTensor:
        return L2Pooling2D(3, name=f"{self.name}_l2")(x)

    def project(self, x: keras.KerasTensor, filters: int) -> keras.KerasTensor:
        """A pointwise convolution behind a pool."""
        return _conv(x, filters, 1, f"{self.name}_pool", self.initializer)

    def pointwise(self, x: keras.KerasTensor, filters: int) -> keras.KerasTensor:
        return _conv(x, filters, 1, f"{self.name}_1x1", self.initializer)

    def join(self, *branches: keras.KerasTensor) -> keras.KerasTensor:
        """All channels side by side; smaller branches are centered in zeros."""
        height = max(branch.shape[1] for branch in branches)
        width = max(branch.shape[2] for branch in branches)
        centered = [
            self._center(branch, height, width, number) for number, branch in enumerate(branches, start=1)
        ]
        return layers.Concatenate(name=self.name)(centered)

    def _center(self, x: keras.KerasTensor, height: int, width: int, number: int) -> keras.KerasTensor:
        rows, columns = height - x.shape[1], width - x.shape[2]
        if not rows and not columns:
            return x
        margins = ((rows // 2, rows - rows // 2), (columns // 2, columns - columns // 2))
        return layers.ZeroPadding2D(margins, name=f"{self.name}_center_{number}")(x)


def _pool(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    x = layers.ZeroPadding2D(1, name=f"{name}_pad")(x)  # as good as nothing: no value is negative
    return layers.MaxPooling2D(3, 2, name=name)(x)


def _conv(
    x: keras.KerasTensor,
    filters: int,
    kernel: int,
    name: str,
    initializer: str,
    strides: int = 1,
    padding: str = "same",
) -> keras.KerasTensor:
    x = layers.Conv2D(filters, kernel, strides, padding, kernel_initializer=initializer, name=name)(x)
    x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_norm")(x)
    return layers.ReLU(name=f"{name}_relu")(x)
