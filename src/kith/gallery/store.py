"""The gallery's tables, transactions on them, and SQLite's errors in words.

The tables as the code of today reads and writes them; how they are made is said in `migrations`.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    ForeignKey,
    MetaData,
    Table,
    and_,
    exc,
    or_,
    select,
)

from kith.errors import GalleryError, InvalidArgument
from kith.gallery.values import (
    Blob,
    Box,
    DamagedValue,
    Embedding,
    Flag,
    Id,
    Landmarks,
    Moment,
    Name,
    Real,
    Source,
    Text,
    Thumbnail,
    Whole,
)

metadata = MetaData()

settings = Table(
    "settings",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text),
)

subjects = Table(
    "subjects",
    metadata,
    Column("id", Id, primary_key=True),  # never given twice, also after a deletion
    Column("name", Name),
    Column("created", Moment),
)

former_names = Table(
    "former_names",  # of people who were renamed or merged; never anyone's name of today
    metadata,
    Column("name", Name, primary_key=True),
    Column("subject_id", Id, ForeignKey("subjects.id")),
)

changes = Table(
    "changes",  # when a subject last changed, came or went; of those who are gone their number stays
    metadata,
    Column("subject_id", Id, primary_key=True),
    Column("revision", Whole),
)

references = Table(
    "references",
    metadata,
    Column("id", Id, primary_key=True),
    Column("subject_id", Id, ForeignKey("subjects.id")),
    Column("embedding", Embedding),
    Column("source", Source),  # where the photo was, for people and for re-embedding
    Column("source_hash", Text, key="pixels_hash"),  # a photo can hold several people's faces
    Column("box", Box),
    Column("landmarks", Landmarks),
    Column("detection_score", Real),
    Column("created", Moment),
    Column("file_hash", Text),  # SHA-256; empty of an array, and of what was enrolled before version 5
)

waiting = Table(
    "migration",  # to another model: embeddings that wait until all are there
    metadata,
    Column("reference_id", Id, ForeignKey("references.id"), primary_key=True),
    Column("model_id", Text),
    Column("embedding", Embedding),
    Column("box", Box),
    Column("landmarks", Landmarks),
)

classifiers = Table(
    "classifiers",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("revision", Whole),  # at which the references it was fitted on last changed
    Column("arrays", Blob),  # .npz without pickles
)

photos = Table(
    "photos",  # that were looked through for faces to cluster
    metadata,
    Column("id", Id, primary_key=True),
    Column("source", Source),  # where the file was last
    Column("bytes", Whole),  # with the next: an unchanged file is not read again
    Column("modified", Whole),  # nanoseconds
    Column("source_hash", Text, key="pixels_hash"),
    Column("file_hash", Text),  # SHA-256; empty of what was looked through before version 5
)

clusters = Table(
    "clusters",
    metadata,
    Column("id", Id, primary_key=True),
    Column("subject_id", Id(optional=True), ForeignKey("subjects.id")),  # once it is named
)

faces = Table(
    "faces",
    metadata,
    Column("id", Id, primary_key=True),
    Column("photo_id", Id, ForeignKey("photos.id")),
    Column("cluster_id", Id(optional=True), ForeignKey("clusters.id")),  # none until clustered
    Column("embedding", Embedding),
    Column("crowd", Real(optional=True)),  # how near strangers come to it; none until clustered
    Column("box", Box),
    Column("landmarks", Landmarks),
    Column("detection_score", Real),
    Column("unfit", Text),  # why it cannot be enrolled; empty if it can
    Column("picture", Thumbnail),  # a small JPEG, to look at
)

links = Table(
    "links",
    metadata,
    Column("first_id", Id, ForeignKey("faces.id"), primary_key=True),  # the lower
    Column("second_id", Id, ForeignKey("faces.id"), primary_key=True),
    Column("together", Flag),  # else the two must be apart
)


@contextmanager
def write(engine: Engine, path: Path) -> Iterator[Connection]:
    """A transaction that writes: at its end everything is on the disk, or nothing is.

    Then it is put from the log into the file itself too, as far as no reader is in the way: a plain copy
    of the file holds what was acknowledged, also while the gallery is open.

    Raises:
        GalleryError: The database refused.
    """
    with translated(path), engine.connect() as connection:
        with connection.begin():
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection
        with suppress(exc.SQLAlchemyError, MemoryError):  # what is in the log is safe
            connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")


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
        InvalidArgument: A value that cannot be stored.
    """
    try:
        yield
    except DamagedValue:
        raise damaged(path) from None
    except exc.DBAPIError as error:
        raise GalleryError(f"{path}: {_explain(error.orig)}") from None
    except exc.TimeoutError:
        raise GalleryError(f"{path}: too many threads use the gallery at once; try again") from None
    except OSError as error:
        raise GalleryError(f"{path}: cannot be opened ({error.strerror})") from None
    except exc.StatementError as error:
        if isinstance(error.orig, InvalidArgument):
            raise error.orig from None
        raise
    except sqlite3.Error as error:
        raise GalleryError(f"{path}: {_explain(error)}") from None


def damaged(path: Path, what: str = "") -> GalleryError:
    """The error for a gallery whose content cannot be right, and what of it."""
    return GalleryError(f"{path}: {_DAMAGED}{f' ({what})' if what else ''}")


def version(connection: Connection) -> int:
    """Of the gallery's schema; older than the newest only where the gallery cannot be written."""
    number: int = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    return number


def has_album(connection: Connection) -> bool:
    """Whether a gallery has the tables of clusters; one of version 1 that cannot be written has not."""
    return version(connection) > 1


def has_former_names(connection: Connection) -> bool:
    """Whether a gallery remembers them; one of version 2 that cannot be written does not."""
    return version(connection) > 2


def has_changes(connection: Connection) -> bool:
    """Whether a gallery says who changed when; one of version 3 that cannot be written does not."""
    return version(connection) > 3


def has_file_hashes(connection: Connection) -> bool:
    """Whether a gallery tells photos by their files; one of version 4 that cannot be written does not."""
    return version(connection) > 4


def is_photo(
    connection: Connection, table: Table, pixels_hash: object, file_hash: object
) -> ColumnElement[bool]:
    """Whether a row of references or of photos is of a photo: of its file, or of its pixels.

    Args:
        connection: To the gallery.
        table: One of the two.
        pixels_hash: Of the photo's pixels, a text or a column.
        file_hash: Of its file, likewise; empty of an array.
    """
    of_pixels = table.c.pixels_hash == pixels_hash
    if not has_file_hashes(connection):
        return of_pixels
    return or_(of_pixels, and_(table.c.file_hash == file_hash, table.c.file_hash != ""))


def setting(connection: Connection, name: str) -> str:
    """A setting, which must be there."""
    value: str | None = connection.execute(select(settings.c.value).where(settings.c.name == name)).scalar()
    if value is None:
        raise DamagedValue
    return value


def primary_code(error: BaseException | None) -> int:
    """SQLite's code of an error, less its details; 0 if it is none of SQLite's."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF


def _explain(error: BaseException | None) -> str:
    return _EXPLANATIONS.get(primary_code(error), " ".join(str(error).split()))


_DAMAGED = "the gallery is damaged; restore a copy"
_EXPLANATIONS = {
    sqlite3.SQLITE_NOTADB: "not a gallery (the file is not a database); choose another file",
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_TOOBIG: _DAMAGED,  # what is larger than a gallery's values is not written either
    sqlite3.SQLITE_INTERRUPT: "not a gallery (a database of too many tables); choose another file",
    sqlite3.SQLITE_READONLY: "the gallery is read-only; make it and its folder writable, or free its disk, "
    "or use a copy",
    sqlite3.SQLITE_CANTOPEN: "the gallery cannot be opened; is its folder there, and writable?",
    sqlite3.SQLITE_FULL: "the disk is full; what was acknowledged before is safe",
    sqlite3.SQLITE_IOERR: "the disk cannot be read or written; what was acknowledged before is safe",
    sqlite3.SQLITE_BUSY: "another process keeps the gallery locked; try again",
    sqlite3.SQLITE_PERM: "no permission to open the gallery",
}
