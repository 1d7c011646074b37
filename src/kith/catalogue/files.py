"""Where files lie on this machine: weights as they came, and the cache of what was made of them."""

import hashlib
import importlib.util
import time
from contextlib import suppress
from pathlib import Path

from kith.catalogue.spec import InstalledFile, PackageFile, WeightsSpec
from kith.errors import ChecksumMismatch, DownloadFailed, WeightsError
from kith.files import PARTIAL_PREFIX, write_atomically
from kith.folders import CACHE_VARIABLE as CACHE_VARIABLE
from kith.folders import cache_folder as cache_folder

_STALE_SECONDS = 24 * 3600


def read_weights(spec: WeightsSpec) -> bytes:
    """The content of a weights file, proven to be the right one.

    Raises:
        DownloadFailed: The file is not there, or the package that brings it is not installed.
        ChecksumMismatch: The file was changed.
    """
    file = spec.file
    path = file.path if isinstance(file, InstalledFile) else find_package_file(file)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DownloadFailed(f"cannot read {path}: {error.strerror or error}") from None
    found = hashlib.sha256(data).hexdigest()
    if found != spec.sha256:
        remedy = (
            "remove the model and import it again"
            if isinstance(file, InstalledFile)
            else f"reinstall it with: pip install --force-reinstall {file.package}"
        )
        raise ChecksumMismatch(
            f"{path} is not the published file (SHA-256 {found[:12]}..., expected {spec.sha256[:12]}...); "
            f"{remedy}"
        )
    return data


def find_package_file(file: PackageFile) -> Path:
    """Path of a file inside an installed package, without importing the package.

    Raises:
        DownloadFailed: The package is not installed or lacks the file.
    """
    found = importlib.util.find_spec(file.package)
    for folder in (found.submodule_search_locations or ()) if found else ():
        path = Path(folder) / file.path
        if path.is_file():
            return path
    raise DownloadFailed(
        f"the weights come with the package {file.package}, which is not installed; "
        f"install it with: pip install {file.package}"
    )


def keep(path: Path, data: bytes) -> None:
    """Put a file into the cache, whole or not at all.

    Raises:
        WeightsError: The folder cannot be written or the disk is full.
    """
    try:
        write_atomically(path, data)
    except OSError as error:
        raise WeightsError(
            f"cannot write {path}: {error.strerror or error}; set {CACHE_VARIABLE} to a folder with room"
        ) from None


def remove_stale_partials(folder: Path) -> None:
    """Delete what killed processes left half-written a day or more ago."""
    with suppress(OSError):
        for path in folder.glob(f"{PARTIAL_PREFIX}*"):
            if time.time() - path.stat().st_mtime > _STALE_SECONDS:
                path.unlink()
