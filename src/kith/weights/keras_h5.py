"""Keras's HDF5 files: a whole model of Keras 2 (`model.h5`), or the weights of Keras 2 or 3.

In Keras 2 each variable is a dataset LAYER/.../VARIABLE:0, under the group `model_weights` in a whole
model and at the root of a file of weights. A whole model also has its configuration, in an attribute,
and in it the byte code of its Lambda layers, which Python would have to unmarshal: no attribute is
read but those with the layers' names in Keras 3. There (`*.weights.h5`, and inside of `*.keras`) the
variables of a layer are numbered, .../vars/0, and the attribute `name` of the group says of which.

Format: https://github.com/keras-team/keras/blob/v2.15.0/keras/saving/legacy/hdf5_format.py and
https://github.com/keras-team/keras/blob/v3.14.1/keras/src/saving/saving_lib.py
"""

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from kith.errors import UnsupportedFile
from kith.weights.limits import MOST_ARRAY_BYTES
from kith.weights.quoting import quoted

if TYPE_CHECKING:
    import h5py

_KIND = "Keras HDF5 file"
_MAX_DEPTH = 12
_MAX_ENTRIES = 5_000  # twice as many as a whole model has; each takes a third of a millisecond
_MAX_AXES = 8
_MODEL = "model_weights"
_NOT_WEIGHTS = {"optimizer", "optimizer_weights", "top_level_model_weights"}
_NUMBERED = "vars"
_HEAP = b"GCOL\1\0\0\0"
_MOST_HEAP_BYTES = 4 << 20  # a whole model's configuration has half a megabyte
_LONGEST_NAME = 200
_DENSE = ("kernel", "bias")
_NORM = ("gamma", "beta", "moving_mean", "moving_variance")


def read_keras_h5(data: bytes) -> dict[str, np.ndarray]:
    """Read the variables of a model.

    Args:
        data: The file's content.

    Returns:
        The variables by layer and name: Conv2d_1a_3x3/kernel.

    Raises:
        UnsupportedFile: The content is damaged, is another kind of file, is compressed, or refers
            to something outside.
    """
    import h5py  # here: only a model that is not compiled yet needs it

    _require_short_texts(data)
    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            return _variables(file, len(data))
    except (
        OSError,
        RuntimeError,
        ValueError,
        KeyError,
        IndexError,
        TypeError,
        AttributeError,
        OverflowError,
        MemoryError,
    ):
        raise UnsupportedFile(f"{_KIND}: damaged or cut off") from None


def _require_short_texts(data: bytes) -> None:
    """Refuse texts that would be read whole, several times over, before anyone can see their length.

    They lie in heaps that begin with a mark and their size.
    """
    at = data.find(_HEAP)
    heaps = 0
    while at >= 0:
        heaps += 1
        size = int.from_bytes(data[at + 8 : at + 16], "little")
        if size > _MOST_HEAP_BYTES or heaps > _MAX_ENTRIES:
            raise UnsupportedFile(f"{_KIND}: it holds more or longer texts than any model")
        at = data.find(_HEAP, at + 8)


def _variables(file: "h5py.File", size: int) -> dict[str, np.ndarray]:
    import h5py

    root: Any = file
    if _MODEL in file:
        _require_here(file, _MODEL)
        root = file[_MODEL]
    if not isinstance(root, h5py.Group):
        raise UnsupportedFile(f"{_KIND}: it holds no model")
    arrays: dict[str, np.ndarray] = {}
    left = min(size, MOST_ARRAY_BYTES)
    for path, group, dataset in _datasets(root):
        if len(path) < 2:
            continue
        name = _numbered_name(group, path[-1]) if path[-2] == _NUMBERED else "/".join(path[-2:])
        name = name.partition(":")[0]
        if name in arrays:
            raise UnsupportedFile(f"{_KIND}: it has two variables {quoted(name)}")
        left -= _checked_size(dataset, name, left)
        arrays[name] = np.asarray(dataset[()])
    if not arrays:
        raise UnsupportedFile(f"{_KIND}: it holds no variables")
    return arrays


def _datasets(root: "h5py.Group") -> Iterator[tuple[tuple[str, ...], "h5py.Group", "h5py.Dataset"]]:
    """Every dataset with its path and group; links are looked at before they are followed."""
    import h5py

    waiting: list[tuple[tuple[str, ...], Any]] = [((), root)]
    entries = 0
    while waiting:
        path, group = waiting.pop()
        entries += len(group)  # before it is iterated over, for which all names are read
        if entries > _MAX_ENTRIES or len(path) >= _MAX_DEPTH:
            raise UnsupportedFile(f"{_KIND}: it has more groups than any model")
        for name in group:
            if not path and name in _NOT_WEIGHTS:
                continue
            _require_here(group, name)
            item = group[name]
            if isinstance(item, h5py.Group):
                waiting.append(((*path, name), item))
            elif isinstance(item, h5py.Dataset):
                yield (*path, name), group, item


def _require_here(group: "h5py.Group", name: str) -> None:
    """An entry must be in this file: a link could lead to a pipe that never ends."""
    import h5py

    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
        raise UnsupportedFile(f"{_KIND}: {quoted(name)} is a link to somewhere else")


def _numbered_name(group: "h5py.Group", number: str) -> str:
    """The layer's name and the variable's, as Keras 2 has them, of a variable that Keras 3 numbered."""
    import h5py

    attribute = h5py.h5a.open(group.id, b"name")
    if attribute.shape != () or not isinstance(attribute.get_type(), h5py.h5t.TypeStringID):
        raise UnsupportedFile(f"{_KIND}: a layer's name is no text")
    layer = str(group.attrs["name"])
    if len(layer) > _LONGEST_NAME:
        raise UnsupportedFile(f"{_KIND}: a layer's name is longer than any layer's")
    kinds = _NORM[-len(group) :] if len(group) > len(_DENSE) else _DENSE  # without scale there is no gamma
    return f"{layer}/{kinds[int(number)]}"


def _checked_size(dataset: "h5py.Dataset", name: str, available: int) -> int:
    """A dataset's bytes, which must all lie in the file, in one piece and as they are."""
    import h5py

    properties = dataset.id.get_create_plist()
    if properties.get_layout() == h5py.h5d.VIRTUAL or properties.get_external_count():
        raise UnsupportedFile(f"{_KIND}: the values of {quoted(name)} are in another file")
    if properties.get_layout() == h5py.h5d.CHUNKED:  # of many chunks the index alone takes minutes
        raise UnsupportedFile(
            f"{_KIND}: {quoted(name)} is compressed or in chunks; Keras does not write this"
        )
    if dataset.id.get_type().get_class() != h5py.h5t.FLOAT or len(dataset.shape) > _MAX_AXES:
        raise UnsupportedFile(f"{_KIND}: {quoted(name)} holds something else than floats")
    size = int(dataset.nbytes)
    if size > dataset.id.get_storage_size():
        raise UnsupportedFile(f"{_KIND}: {quoted(name)} was never written")
    if size > available:
        raise UnsupportedFile(f"{_KIND}: {quoted(name)} is larger than the file, or than any network's")
    return size
