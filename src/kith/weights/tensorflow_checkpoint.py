"""TensorFlow's checkpoints (`.index` and `.data-00000-of-00001`), read without TensorFlow.

The index is a sorted table of messages: under the empty key a BundleHeaderProto, under each
variable's name a BundleEntryProto with its type, its shape, where its bytes lie in which of the
data files, and their checksum (CRC-32C, masked). Of the data only the variables that are wanted are
read: a training's checkpoint is mostly its optimizer's.

Format: tensorflow/core/protobuf/tensor_bundle.proto of https://github.com/tensorflow/tensorflow
"""

import math
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import groupby
from typing import IO, Any

import numpy as np

from kith.errors import UnsupportedFile
from kith.weights.crc32c import masked_crc32c
from kith.weights.limits import MOST_ARRAY_BYTES
from kith.weights.protobuf import FieldReader, message, number
from kith.weights.quoting import quoted
from kith.weights.sorted_table import read_sorted_table
from kith.weights.tensorflow_types import DTYPES, read_shape

_KIND = "TensorFlow checkpoint"
_MOST_OFFSET = 1 << 43  # no file system has larger files, and few could say why they have none

OpenShard = Callable[[int, int], AbstractContextManager[IO[bytes]]]
"""Opens one of the data files, given its number and how many there are."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """Where a variable's bytes lie."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int
    checksum: int


def read_tensorflow_checkpoint(
    index: bytes, open_shard: OpenShard, wanted: Callable[[str], bool]
) -> dict[str, np.ndarray]:
    """Read variables of a checkpoint.

    Args:
        index: The content of the `.index` file.
        open_shard: Opens a `.data-*` file.
        wanted: Whether a variable is to be read, by its name. Those that are no numbers, or are
            spread over several entries, never are.

    Returns:
        The variables by their names; read-only.

    Raises:
        UnsupportedFile: The content is damaged, the files do not belong together, or no variable is
            wanted.
    """
    try:
        shards, entries = _read_index(index)
    except ValueError as error:
        raise UnsupportedFile(f"{_KIND}: its index is damaged or cut off ({error})") from None
    chosen = [entry for name, entry in entries.items() if wanted(name)]
    if not chosen:
        example = quoted(next(iter(entries), "none"))
        raise UnsupportedFile(f"{_KIND}: its variables (such as {example}) are of no network Kith knows")
    if sum(entry.size for entry in chosen) > MOST_ARRAY_BYTES:
        raise UnsupportedFile(f"{_KIND}: its variables are larger than any network's Kith knows")
    found: dict[str, np.ndarray] = {}
    chosen.sort(key=lambda entry: (entry.shard, entry.offset))
    for shard, group in groupby(chosen, key=lambda entry: entry.shard):
        if shard >= shards:
            raise UnsupportedFile(f"{_KIND}: its index is damaged: it has no data file {shard}")
        with open_shard(shard, shards) as file:
            end = 0
            for entry in group:
                if entry.offset < end:
                    raise UnsupportedFile(f"{_KIND}: its index is damaged: variables overlap")
                end = entry.offset + entry.size
                found[entry.name] = _read(entry, file)
    return {entry.name: found[entry.name] for entry in entries.values() if entry.name in found}


def _read_index(index: bytes) -> tuple[int, Mapping[str, _Entry]]:
    """How many data files there are, and what lies in them."""
    reader = FieldReader()
    shards = 0
    entries: dict[str, _Entry] = {}
    for key, value in read_sorted_table(index):
        if not key:
            shards = _shards(value, reader)
        elif (entry := _entry(key.decode(), value, reader)) is not None:
            entries[entry.name] = entry
    return shards, entries


def _shards(data: memoryview, reader: FieldReader) -> int:
    header = dict(reader.fields(data))
    if number(header.get(2, 0)):
        raise UnsupportedFile(f"{_KIND}: it was written on a big-endian machine, which is not supported")
    return number(header.get(1, 0))


def _entry(name: str, data: memoryview, reader: FieldReader) -> _Entry | None:
    fields = dict(reader.fields(data))
    dtype = DTYPES.get(number(fields.get(1, 0)))
    if dtype is None or 7 in fields:
        return None
    shape = read_shape(message(fields.get(2, memoryview(b""))), reader)
    shard, offset, size = (number(fields.get(field, 0)) for field in (3, 4, 5))
    checksum = message(fields.get(6, memoryview(bytes(4))))
    if size != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"{quoted(name)} has another size than its shape")
    if offset >= _MOST_OFFSET:
        raise ValueError(f"{quoted(name)} lies beyond all files")
    return _Entry(name, dtype, shape, shard, offset, size, int.from_bytes(checksum, "little"))


def _read(entry: _Entry, file: IO[bytes]) -> np.ndarray:
    file.seek(entry.offset)
    content = file.read(entry.size)
    if len(content) < entry.size:
        raise UnsupportedFile(
            f"{_KIND}: the data file is cut off, or is another checkpoint's: "
            f"{quoted(entry.name)} is not in it"
        )
    if masked_crc32c(content) != entry.checksum:
        raise UnsupportedFile(
            f"{_KIND}: damaged: the values of {quoted(entry.name)} do not have their checksum; "
            "fetch or copy the files again"
        )
    return np.frombuffer(content, entry.dtype).reshape(entry.shape)
