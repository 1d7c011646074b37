"""Galleries of version 1 open, and lose nothing."""

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from kith.errors import GalleryError
from kith.gallery import Album, Gallery, NewReference, store
from kith.records import Face, Template

VERSION_1 = f"""
CREATE TABLE settings (name VARCHAR NOT NULL, value VARCHAR NOT NULL, PRIMARY KEY (name));
CREATE TABLE subjects (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, name VARCHAR NOT NULL,
    created DATETIME NOT NULL, UNIQUE (name));
CREATE TABLE classifiers (kind VARCHAR NOT NULL, revision INTEGER NOT NULL, arrays BLOB NOT NULL,
    PRIMARY KEY (kind));
CREATE TABLE "references" (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, subject_id INTEGER NOT NULL,
    embedding BLOB NOT NULL, source VARCHAR NOT NULL, source_hash VARCHAR NOT NULL, box BLOB NOT NULL,
    landmarks BLOB NOT NULL, detection_score FLOAT NOT NULL, created DATETIME NOT NULL,
    FOREIGN KEY(subject_id) REFERENCES subjects (id) ON DELETE CASCADE, UNIQUE (source_hash));
CREATE INDEX ix_references_subject_id ON "references" (subject_id);
CREATE TABLE migration (reference_id INTEGER NOT NULL, model_id VARCHAR NOT NULL, embedding BLOB NOT NULL,
    box BLOB NOT NULL, landmarks BLOB NOT NULL, PRIMARY KEY (reference_id),
    FOREIGN KEY(reference_id) REFERENCES "references" (id) ON DELETE CASCADE);
INSERT INTO settings VALUES ('model_id', 'test-model'), ('revision', '7');
INSERT INTO subjects VALUES (3, 'Ada', '2026-01-01 00:00:00.000000');
PRAGMA application_id = {store.APPLICATION_ID};
PRAGMA user_version = 1;
"""


@pytest.fixture
def old(gallery_path: Path, make_template: Callable[[int], Template], face: Face) -> Path:
    """A gallery of version 1: references 1 to 3, the last deleted since; one waits in a migration."""
    with closing(sqlite3.connect(gallery_path)) as connection, connection:
        connection.executescript(VERSION_1)
        for number in (1, 2, 3):
            arrays = (make_template(number).embedding.tobytes(), face.box.tobytes(), face.landmarks.tobytes())
            connection.execute(
                'INSERT INTO "references" VALUES (?, 3, ?, ?, ?, ?, ?, 0.99, ?)',
                (
                    *(number, arrays[0], f"{number}.jpg", f"hash {number}", *arrays[1:]),
                    "2026-01-01 00:00:00.000000",
                ),
            )
        connection.execute("INSERT INTO migration VALUES (2, 'other', x'00', x'00', x'00')")
        connection.execute('DELETE FROM "references" WHERE id = 3')
    return gallery_path


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def test_everything_is_there_after_it(
    old: Path, make_template: Callable[[int], Template], face: Face
) -> None:
    before = rows(old, 'SELECT * FROM "references" ORDER BY id')
    with Gallery.open(old, model_id="test-model") as gallery:
        assert rows(old, 'SELECT * FROM "references" ORDER BY id') == before
        expected = np.stack([make_template(1).embedding, make_template(2).embedding])
        np.testing.assert_array_equal(gallery.references().embeddings, expected)
        assert Album(gallery).clusters() == []
        gallery.enroll("Grace", [NewReference(make_template(9), face, "9.jpg", "hash 9")])
    assert rows(old, "PRAGMA user_version") == [(store.SCHEMA_VERSION,)]
    assert rows(old, 'SELECT max(id) FROM "references"') == [(4,)], "a number is never given twice"
    assert rows(old, "SELECT reference_id FROM migration") == [(2,)], "a migration goes on"
    assert rows(old, "PRAGMA foreign_key_check") == []


def test_it_is_as_if_made_new(old: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.db"
    for path in (old, new):
        Gallery.open(path, model_id="test-model").close()

    def schema(path: Path) -> set[tuple[str, str]]:
        found = rows(path, "SELECT name, coalesce(sql, '') FROM sqlite_master")
        tidied = {(str(name), "".join(str(sql).replace('"', "").split())) for name, sql in found}
        return {(name, sql) for name, sql in tidied if "autoindex" not in name and name != "migration"}

    assert schema(old) == schema(new)


def test_deleting_a_person_still_takes_the_references_along(old: Path) -> None:
    with Gallery.open(old) as gallery:
        assert gallery.delete("Ada").references == 2
    assert rows(old, 'SELECT count(*) FROM "references"') == [(0,)]
    assert rows(old, "SELECT count(*) FROM migration") == [(0,)]


def test_many_open_it_at_once(old: Path) -> None:
    def references(_: int) -> int:
        with Gallery.open(old) as gallery:
            return len(gallery.references())

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(references, range(16))) == {2}


def test_a_break_leaves_it_as_it_was(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = rows(old, "SELECT name, sql FROM sqlite_master")

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(store.metadata, "create_all", stop)
        with pytest.raises(KeyboardInterrupt):
            Gallery.open(old)
    assert rows(old, "SELECT name, sql FROM sqlite_master") == before
    with Gallery.open(old) as gallery:
        assert len(gallery.references()) == 2


def test_one_that_cannot_be_written_is_read_as_it_is(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store.os, "access", lambda path, mode: mode != store.os.W_OK)
    with Gallery.open(old) as gallery:
        assert len(gallery.references()) == 2
        with pytest.raises(GalleryError, match="older version of Kith; make it and its folder writable"):
            Album(gallery)
    assert rows(old, "PRAGMA user_version") == [(1,)]
