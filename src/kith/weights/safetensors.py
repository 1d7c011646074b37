"""Variables in the safetensors format, which holds arrays and can hold nothing else.

Format: https://github.com/huggingface/safetensors
"""

import ml_dtypes
import numpy as np

from kith.errors import UnsupportedFile
from kith.weights.limits import MOST_ARRAY_BYTES

EXTENSION = "safetensors"

_MOST_HEADER_BYTES = 4 << 20
_TYPES = {
    "F64": np.dtype("<f8"),
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "BF16": np.dtype(ml_dtypes.bfloat16),
    "I64": np.dtype("<i8"),
    "I32": np.dtype("<i4"),
    "I8": np.dtype("i1"),
}


def read_safetensors(data: bytes) -> dict[str, np.ndarray]:
    """Read variables by name, in float32; what is no float is left out.

    Raises:
        UnsupportedFile: The content is damaged, or larger than any network.
    """
    floats = {name: array for name, array in read_arrays(data).items() if "float" in array.dtype.name}
    return {name: array.astype(np.float32, copy=False) for name, array in floats.items()}


def read_arrays(data: bytes) -> dict[str, np.ndarray]:
    """Read arrays by name, as they are.

    Raises:
        UnsupportedFile: The content is damaged, is larger than any network, or holds a rare type.
    """
    # here: only a model that is not compiled yet needs it
    from safetensors import SafetensorError, deserialize

    header = int.from_bytes(data[:8], "little")
    if header > _MOST_HEADER_BYTES or len(data) > MOST_ARRAY_BYTES:
        raise UnsupportedFile("safetensors file: damaged, or larger than any network Kith knows")
    try:
        arrays = {
            name: np.frombuffer(entry["data"], _TYPES[entry["dtype"]]).reshape(entry["shape"])
            for name, entry in deserialize(data)  # type: ignore[no-untyped-call]
        }
    except (SafetensorError, KeyError, TypeError, ValueError):
        raise UnsupportedFile("safetensors file: damaged or cut off") from None
    if sum(4 * array.size for array in arrays.values()) > MOST_ARRAY_BYTES:  # as they will be in float32
        raise UnsupportedFile("safetensors file: larger than any network Kith knows")
    return arrays


def write_safetensors(arrays: dict[str, np.ndarray]) -> bytes:
    """The content of a file with these variables."""
    from safetensors import numpy

    contiguous = {name: np.ascontiguousarray(array, np.float32) for name, array in sorted(arrays.items())}
    content: bytes = numpy.save(contiguous)
    return content
