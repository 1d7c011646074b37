"""The gallery's tables, and SQLite set so that nothing acknowledged is lost."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import (
    URL,
    Boolean,
    Column,
    Connection,
    DateTime,
    Engine,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    exc,
    insert,
)
from sqlalchemy.schema import CreateTable

from kith.errors import GalleryError
from kith.gallery.forks import close_around_forks

APPLICATION_ID = 0x4B697468  # "Kith", in SQLite's header
SCHEMA_VERSION = 2
_BUSY_SECONDS = 30
# one query, so that another process that makes the gallery meanwhile is seen whole or not at all
_STATE = (
    "SELECT (SELECT application_id FROM pragma_application_id), "
    "(SELECT user_version FROM pragma_user_version), (SELECT count(*) FROM sqlite_master)"
)

metadata = MetaData()

settings = Table(
    "settings",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", String, nullable=False),
)

subjects = Table(
    "subjects",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("created", DateTime, nullable=False),
    sqlite_autoincrement=True,  # an id is never given twice, also after a deletion
)

references = Table(
    "references",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("subject_id", ForeignKey("subjects.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("embedding", LargeBinary, nullable=False),  # float32, little-endian
    Column("source", String, nullable=False),  # where the photo was, for people and for re-embedding
    Column("source_hash", String, nullable=False, index=True),  # a photo can hold several people's faces
    Column("box", LargeBinary, nullable=False),  # float32, little-endian
    Column("landmarks", LargeBinary, nullable=False),  # float32, little-endian
    Column("detection_score", Float, nullable=False),
    Column("created", DateTime, nullable=False),
    sqlite_autoincrement=True,
)

classifiers = Table(
    "classifiers",
    metadata,
    Column("kind", String, primary_key=True),
    Column("revision", Integer, nullable=False),  # of the gallery it was fitted on
    Column("arrays", LargeBinary, nullable=False),  # .npz without pickles
)


photos = Table(
    "photos",  # that were looked through for faces to cluster
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source", String, nullable=False, index=True),  # where the file was last
    Column("bytes", Integer, nullable=False),  # with the next: an unchanged file is not read again
    Column("modified", Integer, nullable=False),  # nanoseconds
    Column("source_hash", String, nullable=False, unique=True),
)

clusters = Table(
    "clusters",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("subject_id", ForeignKey("subjects.id", ondelete="CASCADE"), index=True),  # once it is named
    sqlite_autoincrement=True,
)

faces = Table(
    "faces",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("photo_id", ForeignKey("photos.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("cluster_id", ForeignKey("clusters.id", ondelete="CASCADE"), index=True),  # null until clustered
    Column("embedding", LargeBinary, nullable=False),  # float32, little-endian
    Column("crowd", Float),  # how near strangers come to it; null until clustered
    Column("box", LargeBinary, nullable=False),  # float32, little-endian
    Column("landmarks", LargeBinary, nullable=False),  # float32, little-endian
    Column("detection_score", Float, nullable=False),
    Column("unfit", String, nullable=False),  # why it cannot be enrolled; empty if it can
    Column("picture", LargeBinary, nullable=False),  # a small JPEG, to look at
    sqlite_autoincrement=True,
)

links = Table(
    "links",
    metadata,
    Column("first_id", ForeignKey("faces.id", ondelete="CASCADE"), primary_key=True),  # the lower
    Column("second_id", ForeignKey("faces.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("together", Boolean, nullable=False),  # else the two must be apart
)


def connect(path: Path, new_model: str | None) -> Engine:
    """An engine for a gallery file.

    A gallery that cannot be written, as on read-only media, is opened for reading.

    Args:
        path: The file.
        new_model: The model to which a file that is missing or empty is bound as a new gallery;
            None refuses such a file.

    Raises:
        GalleryError: The file is not a gallery, is of a newer Kith, or cannot be opened.
    """
    with translated(path):
        is_folder, is_there = path.is_dir(), path.exists()
    if is_folder:
        raise GalleryError(f"{path} is a folder, not a gallery; name a file in it")
    if new_model is None and not is_there:
        raise GalleryError(_nothing_at(path))
    read_only = is_there and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK))
    engine = _engine(path, read_only)
    try:
        with translated(path), engine.connect() as connection:
            if not _is_gallery(connection, path):  # nothing is changed before this is known
                if new_model is None:
                    raise GalleryError(_nothing_at(path))
                _create(connection, path, new_model)
            if not read_only:
                upgrade(connection)
                _write_ahead(connection)
    except BaseException:
        engine.dispose()
        raise
    return engine


@contextmanager
def write(engine: Engine, path: Path) -> Iterator[Connection]:
    """A transaction that writes: at its end everything is on the disk, or nothing is.

    Raises:
        GalleryError: The database refused.
    """
    with translated(path), engine.begin() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield connection


@contextmanager
def read(engine: Engine, path: Path) -> Iterator[Connection]:
    """A transaction that reads one consistent state.

    Raises:
        GalleryError: The database refused.
    """
    with translated(path), engine.begin() as connection:
        connection.exec_driver_sql("BEGIN")
        yield connection


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn the database's errors into one line for a person.

    Raises:
        GalleryError: In place of SQLite's and SQLAlchemy's errors.
    """
    try:
        yield
    except exc.NoResultFound:  # a setting is missing
        raise damaged(path) from None
    except exc.DBAPIError as error:
        raise GalleryError(f"{path}: {_explain(error.orig)}") from None
    except OSError as error:
        raise GalleryError(f"{path}: cannot be opened ({error.strerror})") from None
    except (exc.SQLAlchemyError, sqlite3.Error) as error:
        raise GalleryError(f"{path}: {_explain(error)}") from None


def damaged(path: Path) -> GalleryError:
    """The error for a gallery whose content cannot be right."""
    return GalleryError(f"{path}: {_DAMAGED}")


def _engine(path: Path, read_only: bool) -> Engine:
    file = path.absolute()  # a relative one could be taken for ":memory:" or for a URI
    if read_only:
        # With no log beside it the file is all there is, and needs no lock; else the log must be read.
        log = Path(f"{file}-wal")
        immutable = "" if log.exists() else "&immutable=1"
        database = f"file:{quote(os.fsencode(file))}?mode=ro{immutable}"
        url = URL.create("sqlite", database=database, query={"uri": "true"})
    else:
        url = URL.create("sqlite", database=str(file))
    engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS})
    close_around_forks(engine)

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # transactions are begun in `write` and `read`
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON")  # a deleted person's embeddings are overwritten
        connection.execute("PRAGMA synchronous = FULL")

    return engine


def _is_gallery(connection: Connection, path: Path) -> bool:
    """Whether a database is a gallery; False if it is empty.

    Raises:
        GalleryError: It is another program's, or a newer Kith's.
    """
    application, version, tables = connection.exec_driver_sql(_STATE).one()
    if not (application or version or tables):
        return False
    if application != APPLICATION_ID:
        raise GalleryError(f"{path} is a database of another program, not a gallery; choose another file")
    if version > SCHEMA_VERSION:
        raise GalleryError(f"{path} was made by a newer version of Kith; update Kith to open it")
    return True


def _create(connection: Connection, path: Path, model_id: str) -> None:
    """Make an empty database a gallery, unless another process was faster."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    if not _is_gallery(connection, path):
        metadata.create_all(connection)
        rows = [{"name": "model_id", "value": model_id}, {"name": "revision", "value": "0"}]
        connection.execute(insert(settings), rows)
        connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.commit()


def upgrade(connection: Connection) -> None:
    """Bring a gallery of an older Kith up to date: all of it, or nothing.

    Version 1 had no clusters, and a photo could be enrolled under one person only.
    """
    if _version(connection) == SCHEMA_VERSION:
        return
    connection.exec_driver_sql(
        "PRAGMA foreign_keys = OFF"
    )  # else a table that is replaced takes others along
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    if _version(connection) < SCHEMA_VERSION:  # another process may have been faster
        _rebuild(connection, references)
        metadata.create_all(connection, tables=[photos, clusters, faces, links])
        connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.commit()
    connection.exec_driver_sql("PRAGMA foreign_keys = ON")


def has_album(connection: Connection) -> bool:
    """Whether a gallery has the tables of clusters; one of version 1 that cannot be written has not."""
    return _version(connection) > 1


def _rebuild(connection: Connection, table: Table) -> None:
    """Give a table the columns and indexes it has by now, with its rows."""
    name, rebuilt = table.name, f"{table.name}_rebuilt"
    apart = MetaData()
    for foreign in table.foreign_keys:
        foreign.column.table.to_metadata(apart)
    new = table.to_metadata(apart, name=rebuilt)
    new.indexes.clear()
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    connection.execute(CreateTable(new))
    for statement in (
        f'INSERT INTO "{rebuilt}" ({names}) SELECT {names} FROM "{name}"',  # noqa: S608 (our own names)
        f"DELETE FROM sqlite_sequence WHERE name = '{rebuilt}'",  # noqa: S608
        f"INSERT INTO sqlite_sequence SELECT '{rebuilt}', seq FROM sqlite_sequence WHERE name = '{name}'",  # noqa: S608
        f'DROP TABLE "{name}"',
        f'ALTER TABLE "{rebuilt}" RENAME TO "{name}"',
    ):
        connection.exec_driver_sql(statement)
    for index in table.indexes:
        index.create(connection)


def _version(connection: Connection) -> int:
    version: int = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    return version


def _write_ahead(connection: Connection) -> None:
    """Turn the write-ahead log on; SQLite does not wait for this as it waits for other locks."""
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            return
        except exc.OperationalError as error:
            busy = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > deadline:
                raise
        time.sleep(0.01)


def _nothing_at(path: Path) -> str:
    return f"no gallery at {path}; enroll someone first"


def _explain(error: BaseException | None) -> str:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the low byte is the primary code
    return _EXPLANATIONS.get(code, " ".join(str(error).split()))


_DAMAGED = "the gallery is damaged; restore a copy"
_EXPLANATIONS = {
    sqlite3.SQLITE_NOTADB: "not a gallery (the file is not a database); choose another file",
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_ERROR: _DAMAGED,  # a table or column is missing: the statements are always the same
    sqlite3.SQLITE_READONLY: "the gallery is read-only; make it and its folder writable, or use a copy",
    sqlite3.SQLITE_CANTOPEN: "the gallery cannot be opened; is its folder there, and writable?",
    sqlite3.SQLITE_FULL: "the disk is full; what was acknowledged before is safe",
    sqlite3.SQLITE_IOERR: "the disk cannot be read or written; what was acknowledged before is safe",
    sqlite3.SQLITE_BUSY: "another process keeps the gallery locked; try again",
    sqlite3.SQLITE_PERM: "no permission to open the gallery",
}
