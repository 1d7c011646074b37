import sqlite3
import unicodedata
from contextlib import closing
from pathlib import Path

import pytest

from kith.gallery.paths import NamesInPaths, rough_pattern


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("Ada", "/photos/Ada/1.jpg"),
        ("Ada", "/photos/2019/ada_1.jpg"),
        ("Ada", "/photos/ADA1.jpg"),
        ("Ada", "C:\\photos\\Ada\\1.jpg"),
        ("Wei Li", "/lfw/Wei_Li/Wei_Li_0001.jpg"),
        ("Wei Li", "/photos/wei-li.jpg"),
        ("Jean-Luc", "/photos/Jean Luc/1.jpg"),
        ("Zoë", unicodedata.normalize("NFD", "/photos/Zoë/1.jpg")),
        ("Zoë", "/photos/ZOË.jpg"),
        ("영희", "/사진/영희생일.jpg"),
        ("O'Neil", "/photos/o'neil.jpg"),
        ("Ada", "/photos/Adam and Ada.jpg"),
    ],
)
def test_a_name_is_found(name: str, path: str) -> None:
    assert NamesInPaths([name]).within(path)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("Ada", "/photos/Adam/1.jpg"),
        ("Ada", "/photos/Canada/1.jpg"),
        ("Wei Li", "/photos/Wei/Li/1.jpg"),
        ("Ada", ""),
    ],
)
def test_parts_of_words_are_no_names(name: str, path: str) -> None:
    assert not NamesInPaths([name]).within(path)


def test_the_longer_name_of_another_person_is_not_this_one() -> None:
    names = NamesInPaths(["Ada"], ["Ada Lovelace", "Grace"])
    assert not names.within("/photos/Ada Lovelace/1.jpg")
    assert names.within("/photos/Ada Lovelace/with Ada.jpg")
    assert NamesInPaths(["Ada"], ["Grace"]).within("/photos/Ada Lovelace/1.jpg")


def test_the_home_folder_is_the_name_of_an_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/accounts/Ada")
    monkeypatch.setattr(Path, "home", lambda: Path("/accounts/Ada"))
    assert not NamesInPaths(["Ada"]).within("/accounts/Ada/photos/1.jpg")
    assert NamesInPaths(["Ada"]).within("/accounts/Ada/photos/Ada/1.jpg")
    assert NamesInPaths(["Ada"]).within("/mnt/accounts/Ada/photos/1.jpg")


def test_former_names_count() -> None:
    assert NamesInPaths(["Wei Li", "Wei"]).within("/people/Wei/1.jpg")


def test_a_name_of_signs_only_is_in_no_path() -> None:
    assert not NamesInPaths(["-", "_ ."]).within("/photos/party-1.jpg")
    assert NamesInPaths(["-", "Ada"]).within("/photos/Ada-1.jpg")


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("Ada", "/photos/ADA1.jpg"),
        ("Wei Li", "/lfw/wei_li/1.jpg"),
        ("Jean-Luc", "/photos/Jean Luc/1.jpg"),
        ("100% Ada_", "/photos/100%_ada.jpg"),
        ("O'Neil", "/photos/o'neil.jpg"),
        ("a[b]*?", "/photos/A[B]*?.jpg"),
    ],
)
def test_the_rough_pattern_misses_none(name: str, path: str) -> None:
    assert NamesInPaths([name]).within(path)
    with closing(sqlite3.connect(":memory:")) as connection:
        assert connection.execute("SELECT ? LIKE ?", (path, rough_pattern(name))).fetchone() == (1,)
        assert connection.execute("SELECT '/photos/1.jpg' LIKE ?", (rough_pattern(name),)).fetchone() == (0,)
