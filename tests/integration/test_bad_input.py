"""Bad luck and bad will: each has its one clear line and exit code, and the gallery is unharmed."""

import json
import os
import random
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest
from command_line import PROGRAM, Answer, finish, kith, kith_process, start
from PIL import Image as PillowImage
from small_disk import small_disk

from kith.sample_people import photos as sample_photos

FLOAT32 = ("--precision", "float32")


@pytest.fixture(scope="session")
def portraits() -> list[Path]:
    """Twelve photos of one face each, of four people."""
    return [photo for photo in sample_photos()[:24] if photo.stem in "123"]


@pytest.fixture(scope="session")
def compiled(portraits: list[Path]) -> None:
    """Models in the cache, so that a test's process does not spend its time on them."""
    assert kith("verify", portraits[0], portraits[0], *FLOAT32).code == 0


@pytest.fixture(scope="session")
def enrolled(portraits: list[Path], compiled: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gallery of one person; not to be changed."""
    path = tmp_path_factory.mktemp("enrolled") / "family.db"
    assert kith("enroll", *portraits[:2], "--name", "Katherine", "-g", path, *FLOAT32).code == 0
    return path


@pytest.fixture
def family(enrolled: Path, tmp_path: Path) -> Path:
    """A copy of that gallery."""
    return Path(shutil.copy(enrolled, tmp_path / "family.db"))


@pytest.fixture
def people(portraits: list[Path], compiled: None, tmp_path: Path) -> Path:
    """A folder of four people with three photos each."""
    for number, photo in enumerate(portraits):
        target = tmp_path / "people" / f"Person {number // 3}" / f"{number:02d}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(photo, target)
    return tmp_path / "people"


@pytest.fixture
def powerless() -> tuple[str, ...]:
    """What a command must begin with so that permissions bind it, also for root."""
    if os.geteuid() != 0:
        return ()
    prefix = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
    if not shutil.which(prefix[0]) or subprocess.run([*prefix, "true"], check=False).returncode:
        pytest.skip("permissions do not bind root, and setpriv cannot make them")
    return prefix


def content(gallery: Path) -> list[str]:
    """All that is in a gallery, which must be whole."""
    with closing(sqlite3.connect(f"file:{gallery}?mode=ro", uri=True)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        return list(connection.iterdump())


def enrolled_photos(gallery: Path) -> Counter[str]:
    """The file names of a gallery's references, which must be complete."""
    content(gallery)
    with closing(sqlite3.connect(f"file:{gallery}?mode=ro", uri=True)) as connection:
        query = 'SELECT source FROM "references" JOIN subjects ON subject_id = subjects.id'
        sources = [row[0] for row in connection.execute(f"{query} WHERE length(embedding) = 4 * 128")]
        assert connection.execute('SELECT count(*) FROM "references"').fetchone() == (len(sources),)
    return Counter(Path(source).name for source in sources)


def require_one_line(answer: Answer, code: int, *parts: str | Path, kind: str = "error") -> None:
    lines = answer.err.splitlines()
    assert len(lines) == 1, answer.err
    assert lines[0].startswith(f"{kind}: ")
    for part in parts:
        assert str(part) in lines[0]
    assert "Traceback" not in answer.err
    assert answer.code == code, answer


# photos


def png_header(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header announces this size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(99))) + chunk(b"IEND", b"")


def _empty(path: Path, portrait: Path) -> None:
    path.touch()


def _text(path: Path, portrait: Path) -> None:
    path.write_text("Dear diary")


def _truncated(path: Path, portrait: Path) -> None:
    path.write_bytes(portrait.read_bytes()[:300])  # less than its tables; of half a photo, that half is used


def _bomb(path: Path, portrait: Path) -> None:
    path.write_bytes(png_header(60_000, 60_000))


def _large(path: Path, portrait: Path) -> None:
    PillowImage.new("1", (11_400, 11_400)).save(path, "PNG", compress_level=1)  # whole, and just too large


def _missing(path: Path, portrait: Path) -> None:
    pass


def _folder(path: Path, portrait: Path) -> None:
    path.mkdir()


BAD_PHOTOS: dict[str, tuple[Callable[[Path, Path], None], str]] = {
    "empty": (_empty, "the file is empty; copy it again"),
    "text": (_text, "not a picture Kith reads (JPEG, PNG, WEBP, BMP, TIFF, GIF"),
    "truncated": (_truncated, "the picture is damaged, copy it again"),
    "bomb": (_bomb, "too large; make it smaller"),
    "large": (_large, "too large; make it smaller (11400x11400 = 130 megapixels, limit of PNG 128)"),
    "missing": (_missing, "no such file"),
    "folder": (_folder, "folder"),
}


@pytest.mark.parametrize("bad", BAD_PHOTOS)
def test_photos_that_cannot_be_read(bad: str, family: Path, portraits: list[Path], tmp_path: Path) -> None:
    make, words = BAD_PHOTOS[bad]
    photo = tmp_path / "사진 one.jpg"
    make(photo, portraits[0])
    before = content(family)
    for command in (
        ("detect", photo),
        ("identify", photo, "-g", family, *FLOAT32),
        ("enroll", photo, "--name", "Ada", "-g", family, *FLOAT32),
        ("embed", photo, "-o", tmp_path / "out.npz", *FLOAT32),
        ("verify", portraits[0], photo, *FLOAT32),
        ("verify", photo, portraits[0], *FLOAT32),
    ):
        require_one_line(kith(*command), 2, photo, words)
    assert content(family) == before


def test_one_bad_photo_among_good_ones(people: Path, tmp_path: Path) -> None:
    (people / "Person 0" / "bad.jpg").write_text("Dear diary")
    gallery = tmp_path / "gallery.db"
    answer = kith("enroll", people, "-g", gallery, *FLOAT32)
    require_one_line(answer, 2, people / "Person 0" / "bad.jpg", "not a picture")
    assert answer.out == f"12 photos enrolled, 1 left out; 4 people in {gallery}\n"
    assert len(enrolled_photos(gallery)) == 12


def noise(path: Path) -> Path:
    values = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    PillowImage.fromarray(values).save(path)
    return path


def two_faces(path: Path, portrait: Path) -> Path:
    with PillowImage.open(portrait) as picture:
        both = PillowImage.new("RGB", (picture.width * 2, picture.height))
        both.paste(picture, (0, 0))
        both.paste(picture, (picture.width, 0))
    both.save(path)
    return path


def test_a_photo_without_a_face(family: Path, tmp_path: Path, portraits: list[Path]) -> None:
    photo, before = noise(tmp_path / "noise.png"), content(family)
    answer = kith("enroll", photo, "--name", "Ada", "-g", family, *FLOAT32)
    require_one_line(answer, 3, photo, "no face found; left out", kind="warning")
    answer = kith("verify", portraits[0], photo, *FLOAT32)
    assert (answer.code, answer.out) == (3, f"undetermined: {photo}: no face found\n")
    answer = kith("identify", photo, "-g", family, *FLOAT32)
    assert (answer.code, answer.out) == (0, f"{photo}\tno face\t\t\t\n")
    answer = kith("embed", photo, "-o", tmp_path / "none.npz", *FLOAT32)
    assert (answer.code, answer.out) == (0, f"0 faces of 1 photo in {tmp_path / 'none.npz'}\n")
    with np.load(tmp_path / "none.npz") as arrays:
        assert arrays["embeddings"].shape == (0, 128)
    assert content(family) == before


def test_two_faces_of_equal_size(family: Path, tmp_path: Path, portraits: list[Path]) -> None:
    photo, before = two_faces(tmp_path / "two.png", portraits[5]), content(family)
    answer = kith("enroll", photo, "--name", "Ada", "-g", family, *FLOAT32)
    require_one_line(answer, 3, photo, "2 faces of similar size found; crop", kind="warning")
    answer = kith("verify", photo, portraits[0], *FLOAT32)
    assert answer.code == 3
    assert answer.out.startswith(f"undetermined: {photo}: 2 faces of similar size")
    assert content(family) == before


def test_a_photo_of_someone_else_already(family: Path, portraits: list[Path]) -> None:
    before = content(family)
    answer = kith("enroll", portraits[0], "--name", "Ada", "-g", family, *FLOAT32)
    require_one_line(answer, 2, portraits[0], "enrolled already, as Katherine")
    assert content(family) == before


@pytest.mark.parametrize(
    "name", ["김민수.jpg", "👩‍🚀.jpg", "two  spaces.jpg", 'it\'s "it".jpg', "[red]x.jpg", "-v.jpg"]
)
def test_photos_of_any_name(name: str, family: Path, portraits: list[Path], tmp_path: Path) -> None:
    photo = Path(shutil.copy(portraits[0], tmp_path / name))
    answer = kith("identify", photo, "-g", family, *FLOAT32)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.split("\t")[::2] == [str(photo), "Katherine", "\n"]


def test_names_of_photos_steer_no_terminal(family: Path, portraits: list[Path], tmp_path: Path) -> None:
    photo = Path(shutil.copy(portraits[0], tmp_path / "a\x1b[31m\nb\tc.jpg"))
    answer = kith("identify", photo, photo.with_name("\x1b]0;x\x07.jpg"), "-g", family, *FLOAT32)
    require_one_line(answer, 2, r"\x1b]0;x\x07.jpg: no such file")
    (line,) = answer.out.splitlines()
    assert line.split("\t")[0] == f"{tmp_path}/" + r"a\x1b[31m\nb\tc.jpg"
    assert "\x1b" not in answer.out + answer.err


def test_a_name_that_is_no_utf8(family: Path, portraits: list[Path], tmp_path: Path) -> None:
    photo = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.jpg"))
    try:
        shutil.copy(portraits[0], photo)
    except OSError:
        pytest.skip("this file system has UTF-8 names only")
    answer = kith_process("identify", photo, "-g", family, "--json", *FLOAT32)
    assert (answer.code, answer.err) == (0, "")
    (entry,) = answer.json()
    assert os.fsencode(entry["image"]) == os.fsencode(photo)
    kith("people", "delete", "Katherine", "--yes", "-g", family)
    enroll = kith("enroll", photo, "--name", "Ada", "-g", family, *FLOAT32)
    assert (enroll.code, enroll.err) == (0, "")
    shown = kith("people", "show", "Ada", "-g", family)
    assert (shown.code, shown.err) == (0, "")
    assert r"\udcff.jpg" in shown.out


# people


def test_unknown_people_are_told_with_close_names(family: Path) -> None:
    before = content(family)
    for command in (
        ("show", "Kathrine"),
        ("rename", "Kathrine", "Ada"),
        ("merge", "Kathrine", "Katherine"),
        ("merge", "Katherine", "Kathrine"),
        ("delete", "Kathrine", "--yes"),
    ):
        answer = kith("people", *command, "-g", family)
        require_one_line(answer, 2, "no person named 'Kathrine'", "did you mean Katherine?")
        assert answer.out == ""
    assert content(family) == before


@pytest.mark.parametrize(
    "name",
    [
        "김민수",
        "👩‍🚀",
        'O\'Brien "Bob"',
        "[red]markup[/red]",
        "../../etc/passwd",
        "--help",
        "a/b\\c",
        "x" * 200,
    ],
)
def test_people_of_any_name(name: str, family: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    answer = kith("people", "rename", "-g", family, "--", "Katherine", name)
    assert (answer.code, answer.out) == (0, f"Katherine is now {name}\n")
    assert kith("people", "list", "-g", family).out == f"{name}\t2\n"
    assert kith("people", "list", "-g", family, "--json").json()["people"][0]["name"] == name
    assert kith("people", "show", "-g", family, "--", name).code == 0
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", ["  ", "\u200d", "a\x1b[31mb", "\u202eevil", "x" * 201])
def test_people_of_no_name(name: str, family: Path, portraits: list[Path]) -> None:
    before = content(family)
    for command in (
        ("enroll", portraits[3], f"--name={name}", *FLOAT32),
        ("people", "rename", "Katherine", name),
        ("people", "show", name),
    ):
        require_one_line(kith(*command, "-g", family), 2, "a person's name must")
    assert content(family) == before


def test_folders_that_are_no_people(people: Path, portraits: list[Path], tmp_path: Path) -> None:
    gallery = tmp_path / "gallery.db"
    (tmp_path / "nothing").mkdir()
    for folder, words in (
        (tmp_path / "nothing", "no photos in it; expected one folder per person"),
        (people / "Person 0", "3 photos, but in no person's folder; expected one folder per person"),
        (tmp_path / "missing", "no such folder"),
        (
            portraits[0],
            "is a file; expected a folder with one folder per person; or say who is on the photos with --name NAME",
        ),
    ):
        require_one_line(kith("enroll", folder, "-g", gallery, *FLOAT32), 2, folder, words)
    require_one_line(
        kith("enroll", tmp_path / "nothing", "--name", "Ada", "-g", gallery, *FLOAT32),
        *(2, tmp_path / "nothing", "no photos in this folder"),
    )
    assert not gallery.exists(), "nothing is begun where there is nobody"
    shutil.copytree(people / "Person 0", people / "bad\x07name")
    answer = kith("enroll", people, "-g", gallery, *FLOAT32)
    require_one_line(answer, 2, r"bad\x07name", "must be printable", "rename the folder")
    assert len(enrolled_photos(gallery)) == 12, "the others are enrolled"


def test_people_without_photos_are_told_and_the_others_enrolled(people: Path, tmp_path: Path) -> None:
    (people / "Nobody").mkdir()
    (people / "Nobody" / "notes.txt").touch()
    (people / ".cache").mkdir()
    answer = kith("enroll", people, "-g", tmp_path / "gallery.db", *FLOAT32)
    require_one_line(answer, 0, people / "Nobody", "no photos in it", "left out", kind="warning")
    assert len(enrolled_photos(tmp_path / "gallery.db")) == 12


# galleries


def _no_database(path: Path) -> None:
    path.write_text("Dear diary, this is not a database.")


def _picture(path: Path) -> None:
    PillowImage.new("RGB", (200, 200)).save(path, "PNG")


def _half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    for position in range(4096, len(data), 97):
        data[position] ^= 0x55
    path.write_bytes(data)


def _execute(*statements: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        with closing(sqlite3.connect(path)) as connection, connection:
            for statement in statements:
                connection.execute(statement)

    return change


def _other_program(path: Path) -> None:
    path.unlink()
    _execute("CREATE TABLE bookmarks (url)", "INSERT INTO bookmarks VALUES ('x')")(path)


def _a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


BAD_GALLERIES: dict[str, tuple[Callable[[Path], None], str]] = {
    "no database": (_no_database, "not a gallery (the file is not a database); choose another file"),
    "picture": (_picture, "not a gallery (the file is not a database); choose another file"),
    "half": (_half, "the gallery is damaged; restore a copy"),
    "flipped bits": (_flipped, "the gallery is damaged; restore a copy"),
    "another program's": (_other_program, "of another program, not a gallery; choose another file"),
    "a newer Kith's": (_execute("PRAGMA user_version = 99"), "newer version of Kith; update Kith"),
    "a folder": (_a_folder, "is a folder, not a gallery; name a file in it"),
    "another model's": (
        _execute("UPDATE settings SET value = 'other-model' WHERE name = 'model_id'"),
        "holds templates of other-model, which cannot be compared with dlib-resnet29's; use",
    ),
}


@pytest.mark.parametrize("bad", BAD_GALLERIES)
def test_galleries_that_cannot_be_used(bad: str, family: Path, portraits: list[Path]) -> None:
    make, words = BAD_GALLERIES[bad]
    make(family)
    before = family.read_bytes() if family.is_file() else b""
    commands = [
        ("identify", portraits[0], "-g", family, *FLOAT32),
        ("enroll", portraits[3], "--name", "Ada", "-g", family, *FLOAT32),
    ]
    if bad != "another model's":
        commands += [
            ("people", "list", "-g", family),
            ("people", "delete", "Katherine", "--yes", "-g", family),
        ]
    for command in commands:
        require_one_line(kith(*command), 2, family, words)
    assert (family.read_bytes() if family.is_file() else b"") == before


def test_a_gallery_that_is_not_there(portraits: list[Path], tmp_path: Path) -> None:
    missing = tmp_path / "no folder" / "family.db"
    for command in (
        ("identify", portraits[0], "-g", missing, *FLOAT32),
        ("people", "list", "-g", missing),
        ("people", "delete", "Ada", "--yes", "-g", missing),
    ):
        require_one_line(kith(*command), 2, missing, "no gallery at", "enroll someone first")
    assert list(tmp_path.iterdir()) == []
    beneath_a_file = portraits[0] / "family.db"
    answer = kith("enroll", portraits[0], "--name", "Ada", "-g", beneath_a_file, *FLOAT32)
    require_one_line(answer, 2, beneath_a_file, "its folder cannot be made")
    assert kith("enroll", portraits[0], "--name", "Ada", "-g", missing, *FLOAT32).code == 0
    assert len(enrolled_photos(missing)) == 1


def test_an_unknown_model(family: Path, portraits: list[Path], tmp_path: Path) -> None:
    answer = kith("enroll", portraits[0], "--name", "Ada", "-g", tmp_path / "new.db", "--model", "nope")
    require_one_line(answer, 2, "unknown model 'nope'; known models: ", "dlib-resnet29")
    assert not (tmp_path / "new.db").exists()


# files that are written


def test_no_photo_is_overwritten(family: Path, portraits: list[Path], tmp_path: Path) -> None:
    photo = Path(shutil.copy(portraits[0], tmp_path / "a.jpg"))
    before = photo.read_bytes()
    for command, words in (
        (
            ("identify", photo, "--annotate", photo, "-g", family, *FLOAT32),
            "would be overwritten; name another",
        ),
        (("detect", photo, "--annotate", photo), "would be overwritten; name another"),
        (("embed", photo, "-o", photo, *FLOAT32), "the output must be named .npz"),
    ):
        require_one_line(kith(*command), 2, photo, words)
    assert photo.read_bytes() == before


COMMANDS = """
import dataclasses, json, sys
from command_line import kith

print(json.dumps([dataclasses.asdict(kith(*command)) for command in json.loads(sys.argv[1])]))
"""


def test_read_only_folder_and_gallery(
    family: Path, portraits: list[Path], tmp_path: Path, powerless: tuple[str, ...]
) -> None:
    """Permissions that bind: the commands run in a process without root's powers."""
    folder = tmp_path / "read-only"
    folder.mkdir()
    gallery = Path(shutil.copy(family, folder / "family.db"))
    new, picture = folder / "new.db", folder / "out.jpg"
    before = content(gallery)

    def run(*commands: tuple[str | Path, ...]) -> list[Answer]:
        words = json.dumps([[str(word) for word in command] for command in commands])
        tests = str(Path(__file__).parents[1])
        answer = kith_process(words, program=COMMANDS, prefix=powerless, PYTHONPATH=tests)
        assert answer.code == 0, answer.err
        return [Answer(**fields) for fields in answer.json()]

    gallery.chmod(0o444)
    folder.chmod(0o555)
    try:
        listed, identified, enrolled, made, annotated = run(
            ("people", "list", "-g", gallery),
            ("identify", portraits[0], "-g", gallery, "--classifier", "centroid", *FLOAT32),
            ("enroll", portraits[3], "--name", "Ada", "-g", gallery, *FLOAT32),
            ("enroll", portraits[3], "--name", "Ada", "-g", new, *FLOAT32),
            ("detect", portraits[3], "--annotate", picture),
        )
        gallery.chmod(0)
        (unreadable,) = run(("people", "list", "-g", gallery))
        folder.chmod(0)
        hidden, hidden_folder = run(("people", "list", "-g", gallery), ("detect", folder))
    finally:
        folder.chmod(0o755)
        gallery.chmod(0o644)
    assert (listed.code, listed.out) == (0, "Katherine\t2\n")
    assert (identified.code, identified.err) == (0, "")
    assert "\tKatherine\t" in identified.out
    require_one_line(enrolled, 2, gallery, "is read-only; make it and its folder writable")
    require_one_line(made, 2, new, "cannot be opened; is its folder there, and writable?")
    require_one_line(annotated, 2, f"{picture}: Permission denied")
    require_one_line(unreadable, 2, gallery, "cannot be opened")
    require_one_line(hidden, 2, gallery, "cannot be opened")
    require_one_line(hidden_folder, 2, folder, "cannot be read (Permission denied)")
    assert content(gallery) == before


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """A disk on which no file can grow beyond a size."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


class TestFullDisk:
    def test_while_enrolling(self, people: Path, tmp_path: Path) -> None:
        gallery = tmp_path / "gallery.db"
        kith("enroll", people / "Person 0", "--name", "Person 0", "-g", gallery, *FLOAT32)
        before = enrolled_photos(gallery)
        with no_file_larger_than(70_000):
            answer = kith("enroll", people, "-g", gallery, *FLOAT32)
        require_one_line(answer, 2, gallery, "disk", "what was acknowledged before is safe")
        after = enrolled_photos(gallery)
        assert before < after, "the next photos found room"
        assert len(after) < 12
        assert set(after.values()) == {1}
        assert kith("enroll", people, "-g", gallery, *FLOAT32).code == 0
        assert sum(enrolled_photos(gallery).values()) == len(enrolled_photos(gallery)) == 12

    def test_of_a_few_kilobytes(self, people: Path, tmp_path: Path) -> None:
        """A file system that is really full."""
        disk, saved, prefix = small_disk(tmp_path, "212k")
        answer = kith_process("enroll", people, "-g", disk / "family.db", *FLOAT32, prefix=prefix)
        require_one_line(answer, 2, disk / "family.db", "disk")
        found = enrolled_photos(saved / "family.db")
        assert 0 < len(found) < 12
        assert set(found.values()) == {1}

    def test_while_writing_answers(self, portraits: list[Path], tmp_path: Path) -> None:
        npz, picture = tmp_path / "faces.npz", tmp_path / "out.jpg"
        npz.write_bytes(b"an older file")
        with no_file_larger_than(300):
            embedded = kith("embed", portraits[0], "-o", npz, *FLOAT32)
            annotated = kith("detect", portraits[0], "--annotate", picture)
        require_one_line(embedded, 2, f"{npz}: File too large")
        require_one_line(annotated, 2, f"{picture}: File too large")
        assert npz.read_bytes() == b"an older file"
        assert list(tmp_path.iterdir()) == [npz]


# interruptions


ENROLL_AND_TELL = f"""
import time
from kith.gallery import Gallery

enroll = Gallery.enroll

def enroll_and_tell(self, name, references):
    subject = enroll(self, name, references)
    print(references[0].source.rpartition("/")[2], flush=True)
    time.sleep(0.1)
    return subject

Gallery.enroll = enroll_and_tell
{PROGRAM}
"""
"""`kith`, telling each photo whose enrolment was acknowledged."""


def wait_for_acknowledgements(process: "subprocess.Popen[str]", count: int) -> list[str]:
    assert process.stdout is not None
    return [process.stdout.readline().strip() for _ in range(count)]


def test_ctrl_c_while_enrolling(people: Path, tmp_path: Path) -> None:
    gallery = tmp_path / "gallery.db"
    process = start("enroll", people, "-g", gallery, *FLOAT32, program=ENROLL_AND_TELL)
    told = wait_for_acknowledgements(process, 3)
    process.send_signal(signal.SIGINT)
    interrupted = finish(process)
    require_one_line(interrupted, 130, "interrupted; what was enrolled stays; run it again to go on")
    found = enrolled_photos(gallery)
    *told_later, summary = interrupted.out.splitlines()
    assert set(told + told_later) <= set(found)
    assert summary.endswith(f" in {gallery}")
    assert len(found) < 12
    answer = kith("enroll", people, "-g", gallery, *FLOAT32)
    assert answer.code == 0
    assert answer.out == (
        f"{12 - len(found)} photos enrolled, {len(found)} already there; 4 people in {gallery}\n"
    )
    assert set(enrolled_photos(gallery).values()) == {1}


def test_kill_while_enrolling(people: Path, tmp_path: Path) -> None:
    gallery = tmp_path / "gallery.db"
    told: list[str] = []
    delays = random.Random(0)
    for _ in range(2):
        process = start("enroll", people, "-g", gallery, *FLOAT32, program=ENROLL_AND_TELL)
        told += wait_for_acknowledgements(process, 1)
        time.sleep(delays.uniform(0, 0.4))
        process.kill()
        told += finish(process).out.split()
        found = enrolled_photos(gallery)
        assert set(told) <= set(found)
        assert set(found.values()) == {1}
    answer = kith("enroll", people, "-g", gallery, *FLOAT32)
    assert (answer.code, answer.err) == (0, "")
    assert sorted(enrolled_photos(gallery)) == [f"{number:02d}.jpg" for number in range(12)]
    assert set(enrolled_photos(gallery).values()) == {1}


def test_two_processes_enroll_the_same_people_at_once(people: Path, tmp_path: Path) -> None:
    gallery = tmp_path / "gallery.db"
    processes = [start("enroll", people, "-g", gallery, "--json", *FLOAT32) for _ in range(2)]
    answers = []
    for process in processes:
        answer = finish(process)
        assert (answer.code, answer.err) == (0, "")
        answers.append(answer.json())
    assert sum(answer["enrolled"] for answer in answers) == 12
    assert all(answer["enrolled"] + answer["already"] == 12 for answer in answers)
    assert set(enrolled_photos(gallery).values()) == {1}


# the cache of compiled models


COMPILE = """
from kith.runtime.prepare import prepare
from kith.catalogue.builtin import DEFAULT_DETECTOR, DETECTORS

for stage in DETECTORS[DEFAULT_DETECTOR].weights.values():
    prepare(stage)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs RLIMIT_FSIZE")
def test_models_are_compiled_on_a_full_disk_by_a_killed_process_and_by_two_at_once(
    portraits: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One test, because importing Keras takes seconds each time."""
    cache = tmp_path / "cache"
    monkeypatch.setenv("KITH_CACHE", str(cache))

    def models() -> dict[str, tuple[int, int]]:
        """What is in the cache, with size and time; partial files are not counted."""
        found = {path.name.split("-")[0]: path.stat() for path in sorted(cache.glob("compiled/*.onnx"))}
        return {name: (stat.st_size, stat.st_mtime_ns) for name, stat in found.items()}

    limited = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000)); {PROGRAM}"
    answer = kith_process("detect", portraits[0], program=limited)
    require_one_line(answer, 0, cache, "set KITH_CACHE to a folder with room", kind="warning")
    assert answer.out, "the models run all the same"
    assert [*models()] == ["pnet"]
    assert len(list((cache / "compiled").iterdir())) == 1, "no partial file is left"

    (cache / "compiled" / ".partial-of-a-killed-process").write_bytes(b"half a model")
    killed = start(program=COMPILE)
    while "rnet" not in models() and killed.poll() is None:
        time.sleep(0.01)
    killed.kill()
    finish(killed)
    assert "rnet" in models()
    for path in cache.glob("compiled/*.onnx"):
        path.write_bytes(path.read_bytes()[:1000])

    processes = [start(program=COMPILE) for _ in range(2)]
    for process in processes:
        answer = finish(process)
        assert (answer.code, answer.err) == (0, "")
    compiled = models()
    assert [*compiled] == ["onet", "pnet", "rnet"]
    third = kith_process(program=COMPILE)
    assert (third.code, third.err) == (0, "")
    assert models() == compiled, "what is there is used as it is"


def test_whoever_looks_like_someone_enrolled_is_told_once(portraits: list[Path], tmp_path: Path) -> None:
    for number, name in enumerate(("Ada", "Augusta", "Grace")):
        (tmp_path / "people" / name).mkdir(parents=True)
        shutil.copy(portraits[(0, 1, 3)[number]], tmp_path / "people" / name / "1.jpg")
    answer = kith("enroll", tmp_path / "people", "-g", tmp_path / "gallery.db", *FLOAT32)
    require_one_line(answer, 0, "Ada looks like Augusta", "kith people merge", kind="warning")


def test_a_full_disk_while_evaluating_loses_nothing_that_was_kept(people: Path, tmp_path: Path) -> None:
    kept = tmp_path / "people.kept"
    command = ("evaluate", "verification", people, "--keep", kept, *FLOAT32)
    with no_file_larger_than(4_000):
        answer = kith(*command)
    require_one_line(answer, 2, kept, "run it again to go on")
    before = kept.read_bytes()
    assert kith(*command).code == 0
    after = kept.read_bytes()
    head = after.index(b"\n") + 1
    record = (len(after) - head) // 12
    whole = head + (len(before) - head) // record * record
    assert whole > head, "some were kept"
    assert after.startswith(before[:whole])
