"""Arrays of a fitted classifier as one value of the database: an .npz file without pickles."""

import io
import zipfile
import zlib

import numpy as np

_NO_ARCHIVE = (
    *(ValueError, TypeError, KeyError, OSError, EOFError, MemoryError, NotImplementedError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error),
)


def to_bytes(arrays: dict[str, np.ndarray]) -> bytes:
    """Arrays as a file."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def from_bytes(data: bytes) -> dict[str, np.ndarray] | None:
    """The arrays of a file of ours; None if it is damaged."""
    try:
        return _arrays(data)
    except _NO_ARCHIVE:
        return None


def _arrays(data: bytes) -> dict[str, np.ndarray]:
    """The arrays of an .npz file that `np.savez` wrote: they are not larger than the file.

    Raises:
        One of _NO_ARCHIVE: It is damaged.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sum(member.file_size for member in archive.infolist()) > len(data):
            raise ValueError("compressed")
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        return dict(archive)
