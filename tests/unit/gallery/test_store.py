import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from command_line import finish

from kith.errors import GalleryError
from kith.gallery import Gallery, NewReference, migrations, opening
from kith.records import Face, Template


@pytest.fixture
def filled(gallery_path: Path, make_template: Callable[[int], Template], face: Face) -> Path:
    """A closed gallery with one reference."""
    with Gallery.open(gallery_path, model_id="test-model") as gallery:
        gallery.enroll("Ada", [NewReference(make_template(1), face, "1.jpg", "hash 1")])
    return gallery_path


def pragma(path: Path, name: str) -> object:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]


def test_the_settings_that_keep_what_was_acknowledged(gallery: Gallery) -> None:
    with gallery.engine.connect() as connection:
        for name, value in {
            "journal_mode": "wal",
            "synchronous": 2,  # FULL
            "foreign_keys": 1,
            "secure_delete": 1,
            "application_id": opening.APPLICATION_ID,
            "user_version": migrations.VERSION,
        }.items():
            assert connection.exec_driver_sql(f"PRAGMA {name}").scalar() == value, name


def test_a_closed_gallery_is_one_file(filled: Path) -> None:
    assert [path.name for path in filled.parent.iterdir()] == [filled.name]


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("CREATE TABLE x (y)", "of another program, not a gallery; choose another file"),
        ("PRAGMA application_id = 7", "of another program"),
        ("PRAGMA user_version = 7", "of another program"),
    ],
)
def test_the_database_of_another_program_is_left_alone(
    gallery_path: Path, statement: str, message: str
) -> None:
    with closing(sqlite3.connect(gallery_path)) as connection, connection:
        connection.execute(statement)
    before = gallery_path.read_bytes()
    for create in (True, False):
        with pytest.raises(GalleryError, match=message):
            Gallery.open(gallery_path, model_id="test-model", create=create)
    assert gallery_path.read_bytes() == before
    assert list(gallery_path.parent.iterdir()) == [gallery_path]


def test_a_gallery_of_a_newer_kith_is_left_alone(filled: Path) -> None:
    with closing(sqlite3.connect(filled)) as connection, connection:
        connection.execute(f"PRAGMA user_version = {migrations.VERSION + 1}")
    with pytest.raises(GalleryError, match="newer version of Kith; update Kith"):
        Gallery.open(filled)


@pytest.mark.parametrize("content", [b"short", b"long enough to hold a header" * 100, b"\x89PNG" * 500])
def test_what_is_no_database_is_left_alone(gallery_path: Path, content: bytes) -> None:
    gallery_path.write_bytes(content)
    with pytest.raises(GalleryError, match="the file is not a database"):
        Gallery.open(gallery_path, model_id="test-model")
    assert gallery_path.read_bytes() == content


def test_a_folder_is_no_gallery(tmp_path: Path) -> None:
    with pytest.raises(GalleryError, match="is a folder, not a gallery"):
        Gallery.open(tmp_path, model_id="test-model")


def test_a_folder_that_is_missing_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(GalleryError, match="cannot be opened; is its folder there"):
        Gallery.open(tmp_path / "missing" / "gallery.db", model_id="test-model")
    assert not (tmp_path / "missing").exists()


@pytest.mark.parametrize("size", [50, 1000, 4096, 8192, 20000])
def test_a_truncated_gallery_is_told(filled: Path, size: int) -> None:
    filled.write_bytes(filled.read_bytes()[:size])
    with pytest.raises(GalleryError, match="is damaged; restore a copy"), Gallery.open(filled) as gallery:
        gallery.subjects()
        gallery.references()


def test_a_table_that_is_missing_is_damage(filled: Path) -> None:
    with closing(sqlite3.connect(filled)) as connection, connection:
        connection.execute('DROP TABLE "references"')
    with pytest.raises(GalleryError, match="is damaged; restore a copy .*table references"):
        Gallery.open(filled)


def test_a_setting_that_is_missing_is_damage(filled: Path) -> None:
    with closing(sqlite3.connect(filled)) as connection, connection:
        connection.execute("DELETE FROM settings")
    with pytest.raises(GalleryError, match="is damaged; restore a copy"):
        Gallery.open(filled)


def test_flipped_bits_bring_out_gallery_errors_only(filled: Path) -> None:
    whole = filled.read_bytes()
    refused = 0
    for position in range(0, len(whole), 331):
        damaged = bytearray(whole)
        for offset in range(position, min(position + 24, len(whole))):
            damaged[offset] ^= 0x5A
        filled.write_bytes(damaged)
        try:
            with Gallery.open(filled) as gallery:
                gallery.subjects()
                gallery.references()
        except GalleryError:
            refused += 1
    assert refused > 3


@pytest.mark.parametrize(
    "name", ["with space.db", "we?ird #%20 [x].db", "갤러리.db", ":memory:", "file:x.db?mode=memory"]
)
def test_any_file_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, filled: Path, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    with Gallery.open(name, model_id="test-model"):
        pass
    assert pragma(tmp_path / name, "application_id") == opening.APPLICATION_ID
    shutil.copy(filled, tmp_path / name)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with Gallery.open(name) as gallery:
        assert [summary.subject.name for summary in gallery.subjects()] == ["Ada"]


class TestReadOnly:
    """A gallery that may not be written; permissions do not bind root, so `os.access` says it."""

    @pytest.fixture(autouse=True)
    def read_only(self, filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "access", lambda path, mode: False)

    def test_is_read_and_not_changed(
        self, filled: Path, make_template: Callable[[int], Template], face: Face
    ) -> None:
        before = filled.read_bytes()
        with Gallery.open(filled, model_id="test-model") as gallery:
            revision = gallery.references().revision
            gallery.save_classifier("svm", revision, {})  # what cannot be kept is done without
            for refused in (
                lambda: gallery.enroll("Grace", [NewReference(make_template(2), face, "", "hash 2")]),
                lambda: gallery.delete("Ada"),
                lambda: gallery.rename("Ada", "Grace"),
            ):
                with pytest.raises(GalleryError, match="is read-only; make it and its folder writable"):
                    refused()
            assert [summary.subject.name for summary in gallery.subjects()] == ["Ada"]
        assert filled.read_bytes() == before
        assert list(filled.parent.iterdir()) == [filled]

    def test_shows_what_a_writer_has_just_committed(
        self, filled: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with closing(sqlite3.connect(filled)) as writer:
            with writer:
                writer.execute("UPDATE subjects SET name = 'Augusta'")
            assert Path(f"{filled}-wal").stat().st_size, "it is in the log only"
            with Gallery.open(filled) as gallery:
                assert [summary.subject.name for summary in gallery.subjects()] == ["Augusta"]


MAKER = """
import sys
import numpy as np
from kith.gallery import Gallery, NewReference
from kith.records import Face, Template

path, process, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
face = Face(np.zeros(4, np.float32), np.zeros((5, 2), np.float32), 1.0)
print("ready", flush=True)
sys.stdin.readline()
with Gallery.open(path, model_id="test-model") as gallery:
    for photo in range(count):
        template = Template(np.eye(8, dtype=np.float32)[photo % 8], "test-model")
        gallery.enroll(f"Person {photo % 3}", [NewReference(template, face, "", f"{process} {photo}")])
        print(f"{process} {photo}", flush=True)
"""


def start(path: Path, process: int, count: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", MAKER, str(path), str(process), str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def go(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def enrolled(path: Path) -> list[str]:
    """The photos in a gallery, which must be whole."""
    assert pragma(path, "integrity_check") == "ok"
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        query = 'SELECT source_hash FROM "references" WHERE length(embedding) = 32 ORDER BY id'
        return [row[0] for row in connection.execute(query)]


def test_processes_that_make_one_gallery_at_once_lose_nothing(gallery_path: Path) -> None:
    processes = [start(gallery_path, process, 8) for process in range(3)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        go(process)
    for process in processes:
        answer = finish(process)
        assert (answer.code, answer.err) == (0, "")
    assert sorted(enrolled(gallery_path)) == sorted(f"{p} {photo}" for p in range(3) for photo in range(8))


def test_a_killed_process_loses_nothing_acknowledged(gallery_path: Path) -> None:
    acknowledged: list[str] = []
    for rounds, kill_after in enumerate((1, 2, 5, 11)):
        process = start(gallery_path, rounds, 1000)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        go(process)
        for _ in range(kill_after):
            acknowledged.append(process.stdout.readline().strip())
        process.kill()  # in the middle of whatever it does now
        acknowledged += finish(process).out.splitlines()
        found = enrolled(gallery_path)
        assert set(acknowledged) <= set(found)
        assert len(found) <= len(acknowledged) + rounds + 1, "at most one more was in flight in each round"
    assert len(acknowledged) >= 19


def test_many_galleries_made_by_several_at_once(tmp_path: Path) -> None:
    """Whoever comes second meets an empty file or a whole gallery, and waits for no answer in vain."""
    at_once = 4
    barrier = threading.Barrier(at_once)

    def open_all(_worker: int) -> None:
        for number in range(100):
            barrier.wait(timeout=60)
            try:
                Gallery.open(tmp_path / f"{number}.db", model_id="test-model").close()
            except GalleryError:
                barrier.abort()
                raise

    with ThreadPoolExecutor(at_once) as pool:
        outcomes = [pool.submit(open_all, worker) for worker in range(at_once)]
        errors = [error for outcome in outcomes if (error := outcome.exception())]
    assert [error for error in errors if not isinstance(error, threading.BrokenBarrierError)] == []
