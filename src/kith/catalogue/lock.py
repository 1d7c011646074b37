"""One process at a time brings a model here: a lock, which the system opens when its holder dies."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kith.catalogue.installed import MODELS_VARIABLE, models_folder
from kith.errors import WeightsError
from kith.progress import Progress

_PAUSE = 0.2  # seconds between two looks


@contextmanager
def only_one(model_id: str, progress: Progress) -> Iterator[None]:
    """Wait until no other process brings this model here, and keep them away meanwhile.

    Args:
        model_id: The model's name, proven to be one.
        progress: Told where it has to wait.

    Raises:
        WeightsError: The folder of the models cannot be written.
    """
    path = models_folder() / f".{model_id}.lock"
    descriptor = _open(path)
    waiting = False
    try:
        while not (_lock(descriptor) and _is_at(path, descriptor)):
            if not waiting:
                progress.begin(f"waiting for another process that brings {model_id} here")
                waiting = True
            time.sleep(_PAUSE)
            if not _is_at(path, descriptor):  # whoever had it has deleted it
                os.close(descriptor)
                descriptor = _open(path)
        yield
    finally:
        with suppress(OSError):  # Windows does not delete what is open
            if _is_at(path, descriptor) and _lock(descriptor):
                path.unlink()
        os.close(descriptor)


def _open(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise WeightsError(
            f"cannot write {path.parent}: {error.strerror}; set {MODELS_VARIABLE} to a folder with room"
        ) from None


def _is_at(path: Path, descriptor: int) -> bool:
    with suppress(OSError):
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    return False


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _lock(descriptor: int) -> bool:
        """Take the lock, or keep it; False where another has it."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return True  # a file system without locks: as good as before there were any
        return True
