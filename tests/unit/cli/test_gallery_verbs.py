"""`kith gallery show`, `prune` and `clean`, and `kith people delete`, on an album of made-up faces."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest
from command_line import kith
from made_up_album import add, enrolled, face_at, template_of, update

from kith.gallery import Album, Gallery, NewReference, cleaning, name_cluster


@pytest.fixture
def album(gallery_path: Path) -> Path:
    """A gallery's file: cluster 1 is Ada's, and cluster 2 has no name; none of the photos is there."""
    with Gallery.open(gallery_path, model_id="test-model") as gallery:
        opened = Album(gallery)
        for photo, people in enumerate([(1, 2), (1,), (2,)]):
            add(opened, photo, *people)
        update(opened)
        name_cluster(opened, 1, "Ada")
    return gallery_path


@contextmanager
def reading(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT * FROM subjects").fetchall()
        yield


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The made-up photos are of no folder: so they are missing here."""
    monkeypatch.chdir(tmp_path)


def test_show(album: Path) -> None:
    answer = kith("gallery", "show", "-g", album)
    assert answer.out == (
        f"{album}: 1 person, 2 references, 3 photos looked through, 4 faces in 2 clusters, model test-model\n"
    )
    assert answer.err == "3 photos gone from the disk; to delete them here too: kith gallery prune --gone\n"
    assert kith("gallery", "show", "-g", album, "--json").json() == {
        "gallery": str(album),
        "model": "test-model",
        "people": 1,
        "references": 2,
        "photos": 3,
        "faces": 4,
        "clusters": 2,
        "gone": ["0.jpg", "1.jpg", "2.jpg"],
        "missing_folders": [],
    }


def test_show_without_an_album(gallery_path: Path) -> None:
    Gallery.open(gallery_path, model_id="test-model").close()
    assert kith("gallery", "show", "-g", gallery_path).out == (
        f"{gallery_path}: 0 people, 0 references, model test-model\n"
    )


def test_prune(album: Path) -> None:
    answer = kith("gallery", "prune", "1.jpg", "--cluster", "2", "-g", album, "--yes")
    assert (answer.code, answer.out) == (2, ""), "1.jpg was not looked through here, but somewhere else"
    answer = kith("gallery", "prune", "--cluster", "2", "--face", "1", "-g", album, "--yes")
    assert answer.out == f"0 photos and 3 faces are gone from {album}\n"
    assert answer.err == "some are references, and are still enrolled, of: Ada\n"
    assert kith("gallery", "prune", "--gone", "-g", album, "--yes", "--json").json() == {
        "gallery": str(album),
        "photos": 3,
        "faces": 1,
        "enrolled": ["Ada"],
        "cleaned": True,
    }


def test_prune_wants_to_know_what(album: Path) -> None:
    answer = kith("gallery", "prune", "-g", album, "--yes")
    assert answer.code == 2
    assert "name" in answer.err


@pytest.mark.parametrize(("reply", "faces"), [(True, 2), (False, 4)])
def test_prune_asks_on_a_terminal(
    album: Path, monkeypatch: pytest.MonkeyPatch, reply: bool, faces: int
) -> None:
    asked: list[str] = []

    def confirm(question: str, **_: object) -> bool:
        asked.append(question)
        return reply

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.confirm", confirm)
    assert kith("gallery", "prune", "--cluster", "2", "-g", album).code == (0 if reply else 2)
    assert asked == [f"Delete 0 photos and 2 faces from {album}?"]
    with Gallery.open(album) as gallery:
        assert Album(gallery).sizes() == (3, faces)


def test_delete_tells_of_all_that_went(album: Path) -> None:
    answer = kith("people", "delete", "Ada", "-g", album, "--yes")
    assert answer.out == f"Ada and 2 references are gone from {album}, and 2 faces of its photos\n"
    assert answer.err == ""


@pytest.fixture
def eve(album: Path) -> float:
    """Eve's photo 0 holds a face of cluster 2; returns her score with the other face of that cluster."""
    other = NewReference(template_of(9, 9), face_at(0), "people/Eve/9.jpg", "hash 9")
    with Gallery.open(album) as gallery:
        gallery.enroll("Eve", [NewReference(template_of(2, 0), face_at(1), "people/Eve/0.jpg", "hash 0")])
        gallery.enroll("Grace", [other])
    return float(np.dot(template_of(2, 0).embedding, template_of(2, 2).embedding))


def test_delete_tells_what_may_be_the_person_s(album: Path, eve: float) -> None:
    answer = kith("people", "delete", "Eve", "-g", album, "--yes")
    assert answer.out == f"Eve and 1 reference are gone from {album}, and 1 face of its photos\n"
    assert answer.err.splitlines() == [
        "1 path of photos with others held the name, and is gone too",
        "1 face without a name may be Eve, and is still there:",
        f"  face 4 of cluster 2, 2.jpg, score {eve:.3f}",
        "look at them: kith cluster --sheet FILE.html; delete them: kith gallery prune --face N",
    ]
    with Gallery.open(album) as gallery:
        assert enrolled(gallery)["Grace"] == [""]


def test_delete_tells_programs_too(album: Path, eve: float) -> None:
    assert kith("people", "delete", "Eve", "-g", album, "--yes", "--json").json() == {
        "name": "Eve",
        "references": 1,
        "faces": 1,
        "photos": 0,
        "paths": 1,
        "may_belong": [{"face": 4, "cluster": 2, "image": "2.jpg", "score": round(eve, 4)}],
        "cleaned": True,
    }


def test_a_reader_makes_no_one_wait(album: Path) -> None:
    with reading(album):
        answer = kith("people", "delete", "Ada", "-g", album, "--yes")
        assert answer.code == 0
        assert "overwritten when the gallery is opened next, or by: kith gallery clean" in answer.err
        busy = kith("gallery", "clean", "-g", album)
        assert (busy.code, busy.out) == (2, "")
        assert "another process uses it" in busy.err
        assert kith("gallery", "clean", "-g", album, "--json").json()["cleaned"] is False
    answer = kith("gallery", "clean", "-g", album)
    assert (answer.code, answer.out) == (0, f"{album}: nothing that was deleted is left in it\n")


def test_a_receipt_for_each(album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleaning, "clean", lambda *_, **__: False)
    assert "kith gallery clean" in kith("gallery", "prune", "--face", "3", "-g", album, "--yes").err
    assert kith("people", "delete", "Ada", "-g", album, "--yes", "--json").json()["cleaned"] is False
