"""Whether numbers can be those of a trained network; asked before anything is built of them.

Most formats have no checksum, so a broken download is read like any other file. What it leaves are
zeros, values that are no numbers, and values of an absurd size, which flipped bits of the exponent make.
"""

import math
from collections.abc import Mapping

import numpy as np

from kith.errors import UnsupportedFile
from kith.weights.quoting import quoted

_LARGEST = 1e12  # the highest bit of a small number's exponent, flipped, makes 1e30 and more of it


def require_plausible(arrays: Mapping[str, np.ndarray]) -> None:
    """Refuse variables that no training leaves behind.

    Args:
        arrays: A network's variables by their names in Keras: stem_conv/kernel.

    Raises:
        UnsupportedFile: A variable is empty, is not finite, is absurdly large, is a negative variance,
            or a kernel that holds nothing but zeros.
    """
    for name, values in arrays.items():
        if not values.size:
            raise UnsupportedFile(f"damaged weights: {quoted(name)} is empty")
        with np.errstate(invalid="ignore"):
            low, high = float(values.min()), float(values.max())
        if not (math.isfinite(low) and math.isfinite(high)):
            raise UnsupportedFile(f"damaged weights: {quoted(name)} holds values that are not finite numbers")
        if max(-low, high) > _LARGEST:
            raise UnsupportedFile(
                f"damaged weights: {quoted(name)} holds {max(-low, high):.0e}, larger than training makes it"
            )
        if name.endswith("/moving_variance") and low < 0:
            raise UnsupportedFile(f"damaged weights: {quoted(name)} holds a negative variance")
        if name.endswith("/kernel") and low == high == 0:
            raise UnsupportedFile(f"damaged weights: {quoted(name)} holds nothing but zeros")
