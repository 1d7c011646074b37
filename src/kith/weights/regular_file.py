"""Files read with a bound: no pipe that never ends, no device, nothing larger than any weights."""

import os
import stat
from pathlib import Path
from typing import BinaryIO

from kith.errors import UnsupportedFile
from kith.weights.limits import MOST_FILE_BYTES
from kith.weights.quoting import quoted


def open_regular(path: Path) -> BinaryIO:
    """Open a file for reading; a link to one is as good.

    Raises:
        UnsupportedFile: It is a pipe, a device or something else that is no regular file.
        OSError: It cannot be read.
    """
    if not stat.S_ISREG(path.stat().st_mode):  # asked before opening, for which a pipe would wait
        raise UnsupportedFile(f"{quoted(path.name)} is a folder, a pipe or a device, not a file")
    return path.open("rb")


def read_regular(path: Path, most: int = MOST_FILE_BYTES) -> bytes:
    """The content of a file.

    Args:
        path: The file.
        most: How many bytes it may have.

    Raises:
        UnsupportedFile: It is no regular file, or is larger.
        OSError: It cannot be read.
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > most:
            raise UnsupportedFile(
                f"{quoted(path.name)} is {size >> 20} MiB large; Kith reads no file of weights "
                f"above {most >> 20} MiB"
            )
        return file.read(size)
