"""A folder is searched by content, and nothing but hidden entries and notes is passed over in silence."""

import io
import os
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from kith.errors import ImageError
from kith.images.photo_files import FoundPhotos, describe_left_out, find_photos, folders_in

HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200)
MOVIE = b"\0\0\0\x14ftypqt  \0\0\0\0qt  " + bytes(200)
RAW = b"II*\0\x08\0\0\0" + bytes(200)  # Nikon's begin as any TIFF does


def picture(kind: str = "JPEG") -> bytes:
    buffer = io.BytesIO()
    PillowImage.new("RGB", (4, 4)).save(buffer, kind)
    return buffer.getvalue()


def write(folder: Path, **files: bytes) -> None:
    for name, content in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def names(folder: Path, found: FoundPhotos) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in found.photos]


@pytest.fixture(autouse=True)
def no_heif(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kith.images.formats.find_spec", lambda name: None)


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "locked"
    folder.mkdir()
    folder.chmod(0)
    yield folder
    folder.chmod(0o700)


def test_a_photo_is_told_by_its_content(tmp_path: Path) -> None:
    jpeg = picture()
    files = {
        name: picture(kind)
        for name, kind in {
            "a/scan.jfif": "JPEG", "a/3d.mpo": "MPO", "a/IMG_2041": "JPEG", "b/old.jpg.bak": "JPEG",
            "b/x.tiff": "TIFF", "c.PNG": "PNG", "really_png.jpg": "PNG", "w.webp": "WEBP",
        }.items()
    }  # fmt: skip
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    found = find_photos(tmp_path)
    assert names(tmp_path, found) == sorted(files, key=lambda name: Path(name).parts)
    assert not found.left_out and not found.unreadable
    assert jpeg.startswith(b"\xff\xd8\xff")


def test_what_is_no_photo_is_counted_by_suffix(tmp_path: Path) -> None:
    for name, content in {
        "IMG_1.HEIC": HEIC, "IMG_2.HEIC": HEIC, "IMG_3.MOV": MOVIE, "sub/IMG_4.heic": HEIC, "wrong.jpg": HEIC,
        "DSC_1.NEF": RAW, "README": b"hello", "paper.pdf": b"%PDF-1.7", "odd.name with spaces": b"x", "a.jpg": picture(),
    }.items():  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    found = find_photos(tmp_path)
    assert names(tmp_path, found) == ["a.jpg"]
    assert found.left_out == {
        ".HEIC": 2, ".MOV": 1, ".heic": 1, ".jpg (HEIC)": 1, ".NEF": 1, "no suffix": 2, ".pdf": 1
    }  # fmt: skip
    assert describe_left_out(found) == (
        "2 .HEIC, 2 no suffix, 1 .MOV, 1 .NEF, 1 .heic, 1 .jpg (HEIC), 1 .pdf left out; "
        "HEIC is read after: pip install 'kith[heif]'"
    )


def test_heic_is_a_photo_where_it_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kith.images.formats.find_spec", lambda name: object())
    (tmp_path / "a.HEIC").write_bytes(HEIC)
    found = find_photos(tmp_path)
    assert names(tmp_path, found) == ["a.HEIC"]
    assert describe_left_out(found) == ""


def test_what_is_called_a_picture_and_is_damaged_is_left_to_its_reader(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "zeros.png").write_bytes(bytes(100))
    assert names(tmp_path, find_photos(tmp_path)) == ["empty.jpg", "zeros.png"]


def test_hidden_entries_and_notes_are_no_ones_photos(tmp_path: Path) -> None:
    for name in (".hidden.jpg", "._a.jpg", ".thumbs/y.jpg", "@eaDir/a.jpg", "#recycle/b.jpg", "Thumbs.db"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(picture())
    for name in ("a.xmp", "a.jpg.json", "IMG_1.AAE", "notes.txt"):
        (tmp_path / name).write_bytes(b"note")
    assert find_photos(tmp_path) == FoundPhotos((), {}, ())


def test_one_unreadable_folder_does_not_stop_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "locked", "z"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.jpg").write_bytes(picture())
    scan = os.scandir

    def refuse(path: Path) -> object:  # root may enter a folder of mode 0
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = find_photos(tmp_path)
    assert names(tmp_path, found) == ["a/1.jpg", "z/1.jpg"]
    assert found.unreadable == ((tmp_path / "locked", "Permission denied"),)


def test_folders_that_are_meant_to_be_looked_at(tmp_path: Path) -> None:
    for name in ("b", "a", ".hidden", "@eaDir"):
        (tmp_path / name).mkdir()
    (tmp_path / "c.jpg").touch()
    assert folders_in(tmp_path) == [tmp_path / "a", tmp_path / "b"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may enter every folder")
def test_a_locked_folder(tmp_path: Path, locked: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(picture())
    found = find_photos(tmp_path)
    assert names(tmp_path, found) == ["a.jpg"]
    assert found.unreadable == ((locked, "Permission denied"),)


def test_links(tmp_path: Path) -> None:
    real, album = tmp_path / "disk", tmp_path / "album"
    real.mkdir()
    album.mkdir()
    (real / "a.jpg").write_bytes(picture())
    (album / "linked").symlink_to(real)
    (album / "loop").symlink_to(album)
    (album / "self").symlink_to(album / "self")
    (album / "gone.jpg").symlink_to(tmp_path / "nothing.jpg")
    (album / "one.jpg").symlink_to(real / "a.jpg")
    found = find_photos(album)
    assert names(album, found) == ["linked/a.jpg", "one.jpg"]
    assert [path.name for path, _ in found.unreadable] == ["gone.jpg", "self"]
    assert dict(found.unreadable)[album / "gone.jpg"] == "a link to nothing"


def test_a_folder_keeps_its_own_path_where_a_link_leads_to_it_too(tmp_path: Path) -> None:
    (tmp_path / "z").mkdir()
    (tmp_path / "z" / "a.jpg").write_bytes(picture())
    (tmp_path / "a").symlink_to(tmp_path / "z")
    assert names(tmp_path, find_photos(tmp_path)) == ["z/a.jpg"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_pipes_and_sockets_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(tmp_path)  # a socket's path must be short
        server.bind("s.jpg")
        os.chdir(here)
    found: list[FoundPhotos] = []
    thread = threading.Thread(target=lambda: found.append(find_photos(tmp_path)), daemon=True)
    thread.start()
    thread.join(20)
    assert found[0].left_out == {"no regular file": 2}


def test_a_name_that_is_no_utf8(tmp_path: Path) -> None:
    try:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.jpg")).write_bytes(picture())
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/a.\xff\xfe")).write_bytes(b"x")
    except OSError:
        pytest.skip("this file system has UTF-8 names only")
    found = find_photos(tmp_path)
    assert [os.fsencode(path.name) for path in found.photos] == [b"\xff.jpg"]
    assert found.left_out == {"no suffix": 1}, "can be printed"


def test_what_vanishes_meanwhile_is_not_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()
    for name in ("b.jpg", "a/c.jpg"):
        (tmp_path / name).write_bytes(picture())
    stat = Path.stat

    def vanish(self: Path, **options: bool) -> os.stat_result:
        if self.name == "b.jpg":
            self.unlink(missing_ok=True)
            shutil.rmtree(tmp_path / "a", ignore_errors=True)
        return stat(self, **options)

    monkeypatch.setattr(Path, "stat", vanish)
    found = find_photos(tmp_path)
    assert found.unreadable == ()
    assert set(names(tmp_path, found)) <= {"a/c.jpg"}


def test_no_folder(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    for path in (tmp_path / "missing", tmp_path / "a.jpg", tmp_path / "nul\0"):
        with pytest.raises(ImageError, match="the folder cannot be read"):
            find_photos(path)
    for path in ("", "  "):
        with pytest.raises(ImageError, match="an empty path names no folder"):
            find_photos(path)


def test_the_fixture_makes_pictures() -> None:
    assert np.asarray(PillowImage.open(io.BytesIO(picture()))).shape == (4, 4, 3)
