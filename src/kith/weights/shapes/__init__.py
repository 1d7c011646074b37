"""Which variables a network has, and of which shapes: told before it is built, which takes ten seconds.

NETWORK.json   of each network whose files can be imported: written by `tools/write_shapes.py`, which asks
               Keras; null stands for the length of an embedding
"""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from kith.errors import UnsupportedFile
from kith.weights.quoting import quoted

Shapes = Mapping[str, tuple[int, ...]]


def shapes_of(network: str, embedding_size: int) -> Shapes:
    """The shapes of a network's variables by their names in Keras.

    Args:
        network: The function in `kith.networks` that builds the network.
        embedding_size: Length of its output.
    """
    table = json.loads(Path(__file__).with_name(f"{network}.json").read_bytes())
    return {
        name: tuple(embedding_size if length is None else length for length in shape)
        for name, shape in table.items()
    }


def require_shapes(network: str, expected: Shapes, arrays: Mapping[str, np.ndarray]) -> None:
    """Make sure that arrays are a network's variables: each finds its place, and no place stays empty.

    Raises:
        UnsupportedFile: A name is missing or left over, or a shape differs.
    """
    missing = sorted(expected.keys() - arrays.keys())
    unused = sorted(arrays.keys() - expected.keys())
    if missing or unused:
        example = f"lacks {missing[0]}" if missing else f"has no place for {quoted(unused[0])}"
        count = len(missing) + len(unused)
        raise UnsupportedFile(f"the weights do not fit {network}: {count} differ, it {example}")
    for name, shape in expected.items():
        if arrays[name].shape != shape:
            raise UnsupportedFile(
                f"the weights do not fit {network}: {name} has shape {arrays[name].shape}, expected {shape}"
            )
