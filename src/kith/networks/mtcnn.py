"""The three networks of MTCNN: each looks closer at what the one before let through.

Source: Zhang et al. 2016, "Joint Face Detection and Alignment using Multi-task Cascaded
Convolutional Networks", https://arxiv.org/abs/1604.02878, figure 2. Input pixels are scaled to
(x - 127.5) / 128. Box outputs are offsets of x1, y1, x2, y2 in units of the window's size. The
score is one sigmoid; the paper's softmax over two (not face, face) is the same function.
"""

import keras
from keras import layers

from kith.networks.settings import channels_last


@channels_last()
def pnet(*, initializer: str = "he_normal") -> keras.Model:
    """Proposal network: 12-pixel windows at a stride of 2 over an image of any size.

    Returns:
        A model from (n, h, w, 3) to offsets (n, h', w', 4) and scores (n, h', w', 1).
    """
    inputs = keras.Input((None, None, 3), name="image")
    x = _conv(inputs, 10, 3, "conv1", initializer)
    x = layers.MaxPooling2D(2, 2, "same", name="pool1")(x)
    x = _conv(x, 16, 3, "conv2", initializer)
    x = _conv(x, 32, 3, "conv3", initializer)
    offsets = layers.Conv2D(4, 1, kernel_initializer=initializer, name="offsets")(x)
    scores = layers.Conv2D(1, 1, activation="sigmoid", kernel_initializer=initializer, name="scores")(x)
    return keras.Model(inputs, [offsets, scores], name="pnet")


@channels_last()
def rnet(*, initializer: str = "he_normal") -> keras.Model:
    """Refinement network.

    Returns:
        A model from windows (n, 24, 24, 3) to offsets (n, 4) and scores (n, 1).
    """
    inputs = keras.Input((24, 24, 3), name="windows")
    x = _conv(inputs, 28, 3, "conv1", initializer)  # 22 x 22 x 28
    x = layers.MaxPooling2D(3, 2, "same", name="pool1")(x)  # 11 x 11
    x = _conv(x, 48, 3, "conv2", initializer)  # 9 x 9 x 48
    x = layers.MaxPooling2D(3, 2, "valid", name="pool2")(x)  # 4 x 4
    x = _conv(x, 64, 2, "conv3", initializer)  # 3 x 3 x 64
    x = _dense(x, 128, "dense4", initializer)
    offsets = layers.Dense(4, kernel_initializer=initializer, name="offsets")(x)
    scores = layers.Dense(1, activation="sigmoid", kernel_initializer=initializer, name="scores")(x)
    return keras.Model(inputs, [offsets, scores], name="rnet")


@channels_last()
def onet(*, initializer: str = "he_normal") -> keras.Model:
    """Output network: the final box and five landmarks.

    Returns:
        A model from windows (n, 48, 48, 3) to offsets (n, 4), landmarks (n, 10) as five x then
        five y in units of the window's size, and scores (n, 1).
    """
    inputs = keras.Input((48, 48, 3), name="windows")
    x = _conv(inputs, 32, 3, "conv1", initializer)  # 46 x 46 x 32
    x = layers.MaxPooling2D(3, 2, "same", name="pool1")(x)  # 23 x 23
    x = _conv(x, 64, 3, "conv2", initializer)  # 21 x 21 x 64
    x = layers.MaxPooling2D(3, 2, "valid", name="pool2")(x)  # 10 x 10
    x = _conv(x, 64, 3, "conv3", initializer)  # 8 x 8 x 64
    x = layers.MaxPooling2D(2, 2, "same", name="pool3")(x)  # 4 x 4
    x = _conv(x, 128, 2, "conv4", initializer)  # 3 x 3 x 128
    x = _dense(x, 256, "dense5", initializer)
    offsets = layers.Dense(4, kernel_initializer=initializer, name="offsets")(x)
    landmarks = layers.Dense(10, kernel_initializer=initializer, name="landmarks")(x)
    scores = layers.Dense(1, activation="sigmoid", kernel_initializer=initializer, name="scores")(x)
    return keras.Model(inputs, [offsets, landmarks, scores], name="onet")


def _conv(x: keras.KerasTensor, filters: int, kernel: int, name: str, initializer: str) -> keras.KerasTensor:
    x = layers.Conv2D(filters, kernel, kernel_initializer=initializer, name=name)(x)
    return layers.PReLU(shared_axes=[1, 2], name=f"{name}_prelu")(x)


def _dense(x: keras.KerasTensor, units: int, name: str, initializer: str) -> keras.KerasTensor:
    # the original, in Caffe and MATLAB, flattens column by column
    x = layers.Permute((2, 1, 3), name=f"{name}_transpose")(x)
    x = layers.Flatten(name=f"{name}_flatten")(x)
    x = layers.Dense(units, kernel_initializer=initializer, name=name)(x)
    return layers.PReLU(name=f"{name}_prelu")(x)
