"""The readers by name."""

from collections.abc import Callable, Mapping

import numpy as np

from kith.weights.compact import read_compact
from kith.weights.dlib import read_dlib_resnet29
from kith.weights.mtcnn import read_mtcnn_onet, read_mtcnn_pnet, read_mtcnn_rnet
from kith.weights.recognize import read_recognized
from kith.weights.safetensors import read_safetensors

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
