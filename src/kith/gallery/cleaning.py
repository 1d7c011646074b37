"""What was deleted is overwritten on the disk: in the gallery's file, and in the log beside it.

SQLite overwrites what it deletes (`secure_delete`). Two kinds of copies are left: the pages of before, in
the write-ahead log and, while someone reads the state of before, in the file; and now and then a row that
was moved when its page was split. So the log is emptied, and the file is written anew.
"""

import sqlite3
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Connection, Engine, delete, exc, insert, select

from kith.errors import GalleryError
from kith.gallery import store

_DUE = "cleaning"  # a setting, which is there from a deletion to the cleaning after it
_WAIT_SECONDS = 0.5


def mark(connection: Connection) -> None:
    """Say, in the transaction that deletes, that cleaning is due: also if the process is killed after it."""
    columns = store.settings.c
    connection.execute(delete(store.settings).where(columns.name == _DUE))
    connection.execute(insert(store.settings).values(name=_DUE, value=uuid4().hex))


def clean(engine: Engine, path: Path, *, wait_seconds: float = _WAIT_SECONDS) -> bool:
    """Overwrite what was deleted; what is kept is as it was.

    Args:
        engine: Of the gallery, for writing.
        path: Its file.
        wait_seconds: How long another process that reads is waited for.

    Returns:
        False if another process reads or writes: the old copies stay until it ends, and cleaning stays due.

    Raises:
        GalleryError: The gallery cannot be written; or the disk has no room for a second copy of it.
    """
    with store.translated(path), engine.connect() as connection:
        marked = _marked(connection)
        (usual,) = connection.exec_driver_sql("PRAGMA busy_timeout").one()
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {round(1000 * wait_seconds)}")
        try:
            if not (_empties_log(connection) and _rewrites(connection) and _empties_log(connection)):
                return False
        finally:
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {usual}")
    with store.write(engine, path) as connection:
        # by its value: another process may have deleted more meanwhile
        done = (store.settings.c.name == _DUE) & (store.settings.c.value == marked)
        connection.execute(delete(store.settings).where(done))
    return True


def clean_if_due(engine: Engine, path: Path) -> None:
    """Clean if a deletion could not, as when a gallery is opened; later, if that cannot be now either."""
    with store.read(engine, path) as connection:
        if _marked(connection) is None:
            return
    with suppress(GalleryError):
        clean(engine, path, wait_seconds=0)


def _marked(connection: Connection) -> str | None:
    query = select(store.settings.c.value).where(store.settings.c.name == _DUE)
    return connection.execute(query).scalar()


def _empties_log(connection: Connection) -> bool:
    busy, *_ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
    return not busy


def _rewrites(connection: Connection) -> bool:
    try:
        connection.exec_driver_sql("VACUUM")
    except exc.OperationalError as error:
        if getattr(error.orig, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
            return False
        raise
    return True
