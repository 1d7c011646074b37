"""A file system that is really full."""

import shutil
import subprocess
from pathlib import Path

import pytest


def small_disk(folder: Path, size: str) -> tuple[Path, Path, tuple[str, ...]]:
    """A disk of a few kilobytes; skips the test where none can be mounted.

    Returns:
        Where the disk is, for the command only; where what it held is found afterwards; and what the
        command must begin with.
    """
    disk, saved = folder / "disk", folder / "saved"
    disk.mkdir()
    saved.mkdir()
    script = (
        f'mount -t tmpfs -o size={size} tmpfs "$1" && cd "$1" && disk=$1 saved=$2 && shift 2 &&'
        ' { "$@"; code=$?; cp "$disk"/* "$saved"; exit $code; }'
    )
    prefix = ("unshare", "-rm", "sh", "-c", script, "sh", str(disk), str(saved))
    if (
        not shutil.which("unshare")
        or subprocess.run([*prefix, "true"], check=False, capture_output=True).returncode
    ):
        pytest.skip("a small file system cannot be mounted here")
    return disk, saved, prefix
