"""Variables in the safetensors format, which holds arrays and can hold nothing else.

Format: https://github.com/huggingface/safetensors
"""

import numpy as np

from kith.errors import UnsupportedFile

EXTENSION = "safetensors"


def read_safetensors(data: bytes) -> dict[str, np.ndarray]:
    """Read variables by name.

    Raises:
        UnsupportedFile: The content is damaged or holds something else than floats.
    """
    from safetensors import SafetensorError, numpy  # here: only a model that is not compiled yet needs it

    try:
        arrays: dict[str, np.ndarray] = numpy.load(data)
    except (SafetensorError, KeyError, TypeError, ValueError):
        raise UnsupportedFile("safetensors file: damaged or cut off") from None
    if any(array.dtype != np.float32 for array in arrays.values()):
        raise UnsupportedFile("safetensors file: it holds something else than float32 numbers")
    return arrays


def write_safetensors(arrays: dict[str, np.ndarray]) -> bytes:
    """The content of a file with these variables."""
    from safetensors import numpy

    contiguous = {name: np.ascontiguousarray(array, np.float32) for name, array in sorted(arrays.items())}
    content: bytes = numpy.save(contiguous)
    return content
