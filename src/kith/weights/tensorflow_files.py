"""Where TensorFlow's files lie: a checkpoint's beside each other, or all in a published zip archive."""

import re
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO

import numpy as np

from kith.errors import UnsupportedFile
from kith.weights.limits import MOST_ARRAY_BYTES
from kith.weights.quoting import quoted
from kith.weights.regular_file import open_regular, read_regular
from kith.weights.tensorflow_checkpoint import read_tensorflow_checkpoint
from kith.weights.tensorflow_graph import read_tensorflow_graph
from kith.weights.zip_archive import open_member, open_zip, read_member

_PART = re.compile(r"(.+?)(\.index|\.meta|\.data-[0-9]{5}-of-[0-9]{5})")
_STATE = "checkpoint"  # the file in which TensorFlow notes the newest checkpoint of a folder
_NEWEST = re.compile(r'^model_checkpoint_path: "(?:.*[/\\])?([^/\\"]+)"', re.MULTILINE)
_MOST_INDEX_BYTES = 16 << 20
_MOST_STATE_BYTES = 1 << 20

Wanted = Callable[[str], bool]


def find_checkpoint(path: Path) -> Path | None:
    """The prefix of a checkpoint's files, which is how TensorFlow calls it: `folder/model.ckpt-1`.

    Args:
        path: The prefix, one of the files, the file `checkpoint` beside them, or their folder, which
            may also be that of a SavedModel.

    Returns:
        The prefix; None if the path has nothing to do with a checkpoint.

    Raises:
        UnsupportedFile: A folder has several checkpoints, and none is noted as the newest.
        OSError: The folder cannot be read.
    """
    if path.is_dir():
        for folder in (path, path / "variables"):
            if indexes := list(folder.glob("*.index")):
                return _newest(folder, indexes)
        return None
    if path.name == _STATE and (indexes := list(path.parent.glob("*.index"))):
        return _newest(path.parent, indexes)
    if part := _PART.fullmatch(path.name):
        return path.with_name(part[1])
    return path if _index_of(path).is_file() and not path.exists() else None


def read_checkpoint_files(prefix: Path, wanted: Wanted) -> dict[str, np.ndarray]:
    """Read variables of a checkpoint.

    Args:
        prefix: As `find_checkpoint` found it.
        wanted: Whether a variable is to be read, by its name.

    Raises:
        UnsupportedFile: A file is damaged or missing, or is no file.
        OSError: A file cannot be read.
    """
    index = _index_of(prefix)
    _require(index)

    def open_shard(number: int, count: int) -> AbstractContextManager[IO[bytes]]:
        shard = prefix.with_name(_shard(prefix.name, number, count))
        _require(shard)
        return open_regular(shard)

    return read_tensorflow_checkpoint(read_regular(index, _MOST_INDEX_BYTES), open_shard, wanted)


def read_tensorflow_zip(data: bytes, wanted: Wanted) -> dict[str, np.ndarray]:
    """Read variables of the checkpoint, or else of the frozen graph, in a zip archive.

    Args:
        data: The archive's content.
        wanted: Whether a checkpoint's variable is to be read, by its name.

    Raises:
        UnsupportedFile: The archive is damaged, or holds neither or several.
    """
    with open_zip(data) as archive:
        names = archive.namelist()
        indexes = [name for name in names if name.endswith(".index")]
        graphs = [name for name in names if name.endswith(".pb")]
        if len(indexes) == 1:
            return _read_zipped_checkpoint(archive, indexes[0], wanted)
        if not indexes and len(graphs) == 1:
            return read_tensorflow_graph(read_member(archive, graphs[0], MOST_ARRAY_BYTES))
    raise UnsupportedFile(
        f"zip archive: it holds {len(indexes)} TensorFlow checkpoints and {len(graphs)} graphs instead of "
        f"one (it begins with {quoted(next(iter(names), 'nothing'))}); if weights are in it, unpack them"
    )


def _read_zipped_checkpoint(archive: zipfile.ZipFile, index: str, wanted: Wanted) -> dict[str, np.ndarray]:
    stem = index.removesuffix(".index")

    def open_shard(number: int, count: int) -> AbstractContextManager[IO[bytes]]:
        name = _shard(stem, number, count)
        if name not in archive.NameToInfo:
            raise UnsupportedFile(
                f"zip archive: of the checkpoint's {count} data files, {quoted(name)} is missing"
            )
        return open_member(archive, name)

    return read_tensorflow_checkpoint(read_member(archive, index, _MOST_INDEX_BYTES), open_shard, wanted)


def _newest(folder: Path, indexes: list[Path]) -> Path:
    """The only checkpoint of a folder, or the one that its file `checkpoint` names."""
    stems = {index.name.removesuffix(".index") for index in indexes}
    if len(stems) == 1:
        return folder / stems.pop()
    state = folder / _STATE
    if state.exists():
        noted = _NEWEST.search(read_regular(state, _MOST_STATE_BYTES).decode(errors="replace"))
        if noted and noted[1] in stems:
            return folder / noted[1]
    raise UnsupportedFile(
        f"{folder}: the folder has {len(stems)} checkpoints (*.index), give one of them, "
        f"such as {quoted(min(stems))}"
    )


def _index_of(prefix: Path) -> Path:
    return prefix.with_name(f"{prefix.name}.index")


def _shard(stem: str, number: int, count: int) -> str:
    return f"{stem}.data-{number:05d}-of-{count:05d}"


def _require(part: Path) -> None:
    if not part.exists():
        raise UnsupportedFile(
            f"{quoted(part.name)} is missing: a checkpoint is the files .index and .data-*, beside each other"
        )
