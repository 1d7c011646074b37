import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest
from sqlalchemy import exc

from kith.errors import GalleryError
from kith.gallery import Gallery, cleaning, store

SECRET = b"what nobody may find again"


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Another connection that is in the middle of reading."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT * FROM settings").fetchall()
        yield


def write_and_delete(gallery: Gallery) -> None:
    """Put something into the gallery and delete it, so that only old copies are left."""
    with reading(gallery.path):  # else the log is begun anew by the second, at the place of the first
        with store.write(gallery.engine, gallery.path) as connection:
            connection.exec_driver_sql("INSERT INTO settings VALUES ('secret', ?)", (SECRET.decode(),))
        with store.write(gallery.engine, gallery.path) as connection:
            connection.exec_driver_sql("DELETE FROM settings WHERE name = 'secret'")
            cleaning.mark(connection)


def is_left(gallery: Gallery) -> bool:
    return any(SECRET in file.read_bytes() for file in gallery.path.parent.iterdir() if file.is_file())


def is_due(gallery: Gallery) -> bool:
    with closing(sqlite3.connect(gallery.path)) as connection:
        return bool(connection.execute("SELECT 1 FROM settings WHERE name = 'cleaning'").fetchall())


def test_cleaned_at_once(gallery: Gallery) -> None:
    write_and_delete(gallery)
    assert is_left(gallery)
    assert cleaning.clean(gallery.engine, gallery.path)
    assert not is_left(gallery)
    assert not is_due(gallery)


def test_a_reader_is_told_of_and_the_next_opening_cleans(gallery: Gallery) -> None:
    write_and_delete(gallery)
    with reading(gallery.path):
        assert not cleaning.clean(gallery.engine, gallery.path, wait_seconds=0)
        Gallery.open(gallery.path).close()
        assert is_left(gallery)
        assert is_due(gallery)
    Gallery.open(gallery.path).close()
    assert not is_left(gallery)
    assert not is_due(gallery)


def test_what_is_deleted_while_it_is_cleaned_stays_due(gallery: Gallery) -> None:
    write_and_delete(gallery)
    rewrites = cleaning._rewrites

    def rewrite_and_delete_more(connection: object) -> bool:
        done = rewrites(connection)
        write_and_delete(gallery)
        return done

    with patch.object(cleaning, "_rewrites", rewrite_and_delete_more):
        cleaning.clean(gallery.engine, gallery.path)
    assert is_due(gallery)


def test_another_process_that_writes_is_told_of(gallery: Gallery) -> None:
    write_and_delete(gallery)
    with closing(sqlite3.connect(gallery.path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        with patch.object(cleaning, "_empties_log", return_value=True):
            assert not cleaning.clean(gallery.engine, gallery.path, wait_seconds=0)


def test_others_wait_as_long_as_before(gallery: Gallery) -> None:
    with reading(gallery.path):
        cleaning.clean(gallery.engine, gallery.path, wait_seconds=0)
    with gallery.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 30_000


def test_a_disk_without_room_is_told_and_keeps_no_one_from_opening(gallery: Gallery) -> None:
    write_and_delete(gallery)
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL
    error = exc.OperationalError("VACUUM", None, full)
    with patch.object(cleaning, "_rewrites", side_effect=error):
        with pytest.raises(GalleryError, match="the disk is full"):
            cleaning.clean(gallery.engine, gallery.path)
        Gallery.open(gallery.path).close()
    assert is_due(gallery)


def test_the_file_is_written_anew(gallery: Gallery) -> None:
    """`secure_delete` misses rows that moved when their page was split; seldom, so the rewriting is seen here."""
    with store.write(gallery.engine, gallery.path) as connection:
        connection.exec_driver_sql("CREATE TABLE large AS SELECT zeroblob(100000) AS data")
        connection.exec_driver_sql("DROP TABLE large")
        assert connection.exec_driver_sql("PRAGMA freelist_count").scalar() > 0
    assert cleaning.clean(gallery.engine, gallery.path)
    with gallery.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA freelist_count").scalar() == 0
