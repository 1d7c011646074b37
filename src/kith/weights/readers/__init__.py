"""Weights files -> {variable name: array}; nothing in a file is ever executed.

A variable's name is the Keras layer's name, a slash, and the variable's own: `stem_conv/kernel`.
"""

from collections.abc import Callable, Mapping

import numpy as np

from kith.weights.readers.compact import read_compact
from kith.weights.readers.dlib import read_dlib_resnet29
from kith.weights.readers.mtcnn import read_mtcnn_onet, read_mtcnn_pnet, read_mtcnn_rnet
from kith.weights.readers.recognize import read_recognized
from kith.weights.readers.safetensors import read_safetensors

Arrays = dict[str, np.ndarray]

READERS: Mapping[str, Callable[[bytes], Arrays]] = {
    "compact": read_compact,  # what ships with Kith
    "dlib_resnet29": read_dlib_resnet29,
    "mtcnn_pnet": read_mtcnn_pnet,
    "mtcnn_rnet": read_mtcnn_rnet,
    "mtcnn_onet": read_mtcnn_onet,
    "recognized": read_recognized,  # every FaceNet
    "safetensors": read_safetensors,  # our own form of all of them
}
