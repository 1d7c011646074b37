"""The gallery's tables, and SQLite set so that nothing acknowledged is lost."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import (
    URL,
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
    text,
)

from kith.errors import GalleryError

APPLICATION_ID = 0x4B697468  # "Kith", in SQLite's header
SCHEMA_VERSION = 1
_BUSY_SECONDS = 30

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
    Column("source_hash", String, nullable=False, unique=True),
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


def connect(path: Path) -> Engine:
    """An engine for a gallery file, which is created if it does not exist.

    A gallery in a folder that cannot be written, as on read-only media, is opened for reading.

    Raises:
        GalleryError: The file is not a gallery, is of a newer Kith, or cannot be opened.
    """
    with translated(path):
        if path.is_dir():
            raise GalleryError(f"{path} is a folder, not a gallery")
        read_only = path.exists() and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK))
        engine = _engine(path, read_only)
        with engine.connect() as connection:
            application = connection.execute(text("PRAGMA application_id")).scalar_one()
            version = connection.execute(text("PRAGMA user_version")).scalar_one()
            tables = connection.execute(text("SELECT count(*) FROM sqlite_master")).scalar_one()
        if application != APPLICATION_ID and (tables or application):
            raise GalleryError(f"{path} is a database of another program, not a gallery")
        if version > SCHEMA_VERSION:
            raise GalleryError(f"{path} was made by a newer version of Kith; update Kith to open it")
        if application != APPLICATION_ID:
            _create(engine)
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
        GalleryError: In place of any error of SQLite's.
    """
    try:
        yield
    except exc.DBAPIError as error:
        raise GalleryError(f"{path}: {_explain(error.orig)}") from None
    except (exc.SQLAlchemyError, sqlite3.Error) as error:
        raise GalleryError(f"{path}: {_explain(error)}") from None


def _engine(path: Path, read_only: bool) -> Engine:
    if read_only:
        database = f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1"
        url = URL.create("sqlite", database=database, query={"uri": "true"})
    else:
        url = URL.create("sqlite", database=str(path))
    engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # transactions are begun in `write` and `read`
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON")  # a deleted person's embeddings are overwritten
        if not read_only:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")

    return engine


def _create(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        metadata.create_all(connection)
        connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _explain(error: BaseException | None) -> str:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the low byte is the primary code
    return _EXPLANATIONS.get(code, str(error))


_EXPLANATIONS = {
    sqlite3.SQLITE_NOTADB: "not a gallery (the file is not a database)",
    sqlite3.SQLITE_CORRUPT: "the gallery is damaged; restore a copy",
    sqlite3.SQLITE_READONLY: "the gallery cannot be written (read-only)",
    sqlite3.SQLITE_CANTOPEN: "the gallery cannot be opened; is its folder there, and writable?",
    sqlite3.SQLITE_FULL: "the disk is full; what was acknowledged before is safe",
    sqlite3.SQLITE_IOERR: "the disk cannot be read or written; what was acknowledged before is safe",
    sqlite3.SQLITE_BUSY: "another process keeps the gallery locked; try again",
    sqlite3.SQLITE_PERM: "no permission to open the gallery",
}
