"""Where TensorFlow's files lie: a checkpoint's beside each other, or all in a published zip archive."""

import io
import re
import zipfile
import zlib
from pathlib import Path

import numpy as np

from kith.errors import UnsupportedFile
from kith.weights.readers.quoting import quoted
from kith.weights.readers.tensorflow_checkpoint import read_tensorflow_checkpoint
from kith.weights.readers.tensorflow_graph import read_tensorflow_graph

_SHARD = r"\.data-[0-9]{5}-of-[0-9]{5}"
_PART = re.compile(rf"(.+?)(\.index|\.meta|{_SHARD})")
_MAX_RATIO = 10  # weights hardly shrink: an archive that grows more is none of weights
_ZIP_DAMAGE = (zipfile.BadZipFile, zlib.error, ValueError, EOFError, OSError, RuntimeError, KeyError)
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def is_checkpoint(path: Path) -> bool:
    """Whether a path is one of a checkpoint's files, or the folder of one."""
    return _PART.fullmatch(path.name) is not None or (path.is_dir() and any(path.glob("*.index")))


def read_checkpoint_files(path: Path) -> dict[str, np.ndarray]:
    """Read the variables of a checkpoint, given one of its files or its folder.

    Raises:
        UnsupportedFile: A file is damaged or missing, or the folder has several checkpoints.
        OSError: A file cannot be read.
    """
    if path.is_dir():
        indexes = list(path.glob("*.index"))
        if len(indexes) != 1:
            raise UnsupportedFile(
                f"{path.name}: the folder has {len(indexes)} checkpoints (*.index), not one"
            )
        path = indexes[0]
    part = _PART.fullmatch(path.name)
    stem = part[1] if part else path.name
    index = path.with_name(f"{stem}.index")
    shards = sorted(file for file in path.parent.iterdir() if _is_shard(file.name, stem))
    if not index.is_file() or not shards:
        raise UnsupportedFile(f"{stem}: a checkpoint is the files .index and .data-*; one of them is missing")
    return read_tensorflow_checkpoint(index.read_bytes(), [shard.read_bytes() for shard in shards])


def read_tensorflow_zip(data: bytes) -> dict[str, np.ndarray]:
    """Read the variables of the checkpoint, or else of the frozen graph, in a zip archive.

    Args:
        data: The archive's content.

    Raises:
        UnsupportedFile: The archive is damaged, or holds neither or several.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            indexes = [name for name in names if name.endswith(".index")]
            graphs = [name for name in names if name.endswith(".pb")]
            if len(indexes) == 1:
                stem = indexes[0].removesuffix(".index")
                shards = sorted(name for name in names if _is_shard(name, stem))
                return read_tensorflow_checkpoint(
                    _member(archive, indexes[0], len(data)),
                    [_member(archive, shard, len(data)) for shard in shards],
                )
            if not indexes and len(graphs) == 1:
                return read_tensorflow_graph(_member(archive, graphs[0], len(data)))
    except _ZIP_DAMAGE:
        raise UnsupportedFile("zip archive: damaged or cut off") from None
    raise UnsupportedFile(
        f"zip archive: it holds {len(indexes)} TensorFlow checkpoints and {len(graphs)} graphs instead of one"
    )


def _is_shard(name: str, stem: str) -> bool:
    return re.fullmatch(re.escape(stem) + _SHARD, name) is not None


def _member(archive: zipfile.ZipFile, name: str, size: int) -> bytes:
    info = archive.getinfo(name)
    if info.file_size > _MAX_RATIO * size or info.compress_type not in _COMPRESSIONS:
        raise UnsupportedFile(
            f"zip archive: {quoted(name)} is too large for weights, or of a rare compression"
        )
    return archive.read(name)
