"""Keras 2's HDF5 files: a whole model (`model.h5`) or its weights (`*-weights.h5`).

Each variable is a dataset LAYER/.../VARIABLE:0, under the group `model_weights` in a whole model and
at the root of a file of weights. A whole model also has its configuration, in an attribute, and in
it the byte code of its Lambda layers, which Python would have to unmarshal: no attribute is read.

Format: https://github.com/keras-team/keras/blob/v2.15.0/keras/saving/legacy/hdf5_format.py
"""

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from kith.errors import UnsupportedFile
from kith.weights.readers.quoting import quoted

if TYPE_CHECKING:
    import h5py

_KIND = "Keras HDF5 file"
_MAX_DEPTH = 12
_MAX_ENTRIES = 20_000
_MAX_AXES = 8
_NOT_WEIGHTS = {"optimizer_weights", "top_level_model_weights"}


def read_keras_h5(data: bytes) -> dict[str, np.ndarray]:
    """Read the variables of a Keras 2 model.

    Args:
        data: The file's content.

    Returns:
        The variables by layer and name: Conv2d_1a_3x3/kernel.

    Raises:
        UnsupportedFile: The content is damaged, is another kind of file, is compressed, or refers
            to something outside.
    """
    import h5py  # here: only a model that is not compiled yet needs it

    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            return _variables(file, len(data))
    except (
        OSError,
        RuntimeError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        OverflowError,
        MemoryError,
    ):
        raise UnsupportedFile(f"{_KIND}: damaged or cut off") from None


def _variables(file: "h5py.File", size: int) -> dict[str, np.ndarray]:
    import h5py

    root = file
    if "model_weights" in file:
        root = file["model_weights"]
    if not isinstance(root, h5py.Group):
        raise UnsupportedFile(f"{_KIND}: it holds no model")
    arrays: dict[str, np.ndarray] = {}
    for path, dataset in _datasets(root):
        if len(path) < 2:
            continue
        name = f"{path[-2]}/{path[-1].partition(':')[0]}"
        if name in arrays:
            raise UnsupportedFile(f"{_KIND}: it has two variables {quoted(name)}")
        size -= _checked_size(dataset, name, size)
        arrays[name] = np.asarray(dataset[()])
    if not arrays:
        raise UnsupportedFile(f"{_KIND}: it holds no variables")
    return arrays


def _datasets(root: "h5py.Group") -> Iterator[tuple[tuple[str, ...], "h5py.Dataset"]]:
    """Every dataset with its path; links are looked at before they are followed."""
    import h5py

    waiting: list[tuple[tuple[str, ...], Any]] = [((), root)]
    entries = 0
    while waiting:
        path, group = waiting.pop()
        for name in group:
            entries += 1
            if entries > _MAX_ENTRIES or len(path) >= _MAX_DEPTH:
                raise UnsupportedFile(f"{_KIND}: it has more groups than any model")
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise UnsupportedFile(f"{_KIND}: {quoted(name)} is a link to somewhere else")
            if not path and name in _NOT_WEIGHTS:
                continue
            item = group[name]
            if isinstance(item, h5py.Group):
                waiting.append(((*path, name), item))
            elif isinstance(item, h5py.Dataset):
                yield (*path, name), item


def _checked_size(dataset: "h5py.Dataset", name: str, available: int) -> int:
    """A dataset's bytes, which must all lie in the file, as they are."""
    if dataset.is_virtual or dataset.external:
        raise UnsupportedFile(f"{_KIND}: the values of {quoted(name)} are in another file")
    if dataset.dtype.kind != "f" or len(dataset.shape) > _MAX_AXES:
        raise UnsupportedFile(f"{_KIND}: {quoted(name)} holds something else than floats")
    size = int(dataset.nbytes)
    if size > dataset.id.get_storage_size() or dataset.id.get_create_plist().get_nfilters():
        raise UnsupportedFile(f"{_KIND}: {quoted(name)} is compressed or incomplete")
    if size > available:
        raise UnsupportedFile(f"{_KIND}: {quoted(name)} is larger than the file")
    return size
