"""Zip archives of weights, opened with a bound on their directory and on what they unpack to."""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from kith.errors import UnsupportedFile
from kith.weights.quoting import quoted

MAGIC = b"PK\x03\x04"

_KIND = "zip archive"
_MOST_DIRECTORY_BYTES = 1 << 20
_MOST_RATIO = 10  # weights hardly shrink: an archive that grows more is none of weights
_MOST_BYTES = 1 << 30
_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, struct.error, ValueError, EOFError, OSError, RuntimeError, KeyError),
    *(NotImplementedError, IndexError),
)
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class _Source(io.BytesIO):
    """An archive's bytes; as long as its directory is read, never many of them at once."""

    opening = True

    def read(self, size: int | None = -1, /) -> bytes:
        content = super().read(size)
        if self.opening and len(content) > _MOST_DIRECTORY_BYTES:
            raise UnsupportedFile(f"{_KIND}: its directory is longer than that of any weights")
        return content


@contextmanager
def open_zip(data: bytes) -> Iterator[zipfile.ZipFile]:
    """Open an archive; what goes wrong with it in the block is an UnsupportedFile too.

    Raises:
        UnsupportedFile: It is damaged, has absurdly many members, or unpacks to absurdly much.
    """
    source = _Source(data)
    try:
        with zipfile.ZipFile(source) as archive:
            source.opening = False
            members = archive.infolist()
            if sum(member.compress_size for member in members) > len(data):
                raise UnsupportedFile(f"{_KIND}: its members overlap")
            if sum(member.file_size for member in members) > min(_MOST_RATIO * len(data), _MOST_BYTES):
                raise UnsupportedFile(f"{_KIND}: what is in it is too large for weights")
            yield archive
    except _DAMAGE:
        raise UnsupportedFile(f"{_KIND}: damaged or cut off") from None


def open_member(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    """A member, to be read.

    Raises:
        UnsupportedFile: It is of a rare compression, which could unpack without bound.
    """
    member = archive.getinfo(name)
    if member.compress_type not in _COMPRESSIONS or member.flag_bits & 1:
        raise UnsupportedFile(f"{_KIND}: {quoted(name)} is encrypted or of a rare compression")
    return archive.open(member)


def read_member(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """A member's content.

    Args:
        archive: Opened with `open_zip`.
        name: The member's.
        most: How many bytes it may have.

    Raises:
        UnsupportedFile: It is larger, or of a rare compression.
    """
    if archive.getinfo(name).file_size > most:
        raise UnsupportedFile(f"{_KIND}: {quoted(name)} is too large for weights")
    with open_member(archive, name) as file:
        return file.read()


def stored_member(data: bytes, member: zipfile.ZipInfo) -> memoryview:
    """A member that is not compressed, without a copy.

    Args:
        data: The archive's bytes.
        member: As `open_zip` tells of it.

    Raises:
        UnsupportedFile: It is compressed, or its bytes do not have their checksum.
    """
    if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1:
        raise UnsupportedFile(f"{_KIND}: {quoted(member.filename)} is compressed or encrypted")
    header = data[member.header_offset : member.header_offset + 30]
    name_length, extra_length = struct.unpack("<HH", header[26:30])
    start = member.header_offset + 30 + name_length + extra_length
    content = memoryview(data)[start : start + member.file_size]
    if header[:4] != MAGIC or not len(content) == member.file_size == member.compress_size:
        raise UnsupportedFile(f"{_KIND}: damaged or cut off")
    if zlib.crc32(content) != member.CRC:
        raise UnsupportedFile(f"{_KIND}: damaged: {quoted(member.filename)} does not have its checksum")
    return content
