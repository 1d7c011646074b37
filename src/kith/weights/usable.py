"""Whether variables are those of a network that can be used, as far as that shows before it is built."""

from kith.errors import UnsupportedFile
from kith.weights.plausible import require_plausible
from kith.weights.recognize import Recognized
from kith.weights.shapes import require_shapes, shapes_of

_SIZES = range(8, 8193)


def require_usable(found: Recognized) -> None:
    """Refuse variables that are not the network's, or not a trained one's.

    Raises:
        UnsupportedFile: Names, shapes or values are wrong.
    """
    if found.embedding_size not in _SIZES:
        raise UnsupportedFile(f"its embeddings have {found.embedding_size} numbers; 8 to 8192 can be used")
    require_shapes(found.network, shapes_of(found.network, found.embedding_size), found.arrays)
    require_plausible(found.arrays)
