"""Galleries of every version there was open, lose nothing, and are as if made new."""

import gzip
import hashlib
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from command_line import finish

from kith.errors import GalleryError
from kith.gallery import Album, Gallery, NewReference, migrations, opening, store
from kith.records import Face, Template

DATA = Path(__file__).parents[2] / "data"


def as_it_was(sql: str) -> str:
    """With the white space that SQLAlchemy wrote."""
    return sql.replace(",\n", ", \n").replace("    ", "\t")


VERSION_1 = as_it_was("""
CREATE TABLE settings (
    name VARCHAR NOT NULL,
    value VARCHAR NOT NULL,
    PRIMARY KEY (name)
);
CREATE TABLE subjects (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    name VARCHAR NOT NULL,
    created DATETIME NOT NULL,
    UNIQUE (name)
);
CREATE TABLE classifiers (
    kind VARCHAR NOT NULL,
    revision INTEGER NOT NULL,
    arrays BLOB NOT NULL,
    PRIMARY KEY (kind)
);
CREATE TABLE "references" (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    subject_id INTEGER NOT NULL,
    embedding BLOB NOT NULL,
    source VARCHAR NOT NULL,
    source_hash VARCHAR NOT NULL,
    box BLOB NOT NULL,
    landmarks BLOB NOT NULL,
    detection_score FLOAT NOT NULL,
    created DATETIME NOT NULL,
    FOREIGN KEY(subject_id) REFERENCES subjects (id) ON DELETE CASCADE,
    UNIQUE (source_hash)
);
CREATE INDEX ix_references_subject_id ON "references" (subject_id);
""")

VERSION_2 = as_it_was("""
CREATE TABLE settings (
    name VARCHAR NOT NULL,
    value VARCHAR NOT NULL,
    PRIMARY KEY (name)
);
CREATE TABLE subjects (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    name VARCHAR NOT NULL,
    created DATETIME NOT NULL,
    UNIQUE (name)
);
CREATE TABLE classifiers (
    kind VARCHAR NOT NULL,
    revision INTEGER NOT NULL,
    arrays BLOB NOT NULL,
    PRIMARY KEY (kind)
);
CREATE TABLE "references" (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    subject_id INTEGER NOT NULL,
    embedding BLOB NOT NULL,
    source VARCHAR NOT NULL,
    source_hash VARCHAR NOT NULL,
    box BLOB NOT NULL,
    landmarks BLOB NOT NULL,
    detection_score FLOAT NOT NULL,
    created DATETIME NOT NULL,
    FOREIGN KEY(subject_id) REFERENCES subjects (id) ON DELETE CASCADE
);
CREATE INDEX ix_references_subject_id ON "references" (subject_id);
CREATE INDEX ix_references_source_hash ON "references" (source_hash);
CREATE TABLE photos (
    id INTEGER NOT NULL,
    source VARCHAR NOT NULL,
    bytes INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    source_hash VARCHAR NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (source_hash)
);
CREATE INDEX ix_photos_source ON photos (source);
CREATE TABLE clusters (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    subject_id INTEGER,
    FOREIGN KEY(subject_id) REFERENCES subjects (id) ON DELETE CASCADE
);
CREATE INDEX ix_clusters_subject_id ON clusters (subject_id);
CREATE TABLE faces (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    photo_id INTEGER NOT NULL,
    cluster_id INTEGER,
    embedding BLOB NOT NULL,
    crowd FLOAT,
    box BLOB NOT NULL,
    landmarks BLOB NOT NULL,
    detection_score FLOAT NOT NULL,
    unfit VARCHAR NOT NULL,
    picture BLOB NOT NULL,
    FOREIGN KEY(photo_id) REFERENCES photos (id) ON DELETE CASCADE,
    FOREIGN KEY(cluster_id) REFERENCES clusters (id) ON DELETE CASCADE
);
CREATE INDEX ix_faces_photo_id ON faces (photo_id);
CREATE INDEX ix_faces_cluster_id ON faces (cluster_id);
CREATE TABLE links (
    first_id INTEGER NOT NULL,
    second_id INTEGER NOT NULL,
    together BOOLEAN NOT NULL,
    PRIMARY KEY (first_id, second_id),
    FOREIGN KEY(first_id) REFERENCES faces (id) ON DELETE CASCADE,
    FOREIGN KEY(second_id) REFERENCES faces (id) ON DELETE CASCADE
);
CREATE INDEX ix_links_second_id ON links (second_id);
""")

MIGRATION = as_it_was("""
CREATE TABLE migration (
    reference_id INTEGER NOT NULL,
    model_id VARCHAR NOT NULL,
    embedding BLOB NOT NULL,
    box BLOB NOT NULL,
    landmarks BLOB NOT NULL,
    PRIMARY KEY (reference_id),
    FOREIGN KEY(reference_id) REFERENCES "references" (id) ON DELETE CASCADE
);
""")

VERSION_3 = (
    VERSION_2
    + MIGRATION
    + """
CREATE TABLE former_names (
	name VARCHAR NOT NULL PRIMARY KEY,
	subject_id INTEGER NOT NULL REFERENCES subjects (id) ON DELETE CASCADE
);
CREATE INDEX ix_former_names_subject_id ON former_names (subject_id);
"""
)

OLD = {
    "1": (1, VERSION_1),
    "1, changing its model": (1, VERSION_1 + MIGRATION),
    "2": (2, VERSION_2),
    "2, changing its model": (2, VERSION_2 + MIGRATION),
    "3": (3, VERSION_3),
}


@pytest.fixture(params=OLD)
def old(
    request: pytest.FixtureRequest,
    gallery_path: Path,
    make_template: Callable[[int], Template],
    face: Face,
) -> Path:
    """An old gallery: references 1 to 3 of subject 3, the last deleted since; the second may wait for a model."""
    version, schema = OLD[request.param]
    with closing(sqlite3.connect(gallery_path)) as connection, connection:
        connection.executescript(schema)
        connection.execute("INSERT INTO settings VALUES ('model_id', 'test-model'), ('revision', '7')")
        connection.execute("INSERT INTO subjects VALUES (3, 'Ada', '2026-01-01 00:00:00.000000')")
        for number in (1, 2, 3):
            arrays = (make_template(number).embedding.tobytes(), face.box.tobytes(), face.landmarks.tobytes())
            connection.execute(
                'INSERT INTO "references" VALUES (?, 3, ?, ?, ?, ?, ?, 0.99, ?)',
                (
                    *(number, arrays[0], f"{number}.jpg", f"hash {number}", *arrays[1:]),
                    "2026-01-01 00:00:00.000000",
                ),
            )
        if MIGRATION in schema:
            connection.execute("INSERT INTO migration VALUES (2, 'other', x'00', x'00', x'00')")
        connection.execute('DELETE FROM "references" WHERE id = 3')
        connection.execute(f"PRAGMA application_id = {opening.APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {version}")
    return gallery_path


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def schema(path: Path) -> list[tuple[object, ...]]:
    return rows(path, "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name")


@pytest.mark.parametrize(
    ("name", "sha256"),
    [
        ("0001_people.sql", "bc599b074fbb73dcdbe4db8196bea42396efc86a1bea2a1853234ee15e54e9d7"),
        ("0002_album.sql", "626b8b35c97f02500f555bbd001f75826b81f90083a26ebe276bbcc58daaeba5"),
        ("0003_former_names.sql", "690ef090711bc8875111c438aff85a57328ccabc1616a708ee03806dae87df49"),
        ("0004_changes.sql", "ae9d60c8991537f24a01a3dcf1f5d16ea5ffd2a4e10d5533c88f9a375979c0f5"),
        ("0005_photo_files.sql", "8b972831958161b47b5469cf9c24725238fda6d287457b999e7ef812173ed40d"),
    ],
)
def test_a_step_is_frozen(name: str, sha256: str) -> None:
    content = files(migrations).joinpath(name).read_bytes().replace(b"\r\n", b"\n")
    assert hashlib.sha256(content).hexdigest() == sha256, "what is new is a new step"


def test_the_steps_make_what_the_code_uses(gallery: Gallery) -> None:
    gallery.close()
    for table in store.metadata.tables.values():
        made = [row[1] for row in rows(gallery.path, f'PRAGMA table_info("{table.name}")')]
        assert [column.name for column in table.columns] == made
    tables = {name for kind, name, *_ in schema(gallery.path) if kind == "table"}
    assert tables == set(store.metadata.tables) | {"sqlite_sequence"}


def test_everything_is_there_after_it(
    old: Path, make_template: Callable[[int], Template], face: Face
) -> None:
    before = rows(old, 'SELECT * FROM "references" ORDER BY id')
    waits = any(name == "migration" for _, name, *_ in schema(old))
    with Gallery.open(old, model_id="test-model") as gallery:
        assert rows(old, 'SELECT * FROM "references" ORDER BY id') == [(*row, "") for row in before]
        expected = np.stack([make_template(1).embedding, make_template(2).embedding])
        np.testing.assert_array_equal(gallery.references().embeddings, expected)
        assert Album(gallery).clusters() == []
        gallery.enroll("Grace", [NewReference(make_template(9), face, "9.jpg", "hash 9")])
    assert rows(old, "PRAGMA user_version") == [(migrations.VERSION,)]
    assert rows(old, 'SELECT max(id) FROM "references"') == [(4,)], "a number is never given twice"
    assert rows(old, "SELECT reference_id FROM migration") == ([(2,)] if waits else []), "it goes on"
    assert rows(old, "PRAGMA foreign_key_check") == []
    assert rows(old, "PRAGMA integrity_check") == [("ok",)]


def test_it_is_as_if_made_new(old: Path, tmp_path: Path) -> None:
    """To the last byte of SQLite's own table of the schema."""
    new = tmp_path / "new.db"
    for path in (old, new):
        Gallery.open(path, model_id="test-model").close()
    assert schema(old) == schema(new)


@pytest.mark.parametrize(
    ("version", "people", "clusters"),
    [
        (1, {"Ada": 2, "Grace": 1}, []),
        (2, {"Ada": 2, "Grace": 1, "Wei": 2}, [2, 1]),
        (3, {"Augusta": 2, "Grace": 1, "Kwame": 2}, [2, 1, 1, 1]),
    ],
)
def test_one_that_kith_made_then(
    gallery_path: Path, tmp_path: Path, version: int, people: dict[str, int], clusters: list[int]
) -> None:
    """Galleries of sample people, written by the code of those days."""
    gallery_path.write_bytes(gzip.decompress((DATA / f"gallery-of-version-{version}.db.gz").read_bytes()))
    assert rows(gallery_path, "PRAGMA user_version") == [(version,)]
    with Gallery.open(gallery_path) as gallery:
        assert {each.subject.name: each.references for each in gallery.subjects()} == people
        assert gallery.references().embeddings.shape == (sum(people.values()), 128)
        album = Album(gallery)
        assert [summary.faces for summary in album.clusters()] == clusters
        assert len(album.members()) == sum(clusters)
        assert len(album.faces().links) == (1 if clusters else 0)
        assert gallery.former_names_of("Grace") == []
        if version == 3:
            assert gallery.former_names_of("Augusta") == ["Ada"]
        (reference,) = gallery.references_of("Grace")
        for pixels in (reference.pixels_hash, "of another decoder"):  # the first tells the file's
            assert [one.name for one in gallery.owners(pixels, "of its file")] == ["Grace"]
        revision = gallery.revision()
        gallery.rename("Grace", "Grace H")
        changes = gallery.changes_since(revision)
        assert (changes.whole, len(changes.ids), len(changes.embeddings)) == (False, 1, 1)
    Gallery.open(tmp_path / "new.db", model_id="m").close()
    assert schema(gallery_path) == schema(tmp_path / "new.db")


def test_deleting_a_person_still_takes_the_references_along(old: Path) -> None:
    with Gallery.open(old) as gallery:
        gallery.delete("Ada")
    assert rows(old, 'SELECT count(*) FROM "references"') == [(0,)]
    assert rows(old, "SELECT count(*) FROM migration") == [(0,)]


def test_many_open_it_at_once(old: Path) -> None:
    def references(_: int) -> int:
        with Gallery.open(old) as gallery:
            return len(gallery.references())

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(references, range(16))) == {2}


BREAKS_OFF = """
import sys, time
from kith.gallery import Gallery, migrations
statements = migrations.statements

def stop_before_the_last(step):
    *first, last = statements(step)
    yield from first
    if step == migrations.VERSION:
        print("stopped", flush=True)
        time.sleep(600)
    yield last

migrations.statements = stop_before_the_last
Gallery.open(sys.argv[1])
"""


def test_a_process_that_is_killed_in_it_leaves_it_as_it_was(old: Path) -> None:
    before = schema(old)
    process = subprocess.Popen(
        [sys.executable, "-c", BREAKS_OFF, str(old)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "stopped\n"
    process.kill()
    finish(process)
    assert schema(old) == before
    with Gallery.open(old) as gallery:
        assert len(gallery.references()) == 2


def test_a_row_of_nobody_stops_it(old: Path) -> None:
    with closing(sqlite3.connect(old)) as connection, connection:
        connection.execute("DELETE FROM subjects")
    version = rows(old, "PRAGMA user_version")
    with pytest.raises(GalleryError, match="is damaged; restore a copy"):
        Gallery.open(old)
    assert rows(old, "PRAGMA user_version") == version


def test_one_that_cannot_be_written_is_read_as_it_is(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    version = rows(old, "PRAGMA user_version")
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    with Gallery.open(old) as gallery:
        assert len(gallery.references()) == 2
        assert len(gallery.references_of("Ada")) == 2
        assert gallery.former_names_of("Ada") == []
        assert gallery.subject_for("Grace") is None
        assert [subject.name for subject in gallery.owners("hash 1", "of its file")] == ["Ada"]
        assert gallery.changes_since(-1).subjects.keys() == {3}
        if version == [(1,)]:
            with pytest.raises(GalleryError, match="older version of Kith; make it and its folder writable"):
                Album(gallery)
        else:
            assert Album(gallery).gone().photos == ()
    assert rows(old, "PRAGMA user_version") == version
