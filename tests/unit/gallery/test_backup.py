"""A copy of a gallery, whole or not at all."""

import os
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from command_line import PROGRAM, kith, kith_process
from small_disk import small_disk

from kith.errors import GalleryError
from kith.gallery import Gallery, NewReference, back_up
from kith.records import Face, Template

Enroll = Callable[[Gallery, int], object]


@pytest.fixture
def enroll(make_template: Callable[[int], Template], face: Face) -> Enroll:
    def enroll(gallery: Gallery, photo: int) -> object:
        return gallery.enroll("Ada", [NewReference(make_template(photo), face, "", f"hash {photo}")])

    return enroll


def references(path: Path) -> int:
    with Gallery.open(path) as gallery:
        return len(gallery.references())


def test_a_backup_is_a_gallery_in_one_private_file(gallery: Gallery, enroll: Enroll, tmp_path: Path) -> None:
    enroll(gallery, 1)
    with closing(sqlite3.connect(gallery.path)) as reader:  # keeps the log from being emptied
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM subjects").fetchone()
        enroll(gallery, 2)
        before = os.umask(0o022)
        try:
            back_up(gallery, tmp_path / "backup.db")
        finally:
            os.umask(before)
    backup = tmp_path / "backup.db"
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.glob("*backup*")] == ["backup.db"]
    assert list(tmp_path.glob(".partial-*")) == []
    assert references(backup) == 2


def test_it_is_of_one_moment_while_others_write(
    gallery: Gallery, enroll: Enroll, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another connection enrolls between any two pages that are copied."""
    monkeypatch.setattr("kith.gallery.backup._PAGES", 1)
    for photo in range(20):
        enroll(gallery, photo)
    photo = 20

    class Interrupted(sqlite3.Connection):
        def backup(self, target: sqlite3.Connection, *, pages: int) -> None:
            def enroll_another(*_: int) -> None:
                nonlocal photo
                with Gallery.open(gallery.path) as other:
                    enroll(other, photo)
                photo += 1

            super().backup(target, pages=pages, progress=enroll_another)

    monkeypatch.setattr(sqlite3.dbapi2, "connect", lambda *a, **k: Interrupted(*a, **k))
    with Gallery.open(gallery.path) as watched:
        back_up(watched, tmp_path / "backup.db")
    assert photo > 30, "else this test cannot fail"
    assert references(tmp_path / "backup.db") == 20
    assert references(gallery.path) == photo


@pytest.mark.parametrize("name", ["gallery.db", "gallery.db-wal", "./gallery.db", "linked.db", "hard.db"])
def test_the_gallery_itself_is_never_written_over(gallery: Gallery, enroll: Enroll, name: str) -> None:
    enroll(gallery, 1)
    folder = gallery.path.parent
    (folder / "linked.db").symlink_to(gallery.path)
    (folder / "hard.db").hardlink_to(gallery.path)
    with pytest.raises(GalleryError, match="is the gallery itself; name another file"):
        back_up(gallery, f"{folder}/{name}", overwrite=True)
    assert references(gallery.path) == 1


def test_what_is_there_is_replaced_only_when_asked(gallery: Gallery, enroll: Enroll, tmp_path: Path) -> None:
    backup = tmp_path / "backup.db"
    backup.write_text("something else")
    with pytest.raises(GalleryError, match=r"backup\.db is there already"):
        back_up(gallery, backup)
    assert backup.read_text() == "something else"
    enroll(gallery, 1)
    back_up(gallery, backup, overwrite=True)
    assert references(backup) == 1


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda path: path.mkdir(), "is a folder"),
        (os.mkfifo, "is not a plain file"),
        (
            lambda path: Path(f"{path}-wal").write_bytes(b"of another gallery"),
            "is in use: .*-wal is beside it",
        ),
        (lambda path: None, ""),
    ],
)
def test_where_no_backup_can_be(
    gallery: Gallery, tmp_path: Path, prepare: Callable[[Path], object], message: str
) -> None:
    prepare(tmp_path / "backup.db")
    target = tmp_path / "backup.db" if message else tmp_path / "missing" / "backup.db"
    with pytest.raises(GalleryError, match=message or "is its folder there"):
        back_up(gallery, target, overwrite=True)
    assert list(tmp_path.glob(".partial-*")) == []


@pytest.mark.parametrize("path", ["", " "])
def test_an_empty_path(gallery: Gallery, path: str) -> None:
    with pytest.raises(GalleryError, match="an empty path"):
        back_up(gallery, path)


def test_a_damaged_gallery_makes_no_backup(gallery: Gallery, enroll: Enroll, tmp_path: Path) -> None:
    for photo in range(30):
        enroll(gallery, photo)
    gallery.close()
    data = bytearray(gallery.path.read_bytes())
    end = len(data) // 4096 * 4096
    data[end - 4096 : end] = b"\x55" * 4096
    gallery.path.write_bytes(data)
    with Gallery.open(gallery.path) as opened, pytest.raises(GalleryError, match="the gallery is damaged"):
        back_up(opened, tmp_path / "backup.db")
    assert list(tmp_path.glob("*backup*")) == []


def test_a_full_disk_leaves_no_half_a_backup(gallery: Gallery, enroll: Enroll, tmp_path: Path) -> None:
    for photo in range(5):
        enroll(gallery, photo)
    disk, saved, prefix = small_disk(tmp_path, "60k")
    answer = kith_process(
        *("gallery", "backup", disk / "backup.db", "-g", gallery.path), program=PROGRAM, prefix=prefix
    )
    assert answer.code != 0
    assert answer.err.splitlines()[0].startswith(f"error: {disk / 'backup.db'}: the disk is full")
    assert list(saved.iterdir()) == []


def test_the_verb(gallery: Gallery, enroll: Enroll, tmp_path: Path) -> None:
    enroll(gallery, 1)
    backup = tmp_path / "backup.db"
    answer = kith("gallery", "backup", backup, "-g", gallery.path, "--json")
    assert answer.json() == {"gallery": str(gallery.path), "backup": str(backup)}
    assert kith("gallery", "backup", backup, "-g", gallery.path).code == 2
    answer = kith("gallery", "backup", backup, "-g", gallery.path, "--force")
    assert (answer.code, answer.out) == (0, f"{backup} is a copy of {gallery.path}\n")
    assert kith("people", "list", "-g", backup).out == "Ada\t1\n"
