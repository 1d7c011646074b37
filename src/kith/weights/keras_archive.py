"""Keras 3's archives (`*.keras`): a configuration, and beside it an HDF5 file of weights.

Of the configuration, out of which Keras would build Python objects, nothing is read.

Format: https://github.com/keras-team/keras/blob/v3.14.1/keras/src/saving/saving_lib.py
"""

from collections.abc import Sequence

import numpy as np

from kith.weights.keras_h5 import read_keras_h5
from kith.weights.limits import MOST_ARRAY_BYTES
from kith.weights.zip_archive import open_zip, read_member

_WEIGHTS = "model.weights.h5"


def is_keras_archive(members: Sequence[str]) -> bool:
    """Whether a zip archive with these members is one of Keras's."""
    return _WEIGHTS in members


def read_keras_archive(data: bytes) -> dict[str, np.ndarray]:
    """Read the variables of a model.

    Args:
        data: The file's content.

    Returns:
        The variables by layer and name: stem_conv/kernel.

    Raises:
        UnsupportedFile: The content is damaged, is another kind of file, or refers to something outside.
    """
    with open_zip(data) as archive:
        weights = read_member(archive, _WEIGHTS, MOST_ARRAY_BYTES)
    return read_keras_h5(weights)
