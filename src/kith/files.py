"""Files that are there whole or not at all, and what Kith's own are."""

import hashlib
import os
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from uuid import uuid4

PARTIAL_PREFIX = ".partial-"
PRIVATE = 0o600
"""Of files that show or name people: their owner reads and writes them, and no one else."""


def write_private(path: Path, data: bytes | Iterable[bytes]) -> None:
    """Write a file that shows or names people, as `write_atomically`: only its owner may read it."""
    write_atomically(path, data, mode=PRIVATE)


def write_atomically(path: Path, data: bytes | Iterable[bytes], *, mode: int = 0o666) -> None:
    """Write a file, making its folder; whoever reads it, or writes it at once, sees it whole.

    Args:
        path: The file.
        data: All that is to be in it, whole or in parts.
        mode: Who may do what with it, less what the process's umask forbids.

    Raises:
        OSError: The folder cannot be written or the disk is full; what was there before is untouched.
            It names the file, not the partial one.
    """
    partial = path.with_name(f"{PARTIAL_PREFIX}{uuid4().hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(partial, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            file.writelines((data,) if isinstance(data, bytes) else data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException as error:
        with suppress(OSError):
            partial.unlink()
        if isinstance(error, OSError):
            raise OSError(error.errno, error.strerror, str(path)) from None
        raise


@cache
def digest_of_code(*patterns: str) -> str:
    """A hash of Kith's own code: other where any of it is.

    Args:
        patterns: Its files, from the package's folder on, such as "networks/*.py".

    Raises:
        ValueError: A pattern is of no file.
    """
    root = Path(__file__).parent
    digest = hashlib.sha256()
    for pattern in patterns:
        paths = sorted(root.glob(pattern))
        if not paths:
            raise ValueError(f"no code at {pattern}")
        for path in paths:
            digest.update(path.read_bytes())
    return digest.hexdigest()
