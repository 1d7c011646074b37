"""Files that are there whole or not at all."""

import os
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

PARTIAL_PREFIX = ".partial-"


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file, making its folder; whoever reads it, or writes it at once, sees it whole.

    Raises:
        OSError: The folder cannot be written or the disk is full; what was there before is untouched.
            It names the file, not the partial one.
    """
    partial = path.with_name(f"{PARTIAL_PREFIX}{uuid4().hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException as error:
        with suppress(OSError):
            partial.unlink()
        if isinstance(error, OSError):
            raise OSError(error.errno, error.strerror, str(path)) from None
        raise
