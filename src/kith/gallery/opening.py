"""A gallery's file is opened, or made: nothing in it is run or believed before it is known to be ours."""

import errno
import logging
import os
import sqlite3
import stat
import time
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, exc, insert, select

from kith.errors import GalleryError
from kith.gallery import migrations, revision, store
from kith.gallery.forks import close_around_forks
from kith.gallery.values import LARGEST, MAX_ID

_log = logging.getLogger("kith")

APPLICATION_ID = 0x4B697468  # "Kith", in SQLite's header
SIDE_FILES = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a file: its log, the log's index, and another kind of log."""

_BUSY_SECONDS = 30
_SCHEMA_STEPS = 20_000  # of SQLite's machine: more than to read a gallery's schema takes
_SETTINGS_NOW_AND_THEN = {"cleaning"}
_USED_UP = "SELECT 1 FROM sqlite_sequence WHERE typeof(seq) != 'integer' OR seq NOT BETWEEN 0 AND ? LIMIT 1"
_LOOSE_LINK = (
    "SELECT 1 FROM links WHERE first_id NOT IN (SELECT id FROM faces) "
    "OR second_id NOT IN (SELECT id FROM faces) LIMIT 1"
)
_NO_FOLDER = {errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.EROFS}
_SUPER_JOURNAL = bytes.fromhex("d9d505f920a163d7")  # ends a journal that names another one
_NO_ROOM = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}


def connect(path: Path, new_model: str | None) -> Engine:
    """An engine for a gallery file.

    A gallery that cannot be written, as on read-only media or a full disk, is opened for reading.

    Args:
        path: The file.
        new_model: The model to which a file that is missing or empty is bound as a new gallery;
            None refuses such a file.

    Raises:
        GalleryError: The file is not a gallery, is of a newer Kith, or cannot be opened.
    """
    with store.translated(path):
        if "\0" in str(path):
            raise GalleryError(f"{str(path)!r}: not the name of a file")
        file = Path(os.path.realpath(path))  # as SQLite does, for it to find the log beside it
        is_there = _require_plain(path, file)
        if not is_there:
            if new_model is None:
                raise GalleryError(_nothing_at(path))
            make_private(file, path)
        if is_there and not (os.access(file, os.W_OK) and os.access(file.parent, os.W_OK)):
            return _open(path, _read_only(file), new_model)
        try:
            return _open(path, _writable(file), new_model)
        except exc.OperationalError as error:
            if store.primary_code(error.orig) not in _NO_ROOM:
                raise
            try:
                return _open(path, _read_only(file), None)
            except (GalleryError, exc.DBAPIError):
                raise error from None


def make_private(file: Path, shown: Path) -> None:
    """Make an empty file that only its owner may read, unless it is there.

    Args:
        file: The file.
        shown: How it is called in an error.

    Raises:
        GalleryError: Its folder is missing, or may not be written.
        OSError: It cannot be made otherwise.
    """
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:  # another process was faster
        return
    except OSError as error:
        if error.errno not in _NO_FOLDER:
            raise
        raise GalleryError(
            f"{shown}: the gallery cannot be opened; is its folder there, and writable?"
        ) from None


def _require_plain(path: Path, file: Path) -> bool:
    """Whether a file is there, which must be a plain one, as must be those beside it.

    Raises:
        GalleryError: It is something else: a folder, a pipe, a device ...
    """
    found = _status(file)
    if found and stat.S_ISDIR(found.st_mode):
        raise GalleryError(f"{path} is a folder, not a gallery; name a file in it")
    if found and not stat.S_ISREG(found.st_mode):
        raise GalleryError(f"{path} is not a plain file, so not a gallery; choose another file")
    for suffix in SIDE_FILES:
        beside = Path(f"{file}{suffix}")
        status = _status(beside)
        if status and not stat.S_ISREG(status.st_mode):
            raise GalleryError(f"{beside} is not a file of a gallery; delete it")
    if _ends_with(Path(f"{file}-journal"), _SUPER_JOURNAL):
        raise GalleryError(f"{file}-journal is not of a gallery: SQLite would delete the file it names")
    return found is not None


def _status(file: Path) -> os.stat_result | None:
    """What a file is; None if there is none, which can be so any moment."""
    try:
        return file.lstat()
    except FileNotFoundError:
        return None


def _ends_with(file: Path, end: bytes) -> bool:
    try:
        with file.open("rb") as opened:
            opened.seek(max(opened.seek(0, os.SEEK_END) - len(end), 0))
            return opened.read() == end
    except FileNotFoundError:
        return False


def _open(path: Path, engine: Engine, new_model: str | None) -> Engine:
    """An engine of which is known that it leads to a gallery of the newest version, or can only read."""
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            version = _version(connection, path)
            connection.rollback()
            if not version and new_model is None:
                raise GalleryError(_nothing_at(path))
            if not engine.url.query:
                if version < migrations.VERSION:
                    _migrate(connection, path, new_model)
                _write_ahead(connection)
            connection.exec_driver_sql("BEGIN")  # another process may bring it up to date this moment
            _require_sound(connection, path)
            connection.rollback()
    except BaseException:
        engine.dispose()
        raise
    return engine


def _writable(file: Path) -> Engine:
    return _engine(URL.create("sqlite", database=str(file)))


def _read_only(file: Path) -> Engine:
    # With no log beside it the file is all there is, and needs no lock; else the log must be read.
    log = _status(Path(f"{file}-wal"))
    immutable = "" if log and log.st_size else "&immutable=1"
    database = f"file:{quote(os.fsencode(file))}?mode=ro{immutable}"
    return _engine(URL.create("sqlite", database=database, query={"uri": "true"}))


def _engine(url: URL) -> Engine:
    engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS})
    close_around_forks(engine)

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # transactions are begun in `store`
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST)
        connection.text_factory = _text
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")
        connection.set_progress_handler(lambda: 1, _SCHEMA_STEPS)  # a schema without end is given up
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        connection.set_progress_handler(None, 0)
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON")  # a deleted person's embeddings are overwritten
        connection.execute("PRAGMA synchronous = FULL")

    return engine


def _text(data: bytes) -> str:
    return data.decode(errors="surrogateescape")  # which no value may hold


def _version(connection: Connection, path: Path) -> int:
    """The version of a gallery whose schema is as Kith made it; 0 of an empty database.

    Raises:
        GalleryError: It is another program's, a newer Kith's, or was tampered with.
    """
    application = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
    version = store.version(connection)
    rows = connection.exec_driver_sql(migrations.SCHEMA_QUERY).all()
    if not (application or version or rows):
        return 0
    if application != APPLICATION_ID:
        raise GalleryError(f"{path} is a database of another program, not a gallery; choose another file")
    if version > migrations.VERSION:
        raise GalleryError(f"{path} was made by a newer version of Kith; update Kith to open it")
    if version < 1:
        raise store.damaged(path, "it has no version")
    if wrong := migrations.unlike(frozenset(map(migrations.schema_item, rows)), version):
        raise store.damaged(path, f"not as Kith made it: {wrong[0]!r:.80}")
    return version


def _migrate(connection: Connection, path: Path, new_model: str | None) -> None:
    """Make an empty database a gallery, or bring one up to date: all of it, or nothing."""
    connection.exec_driver_sql("PRAGMA foreign_keys = OFF")  # a table that is replaced takes others along
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    version = _version(connection, path)  # another process may have been faster
    for step in range(version + 1, migrations.VERSION + 1):
        for statement in migrations.statements(step):
            connection.exec_driver_sql(statement)
    if not version:
        beginning = {"model_id": new_model} | dict.fromkeys(revision.SETTINGS, "0")
        rows = [{"name": name, "value": value} for name, value in beginning.items()]
        connection.execute(insert(store.settings), rows)
        connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
    if connection.exec_driver_sql("PRAGMA foreign_key_check").first():
        raise store.damaged(path, "a row belongs to one that is missing")
    connection.exec_driver_sql(f"PRAGMA user_version = {migrations.VERSION}")
    connection.commit()
    connection.exec_driver_sql("PRAGMA foreign_keys = ON")
    if 0 < version < migrations.VERSION:
        _log.info("kith: a gallery was migrated from schema %d to %d", version, migrations.VERSION)


def _require_sound(connection: Connection, path: Path) -> None:
    """Raise GalleryError if what is needed of every gallery is missing, or would stop the next row."""
    settings = {"model_id", *(revision.SETTINGS if store.has_changes(connection) else revision.SETTINGS[:1])}
    most = len(settings | _SETTINGS_NOW_AND_THEN) + 1
    names = set(connection.execute(select(store.settings.c.name).limit(most)).scalars())
    if not settings <= names <= settings | _SETTINGS_NOW_AND_THEN:
        raise store.damaged(path, "its settings are not Kith's")
    if connection.exec_driver_sql(_USED_UP, (MAX_ID,)).first():
        raise store.damaged(path, "its numbers are used up")
    if store.has_album(connection) and connection.exec_driver_sql(_LOOSE_LINK).first():
        raise store.damaged(path, "a link is to a face that is missing")


def _write_ahead(connection: Connection) -> None:
    """Turn the write-ahead log on; SQLite does not wait for this as it waits for other locks."""
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            return
        except exc.OperationalError as error:
            if store.primary_code(error.orig) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        time.sleep(0.01)


def _nothing_at(path: Path) -> str:
    return f"no gallery at {path}; enroll someone first"
