"""A copy of a gallery as it is at one moment, also while others write."""

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import cast
from uuid import uuid4

from kith.errors import GalleryError
from kith.files import PARTIAL_PREFIX
from kith.gallery import store
from kith.gallery.gallery import Gallery
from kith.gallery.opening import SIDE_FILES, make_private

_PAGES = 1000  # between two looks at whether it is to be stopped


def back_up(gallery: Gallery, target: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Write a gallery into another file, which is a gallery as well; it appears when it is whole.

    Only its owner may read it. Who is deleted from the gallery later stays in the copy.

    Args:
        gallery: Open.
        target: The new file; its folder must be there.
        overwrite: Whether a file that is there may be replaced.

    Raises:
        GalleryError: The file is there already, is the gallery itself or in use, or cannot be written;
            or the gallery is damaged. What was there before is untouched.
    """
    if not os.fspath(target).strip():
        raise GalleryError("an empty path; name the file of the backup")
    file = Path(target)
    with store.translated(file):
        _require_free(gallery, file, overwrite=overwrite)
        partial = file.with_name(f"{PARTIAL_PREFIX}{uuid4().hex}")
        try:
            make_private(partial, file)
            _copy(gallery, partial)
            _require_free(gallery, file, overwrite=overwrite)  # it took a while
            partial.replace(file)
        except BaseException:
            for suffix in ("", *SIDE_FILES):
                with suppress(OSError):
                    Path(f"{partial}{suffix}").unlink()
            raise


def _require_free(gallery: Gallery, file: Path, *, overwrite: bool) -> None:
    """Raise GalleryError unless a backup may be written there."""
    own = Path(os.path.realpath(gallery.path))
    its_files = {f"{own}{suffix}" for suffix in ("", *SIDE_FILES)}
    if os.path.realpath(file) in its_files or (file.exists() and file.samefile(own)):
        raise GalleryError(f"{file} is the gallery itself; name another file for the backup")
    if file.is_dir():
        raise GalleryError(f"{file} is a folder; name a file in it")
    if os.path.lexists(file) and not file.is_file():
        raise GalleryError(f"{file} is not a plain file; name another one")
    if os.path.lexists(file) and not overwrite:
        raise GalleryError(f"{file} is there already; name another file, or say that it may be replaced")
    for suffix in SIDE_FILES:  # SQLite would take it for the new file's
        if os.path.lexists(f"{file}{suffix}"):
            raise GalleryError(f"{file} is in use: {file}{suffix} is beside it; name another file")


def _copy(gallery: Gallery, file: Path) -> None:
    with closing(sqlite3.connect(file)) as target:
        target.execute("PRAGMA synchronous = FULL")
        with gallery.engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            connection.exec_driver_sql("SELECT count(*) FROM settings").scalar()  # what it sees from now on
            source = cast(sqlite3.Connection, connection.connection.driver_connection)
            try:
                source.backup(target, pages=_PAGES)
            except sqlite3.DatabaseError as error:
                if store.primary_code(error) != sqlite3.SQLITE_CORRUPT:
                    raise
                raise store.damaged(gallery.path) from None
        target.execute("PRAGMA journal_mode = DELETE")  # so that it is one file
        (state,) = target.execute("PRAGMA quick_check(1)").fetchone()
    if state != "ok":
        raise store.damaged(gallery.path)
