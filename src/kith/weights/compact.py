"""Variables in a quarter of their size: kernels in 8 bits with a scale for each filter, the rest in full.

A safetensors file. A kernel `name` is int8, and beside it `name/scale` is float32, one number for each
filter, which is the kernel's last axis: kernel = int8 * scale.
"""

import numpy as np

from kith.errors import UnsupportedFile
from kith.weights.safetensors import read_arrays

_LEVELS = 127
_SCALE = "/scale"


def read_compact(data: bytes) -> dict[str, np.ndarray]:
    """Read variables by name, in float32.

    Raises:
        UnsupportedFile: The content is damaged, or is no such file.
    """
    stored = read_arrays(data)
    try:
        return {
            name: values.astype(np.float32) * stored[name + _SCALE] if values.dtype == np.int8 else values
            for name, values in stored.items()
            if not name.endswith(_SCALE)
        }
    except (KeyError, ValueError):
        raise UnsupportedFile("compact weights file: damaged or cut off") from None


def write_compact(arrays: dict[str, np.ndarray]) -> bytes:
    """The content of a file with these variables; reading it gives kernels within half a level."""
    from safetensors import numpy

    stored: dict[str, np.ndarray] = {}
    for name, array in sorted(arrays.items()):
        values = np.ascontiguousarray(array, np.float32)
        if values.ndim < 2:
            stored[name] = values
            continue
        largest = np.abs(values).reshape(-1, values.shape[-1]).max(axis=0)
        scale = np.where(largest > 0, largest / _LEVELS, 1).astype(np.float32)
        stored[name] = np.rint(values / scale).astype(np.int8)
        stored[name + _SCALE] = scale
    content: bytes = numpy.save(stored)
    return content
