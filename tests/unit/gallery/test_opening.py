"""A file that says it is a gallery is not believed."""

import os
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from command_line import kith, kith_process
from small_disk import small_disk

from kith.errors import GalleryError, KithError
from kith.gallery import Album, Gallery, NewFace, NewReference, PhotoFile, name_cluster, opening, store
from kith.gallery.reembedding import Reembedding
from kith.records import Face, Measure, Policy, Template
from kith.workflows.albums import cluster_album

Change = Callable[[str], None]


_made: list[bytes] = []


@pytest.fixture
def full(gallery_path: Path, make_template: Callable[[int], Template], face: Face) -> Path:
    """A closed gallery with something in every table; made once, which takes a second."""
    if not _made:
        fill(gallery_path, make_template, face)
        _made.append(gallery_path.read_bytes())
    gallery_path.write_bytes(_made[0])
    return gallery_path


def fill(path: Path, make_template: Callable[[int], Template], face: Face) -> None:
    with Gallery.open(path, model_id="test-model") as gallery:
        for photo in (1, 2):
            gallery.enroll("Ada", [NewReference(make_template(photo), face, f"{photo}.jpg", f"hash {photo}")])
        gallery.enroll("Grace", [NewReference(make_template(3), face, "3.jpg", "hash 3")])
        gallery.rename("Ada", "Augusta")
        gallery.save_classifier("svm", gallery.references().revision, {"weights": np.zeros(2)})
        album = Album(gallery)
        for photo in (4, 5):
            new = NewFace(face, make_template(4), "", b"a thumbnail")
            album.add(PhotoFile(f"{photo}.jpg", 1, 1), f"hash {photo}", [new])
        cluster_album(album, Policy(Measure.FMR, 0.001, 0.5, "nothing"))
        name_cluster(album, 1, "Wei")
        album.link(1, 2, together=True)
        reembedding = Reembedding(gallery, "other")
        reembedding.add(reembedding.pending()[0], make_template(1, "other"), face)


def change(path: Path, *statements: str) -> None:
    """Change a gallery behind Kith's back."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA writable_schema = ON")
        for statement in statements:
            connection.execute(statement)


def read_everything(path: Path) -> None:
    with Gallery.open(path) as gallery:
        gallery.references()
        for person in gallery.subjects():
            gallery.references_of(person.subject.name)
            gallery.former_names_of(person.subject.name)
        for photo in range(6):
            gallery.owners(f"hash {photo}")
        gallery.subject_for("Ada")
        gallery.load_classifier("svm", gallery.references().revision)
        album = Album(gallery)
        album.faces()
        album.clusters()
        album.thumbnails([face.id for face in album.members()])
        album.sizes()
        album.knows_file(PhotoFile("4.jpg", 1, 1))
        Reembedding(gallery, "other").pending()


def write_everything(path: Path, template: Template, face: Face) -> None:
    with Gallery.open(path) as gallery:
        gallery.enroll("Omar", [NewReference(template, face, "", "hash 9")])
        gallery.rename("Grace", "Grace H")
        gallery.merge("Grace H", "Augusta")
        album = Album(gallery)
        album.add(PhotoFile("9.jpg", 1, 1), "hash 10", [NewFace(face, template, "", b"")])
        cluster_album(album, Policy(Measure.FMR, 0.001, 0.5, "nothing"))
        name_cluster(album, 1, "Wei")
        gallery.move_references([1], "Wei")
        gallery.delete_references([2])


def test_a_gallery_of_ours_is_believed(
    full: Path, make_template: Callable[[int], Template], face: Face
) -> None:
    read_everything(full)
    write_everything(full, make_template(7), face)


# its schema

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"


@pytest.mark.parametrize(
    "statements",
    {
        "a view in place of a table": (
            "ALTER TABLE settings RENAME TO hidden",
            f"CREATE VIEW settings AS SELECT name, value FROM hidden WHERE ({ENDLESS})",
        ),
        "a view": (f"CREATE VIEW pragma_user_version AS {ENDLESS}",),
        "a trigger that swallows": (
            'CREATE TRIGGER t BEFORE INSERT ON "references" BEGIN SELECT RAISE(IGNORE); END',
        ),
        "a trigger that hangs": (f"CREATE TRIGGER t AFTER UPDATE ON settings BEGIN {ENDLESS}; END",),
        "a table": ("CREATE TABLE more (x)",),
        "a virtual table": ("CREATE VIRTUAL TABLE more USING fts5(x)",),
        "an index": ("CREATE INDEX more ON subjects (created)",),
        "an index that computes": ("CREATE INDEX more ON subjects (id * 2)",),
        "a unique index": ('CREATE UNIQUE INDEX more ON "references" (id)',),
        "a column": ("ALTER TABLE subjects ADD COLUMN more",),
        "a generated column": ("ALTER TABLE subjects ADD COLUMN more AS (id * 2)",),
        "a default": (
            "UPDATE sqlite_master SET sql = replace(sql, 'value VARCHAR NOT NULL', "
            "'value VARCHAR NOT NULL DEFAULT 1') WHERE name = 'settings'",
        ),
        "a check": (
            "UPDATE sqlite_master SET sql = replace(sql, 'value VARCHAR NOT NULL', "
            "'value VARCHAR NOT NULL CHECK (length(value) < 9)') WHERE name = 'settings'",
        ),
        "a collation": (
            "UPDATE sqlite_master SET sql = replace(sql, 'name VARCHAR NOT NULL', "
            "'name VARCHAR NOT NULL COLLATE NOCASE') WHERE name = 'former_names'",
        ),
        "no column": ("ALTER TABLE faces DROP COLUMN crowd",),
        "no index": ("DROP INDEX ix_references_source_hash",),
        "no table": ("DROP TABLE former_names",),
        "no version": ("PRAGMA user_version = -1",),
        "another version": ("PRAGMA user_version = 2",),
        "no setting": ("DELETE FROM settings WHERE name = 'model_id'",),
        "a setting": ("INSERT INTO settings VALUES ('more', 1)",),
        "the last number": ("UPDATE sqlite_sequence SET seq = 9223372036854775807",),
        "no number": ("UPDATE sqlite_sequence SET seq = 'x'",),
        "a link to nothing": ("UPDATE links SET second_id = 77",),
    }.items(),
    ids=lambda item: item[0],
)
def test_what_the_steps_have_not_made_is_refused_before_it_is_run(
    full: Path, statements: tuple[str, tuple[str, ...]]
) -> None:
    change(full, *statements[1])
    before = full.read_bytes()
    with pytest.raises(GalleryError, match="the gallery is damaged; restore a copy"):
        Gallery.open(full)
    assert full.read_bytes() == before


def test_a_schema_without_end_is_given_up(full: Path) -> None:
    change(
        full,
        "INSERT INTO sqlite_master WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 50000) "
        "SELECT 'table', 'more_' || i, 'more_' || i, 2, 'CREATE TABLE more_' || i || ' (x)' FROM n",
    )
    with pytest.raises(GalleryError, match="not a gallery .a database of too many tables"):
        Gallery.open(full)


# its values

WRONG = {
    "settings.value": ("''", "'nine'", "'-1'", "x'00'", f"'{'9' * 30}'", "zeroblob(1 << 20)"),
    "subjects.name": (
        "''",
        "x'41'",
        "char(27) || '[31m'",
        "CAST(x'ff' AS TEXT)",
        "hex(zeroblob(99999))",
    ),
    "former_names.name": ("''", "x'41'"),
    "references.subject_id": ("77", "'one'", "-1", "1.5", "x''"),
    "references.embedding": ("x''", "x'00'", "zeroblob(64)", "'text'", "7", "zeroblob(1 << 24)"),
    "references.source": ("x'00'", "CAST(x'ff' AS TEXT)", "hex(zeroblob(99999))"),
    "references.box": ("x''", "zeroblob(15)", "zeroblob(17)", "x'0000c07f0000c07f0000c07f0000c07f'", "'box'"),
    "references.detection_score": ("'high'", "9e999", "x''"),
    "references.created": ("'yesterday'", "9e9"),
    "reembedding.model_id": (),
    "photos.source": ("x'00'",),
    "clusters.subject_id": ("'one'", "x''"),
    "faces.photo_id": ("'one'",),
    "faces.cluster_id": ("'one'", "-7"),
    "faces.embedding": ("x''", "zeroblob(64)", "'text'", "zeroblob(1 << 24)"),
    "faces.crowd": ("'high'", "9e999"),
    "faces.picture": ("'text'", "zeroblob(1 << 24)"),
    "links.together": ("7", "'yes'"),
}


@pytest.mark.parametrize(
    ("column", "value"), [(column, value) for column, values in WRONG.items() for value in values]
)
def test_a_wrong_value_is_one_line(full: Path, column: str, value: str) -> None:
    table, _, name = column.partition(".")
    where = "WHERE name = 'revision'" if table == "settings" else ""
    if table in {"subjects", "former_names"}:
        where = "WHERE rowid = 1"
    with closing(sqlite3.connect(full)) as connection, connection:
        connection.execute(f'UPDATE "{table}" SET {name} = {value} {where}')
    with pytest.raises(GalleryError, match="the gallery is damaged; restore a copy") as caught:
        read_everything(full)
    assert "\n" not in str(caught.value)


def test_nothing_where_something_must_be(full: Path) -> None:
    """SQLite itself allows it only to who rewrites the schema, and back."""
    change(
        full,
        "UPDATE sqlite_master SET sql = replace(sql, 'box BLOB NOT NULL', 'box BLOB') WHERE name = 'references'",
    )
    change(full, 'UPDATE "references" SET box = NULL')
    change(
        full,
        "UPDATE sqlite_master SET sql = replace(sql, 'box BLOB', 'box BLOB NOT NULL') WHERE name = 'references'",
    )
    with pytest.raises(GalleryError, match="the gallery is damaged; restore a copy"):
        read_everything(full)


def test_every_verb_tells_it_in_one_line(full: Path) -> None:
    change(full, "CREATE VIEW more AS SELECT 1")
    for verb in (
        ("people", "list"),
        ("people", "show", "Ada"),
        ("people", "rename", "Ada", "B"),
        ("people", "merge", "Ada", "Grace"),
        ("people", "delete", "Ada", "--yes"),
        ("people", "delete-references", "1", "--yes"),
        ("people", "move", "1", "Grace"),
        ("people", "delete-name", "Ada"),
        ("people", "name", "1", "Ada"),
        ("gallery", "show"),
        ("gallery", "backup", str(full.with_name("backup.db"))),
    ):
        answer = kith(*verb, "-g", full)
        assert answer.code == 2
        assert answer.err == (
            f"error: {full}: the gallery is damaged; restore a copy (not as Kith made it: 'view more')\n"
        )


# what is no file


@pytest.mark.parametrize("path", ["", " ", "\t\n"])
def test_an_empty_path(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(GalleryError, match="an empty path; name the gallery's file"):
        Gallery.open(path, model_id="test-model")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("create", [True, False])
@pytest.mark.parametrize("name", ["a\0b", "x" * 300])
def test_what_cannot_be_a_name(tmp_path: Path, name: str, create: bool) -> None:
    with pytest.raises(GalleryError, match="not the name of a file|File name too long"):
        Gallery.open(tmp_path / name, model_id="test-model", create=create)


def test_a_pipe_and_a_device_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.db")
    for path in (tmp_path / "pipe.db", Path("/dev/zero")):
        with pytest.raises(GalleryError, match="is not a plain file, so not a gallery"):
            Gallery.open(path, model_id="test-model")


def test_links(full: Path, tmp_path: Path) -> None:
    """One to a gallery is that gallery; one to nothing is where a new one is made; one to itself is told."""
    link = tmp_path / "link.db"
    link.symlink_to(full)
    with Gallery.open(link) as gallery:
        assert len(gallery.references()) == 5
    dangling = tmp_path / "dangling.db"
    dangling.symlink_to(tmp_path / "target.db")
    Gallery.open(dangling, model_id="test-model").close()
    assert stat.S_IMODE((tmp_path / "target.db").stat().st_mode) == 0o600
    loop = tmp_path / "loop.db"
    loop.symlink_to(loop)
    with pytest.raises(GalleryError, match="is not a plain file"):
        Gallery.open(loop, model_id="test-model")


@pytest.mark.parametrize("suffix", opening.SIDE_FILES)
def test_what_lies_beside_it_must_be_a_file(full: Path, tmp_path: Path, suffix: str) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    Path(f"{full}{suffix}").symlink_to(victim)
    with pytest.raises(GalleryError, match=f"gallery.db{suffix} is not a file of a gallery"):
        Gallery.open(full)
    assert victim.read_text() == "mine"


def test_a_journal_that_names_another_file_is_refused(full: Path) -> None:
    """SQLite would delete the file that it names."""
    Path(f"{full}-journal").write_bytes(b"\0" * 600 + opening._SUPER_JOURNAL)
    with pytest.raises(GalleryError, match="is not of a gallery: SQLite would delete"):
        Gallery.open(full)


@pytest.mark.parametrize("content", [b"", b"junk", bytes.fromhex("377f0682") + b"\xff" * 5000])
def test_a_stale_log_changes_nothing(full: Path, content: bytes) -> None:
    for suffix in ("-wal", "-shm"):
        Path(f"{full}{suffix}").write_bytes(content)
    read_everything(full)


# permissions and room


def test_only_the_owner_can_read_what_is_made(
    gallery_path: Path, make_template: Callable[[int], Template], face: Face
) -> None:
    before = os.umask(0o022)
    try:
        with Gallery.open(gallery_path, model_id="test-model") as gallery:
            gallery.enroll("Ada", [NewReference(make_template(1), face, "", "hash 1")])
            made = {path.name: stat.S_IMODE(path.stat().st_mode) for path in gallery_path.parent.iterdir()}
    finally:
        os.umask(before)
    assert made == {f"gallery.db{suffix}": 0o600 for suffix in ("", "-wal", "-shm")}


def test_who_is_to_share_a_gallery_still_does(full: Path) -> None:
    full.chmod(0o660)
    Gallery.open(full).close()
    assert stat.S_IMODE(full.stat().st_mode) == 0o660


def test_a_copy_of_an_open_gallery_holds_what_was_acknowledged(
    gallery: Gallery, make_template: Callable[[int], Template], face: Face, tmp_path: Path
) -> None:
    for photo in range(5):
        gallery.enroll("Ada", [NewReference(make_template(photo), face, "", f"hash {photo}")])
        copy = tmp_path / f"copy-{photo}.db"
        copy.write_bytes(gallery.path.read_bytes())
        with Gallery.open(copy) as copied:
            assert len(copied.references()) == photo + 1


FILLS = """
import os, sys
from kith.cli.main import main
if "fill" in sys.argv:
    with open(os.path.join(os.path.dirname(sys.argv[sys.argv.index("-g") + 1]), "filler"), "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1024))
        except OSError:
            pass
    sys.argv.remove("fill")
main()
"""


def test_a_full_disk_is_read(full: Path, tmp_path: Path) -> None:
    disk, _saved, prefix = small_disk(tmp_path, "300k")
    script = prefix[4].replace('{ "$@"', f'cp {full} "$disk" && {{ "$@"')
    filled = (*prefix[:4], script, *prefix[5:])
    answer = kith_process("people", "list", "-g", disk / full.name, "fill", program=FILLS, prefix=filled)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.splitlines()[0] == "Augusta\t2"
    answer = kith_process(
        *("people", "rename", "Grace", "G", "-g", disk / full.name, "fill"), program=FILLS, prefix=filled
    )
    assert answer.code == 2
    assert "free its disk" in answer.err or "the disk is full" in answer.err


def test_two_that_reembed_at_once_are_told_so(
    full: Path, make_template: Callable[[int], Template], face: Face
) -> None:
    with Gallery.open(full) as gallery, Gallery.open(full) as other:
        first, second = Reembedding(gallery, "third"), Reembedding(other, "third")
        one, *rest = first.pending()
        first.add(one, make_template(one.id, "third"), face)
        assert [reference.id for reference in second.pending()] == [reference.id for reference in rest]
        for pending in (second, first):
            with pytest.raises(GalleryError, match="another process reembeds it too; run it again") as error:
                pending.finish()
            assert "damaged" not in str(error.value)
        Reembedding(other, "fourth")  # whose embeddings take the place of those that wait
        with pytest.raises(GalleryError, match="another process reembeds it too"):
            first.finish()


def test_what_waits_is_gone_when_another_process_was_faster(
    full: Path, make_template: Callable[[int], Template], face: Face
) -> None:
    with Gallery.open(full) as gallery, Gallery.open(full) as other, Gallery.open(full) as late:
        first, second = Reembedding(gallery, "third"), Reembedding(other, "third")
        one, *_ = second.pending()
        for reference in first.pending():
            first.add(reference, make_template(reference.id, "third"), face)
        first.finish()
        second.add(one, make_template(1, "third"), face)
        second.finish()
        with closing(sqlite3.connect(full)) as connection:
            assert connection.execute("SELECT count(*) FROM migration").fetchone() == (0,)
        with pytest.raises(KithError, match="was reembedded with third meanwhile"):
            Reembedding(late, "third")


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM nothing",
        "INSERT INTO settings VALUES ('revision', '1')",
        "INSERT INTO subjects (id) VALUES (77)",
        "SELEC",
    ],
)
def test_an_error_of_sql_is_no_damage(full: Path, statement: str) -> None:
    with (
        Gallery.open(full) as gallery,
        pytest.raises(GalleryError) as error,
        store.write(gallery.engine, full) as connection,
    ):
        connection.exec_driver_sql(statement)
    assert "damaged" not in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_two_that_change_the_model_at_once(
    full: Path, make_template: Callable[[int], Template], face: Face
) -> None:
    with Gallery.open(full) as gallery, Gallery.open(full) as other:
        first, second = Reembedding(gallery, "other"), Reembedding(other, "other")
        for migrant in first.pending():
            first.add(migrant, make_template(migrant.id, "other"), face)
        pending = second.pending()
        first.finish()
        for migrant in pending:
            second.add(migrant, make_template(migrant.id, "other"), face)
        second.finish()
        assert other.model_id == "other"
        assert len(other.references()) == 5
        with pytest.raises(KithError, match="holds other's templates already"):
            Reembedding(other, "other")
