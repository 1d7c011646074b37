"""Where Kith keeps files: a cache that may be deleted at any time, data, and what is needed for a while.

cache    KITH_CACHE, else the user's cache directory, else a folder of the user's own among the temporary ones
data     the user's data directory; the gallery and the models are in it unless they are given a place
scratch  in the cache, or where there is room
"""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import platformdirs

try:
    import fcntl
except ImportError:  # Windows: what a killed process leaves there stays
    fcntl = None  # type: ignore[assignment]

CACHE_VARIABLE = "KITH_CACHE"
_ROOMY = 1 << 30  # bytes, more than the largest model needs while it is quantized
_SCRATCH_PREFIX = "kith-scratch-"
_NO_HOME = Path(os.sep, "kith")


def cache_folder() -> Path:
    """The folder of the cache, which need not be there yet, and perhaps cannot be written."""
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return Path(chosen)
    try:
        users = Path(platformdirs.user_cache_dir("kith"))
    except RuntimeError:  # a user without a home
        return _temporary_cache() or _NO_HOME
    return users if _can_be_made(users, or_is_there=True) else _temporary_cache() or users


def data_folder() -> Path:
    """The folder of the user's data, which need not be there yet, and perhaps cannot be written."""
    try:
        return Path(platformdirs.user_data_dir("kith"))
    except RuntimeError:  # a user without a home
        return _NO_HOME


@contextmanager
def own_folders(*variables: str) -> Iterator[None]:
    """Have what is imported within keep its files in our cache, not beside the user's.

    Args:
        variables: Of the environment, each naming such a folder.
    """
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update({name: str(cache_folder() / name.lower()) for name in variables})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder for files that are needed for a while; those that killed processes left behind go first.

    Raises:
        OSError: No folder can be made anywhere.
    """
    place = _scratch_place()
    guard = _lock(place, wait=True)  # else a folder that has no lock yet could be taken for an abandoned one
    try:
        _remove_abandoned(place)
        folder = place / f"{_SCRATCH_PREFIX}{uuid4().hex}"
        folder.mkdir(mode=0o700)
        lock = _lock(folder)
    finally:
        _unlock(guard)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _unlock(lock)


def _scratch_place() -> Path:
    """The first folder with room, or the one that has most.

    Raises:
        OSError: None can be made.
    """
    room = {}
    for find in (cache_folder, _temporary_cache, _memory):
        place = find()
        if place is None or not _can_be_made(place):
            continue
        with suppress(OSError):
            place.mkdir(parents=True, exist_ok=True)
            room[place] = shutil.disk_usage(place).free
            if room[place] >= _ROOMY:
                return place
    if not room:
        raise OSError("no folder can be written")
    return max(room, key=room.__getitem__)


def _remove_abandoned(place: Path) -> None:
    """Delete the scratch folders whose processes are gone, and their locks with them."""
    for folder in place.glob(f"{_SCRATCH_PREFIX}*"):
        lock = _lock(folder)
        if lock is not None:
            shutil.rmtree(folder, ignore_errors=True)
            _unlock(lock)


def _lock(folder: Path, *, wait: bool = False) -> int | None:
    """Hold a folder's lock until it is given back, or the process is gone; None where it cannot be had."""
    if fcntl is None:
        return None
    handle = None
    try:
        handle = os.open(folder, os.O_RDONLY)
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:  # it is held, or gone, or the file system knows no locks
        _unlock(handle)
        return None
    return handle


def _unlock(handle: int | None) -> None:
    if handle is not None:
        os.close(handle)


def _can_be_made(folder: Path, *, or_is_there: bool = False) -> bool:
    """Whether a folder is there and can be written, or can be made."""
    there = next((each for each in (folder, *folder.parents) if each.exists()), folder)
    return there.is_dir() and (os.access(there, os.W_OK | os.X_OK) or (or_is_there and there == folder))


def _temporary_cache() -> Path | None:
    """A folder among the temporary ones that is this user's alone, for models found in it are run."""
    try:
        return _own_folder(Path(tempfile.gettempdir()))
    except FileNotFoundError:
        return None


def _memory() -> Path | None:
    """The same in memory, where Linux has it."""
    return _own_folder(Path("/dev/shm"))  # noqa: S108 (it is made for this user alone)


def _own_folder(parent: Path) -> Path | None:
    if not hasattr(os, "getuid"):
        return None
    folder = parent / f"kith-cache-{os.getuid()}"
    try:
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        found = folder.lstat()
    except OSError:
        return None
    own = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022
    return folder if own else None
