"""Published zips: the files that are wanted are read from one, and nothing is unpacked to the disk."""

import hashlib
import stat
import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from kith.catalogue.published.entries import PublishedFile
from kith.errors import ChecksumMismatch, UnsupportedFile
from kith.weights.quoting import quoted
from kith.weights.regular_file import read_regular
from kith.weights.zip_archive import open_zip, read_member


def read_pack(path: Path, wanted: Sequence[PublishedFile]) -> list[bytes]:
    """Read files from a zip, each proven to be the published one.

    Args:
        path: The zip.
        wanted: The files; in the zip they may lie in a folder.

    Returns:
        Their contents, in this order.

    Raises:
        UnsupportedFile: The zip is damaged, unpacks to absurdly much, lacks a file, has it twice, or names a
            place outside itself.
        ChecksumMismatch: A file in it is not the published one.
        OSError: The zip cannot be read.
    """
    with open_zip(read_regular(path)) as archive:
        members = archive.infolist()
        for member in members:
            if _leads_outside(member):
                raise UnsupportedFile(f"{path.name}: {quoted(member.filename)} leads out of the archive")
        return [_read(archive, members, file, path.name) for file in wanted]


def _leads_outside(member: zipfile.ZipInfo) -> bool:
    """Whether unpacking a member would write elsewhere, or read elsewhere later, as of no published zip."""
    place = PurePosixPath(member.filename)
    is_elsewhere = place.is_absolute() or ".." in place.parts or "\\" in member.filename or ":" in place.name
    return is_elsewhere or stat.S_ISLNK(member.external_attr >> 16)


def _read(
    archive: zipfile.ZipFile, members: Sequence[zipfile.ZipInfo], file: PublishedFile, pack: str
) -> bytes:
    names = [member.filename for member in members if PurePosixPath(member.filename).name == file.name]
    if len(names) != 1:
        raise UnsupportedFile(f"{pack}: has {file.name} {len(names)} times, not once")
    content = read_member(archive, names[0], file.size)
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise ChecksumMismatch(f"{pack}: its {file.name} is not the one that was published")
    return content
