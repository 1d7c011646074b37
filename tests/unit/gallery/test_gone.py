import os
import sys
from pathlib import Path

import pytest

from kith.gallery.gone import Gone, find_gone


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With a.jpg and b.jpg."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("a.jpg", "b.jpg"):
        (folder / name).touch()
    return folder


def test_what_is_there_is_not_gone(folder: Path) -> None:
    assert find_gone([str(folder / "a.jpg"), str(folder / "b.jpg")]) == Gone((), {})
    assert find_gone([]) == Gone((), {})


def test_a_file_missing_from_its_folder_is_gone(folder: Path) -> None:
    gone = str(folder / "gone.jpg")
    assert find_gone([gone, str(folder / "a.jpg")]) == Gone((gone,), {})


def test_a_folder_that_is_missing_may_be_on_a_disk_that_is_unplugged(folder: Path) -> None:
    disk = folder / "disk"
    photos = [str(disk / "2019" / "1.jpg"), str(disk / "2020" / "a" / "2.jpg"), str(disk / "3.jpg")]
    assert find_gone(photos) == Gone((), {str(disk): 3})


def test_an_empty_folder_may_be_where_a_disk_is_mounted(folder: Path) -> None:
    (folder / "mnt").mkdir()
    assert find_gone([str(folder / "mnt" / "1.jpg")]) == Gone((), {str(folder / "mnt"): 1})


def test_a_file_in_place_of_a_folder(folder: Path) -> None:
    assert find_gone([str(folder / "a.jpg" / "1.jpg")]) == Gone((), {str(folder / "a.jpg"): 1})


@pytest.mark.skipif(sys.platform == "win32" or os.getuid() == 0, reason="needs folders nobody may enter")
def test_a_folder_that_may_not_be_entered_is_not_missing(folder: Path) -> None:
    photo = str(folder / "a.jpg")
    folder.chmod(0)
    try:
        assert find_gone([photo]) == Gone((), {})
    finally:
        folder.chmod(0o700)


@pytest.mark.skipif(sys.platform != "linux", reason="needs names of files that are no UTF-8")
def test_names_that_are_no_utf_8(tmp_path: Path) -> None:
    folder = tmp_path / "caf\udce9"
    folder.mkdir()
    (folder / "gar\udce7on.jpg").touch()
    stored = str(folder / "gar\udce7on.jpg").encode(errors="backslashreplace").decode()
    assert find_gone([stored]) == Gone((), {})
    gone = stored.replace("gar", "far")
    assert find_gone([gone]) == Gone((gone,), {})
