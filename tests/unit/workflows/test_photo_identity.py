"""A photo is named by its file: another decoder, that makes other pixels of it, makes no photo new."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import numpy as np
import pytest
from made_up_album import face_at, template_of
from PIL import Image as PillowImage

from kith.gallery import Album, Gallery, NewFace, NewReference, PhotoFile, name_cluster
from kith.images import reading
from kith.images.reading import content_hash, load_photo
from kith.records import Face, Image
from kith.workflows.albums import find_moved, look_through
from kith.workflows.reembedding import migrate


class FakeRecognizer:
    """Finds one face in every photo, in the same place."""

    model_id = "other-model"
    calibration = SimpleNamespace(recognizability=lambda embedding: None)

    def detect(self, image: Image) -> list[Face]:
        return [face_at(0)]

    def align(self, image: Image, faces: list[Face]) -> np.ndarray:
        return np.zeros((len(faces), 8, 8, 3), np.uint8)

    def embed(self, crops: np.ndarray) -> np.ndarray:
        return np.repeat(template_of(7, 7).embedding[np.newaxis], len(crops), axis=0)

    def template(self, embedding: np.ndarray) -> object:
        return replace(template_of(7, 7), model_id=self.model_id)


class NobodyFound(FakeRecognizer):
    def detect(self, image: Image) -> list[Face]:
        return []


@contextmanager
def another_decoder() -> Iterator[None]:
    decode = reading._decode

    def decode_otherwise(*arguments: object) -> reading.Photo:
        photo = decode(*arguments)
        return replace(photo, image=photo.image ^ 1)

    with patch.object(reading, "_decode", decode_otherwise):
        yield


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photos" / "1.png"
    path.parent.mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (120, 120, 3), np.uint8)
    PillowImage.fromarray(pixels).save(path)
    return path


@pytest.fixture
def as_of_before(gallery: Gallery) -> Callable[[], None]:
    """Makes a gallery know photos by their pixels only, as before version 5."""

    def forget() -> None:
        with closing(sqlite3.connect(gallery.path)) as connection, connection:
            connection.execute("UPDATE \"references\" SET file_hash = ''")
            connection.execute("UPDATE photos SET file_hash = ''")

    return forget


def touch(path: Path) -> None:
    """Make a file look as if it had changed."""
    os.utime(path, ns=(1, path.stat().st_mtime_ns + 1))


def enroll(gallery: Gallery, name: str, photo: Path) -> None:
    read = load_photo(photo)
    reference = NewReference(
        template_of(1, 1), face_at(0), str(photo), content_hash(read.image), read.file_hash
    )
    gallery.enroll(name, [reference])


def owners(gallery: Gallery, photo: Path) -> list[str]:
    read = load_photo(photo)
    return [subject.name for subject in gallery.owners(content_hash(read.image), read.file_hash)]


def test_a_photo_of_the_album(gallery: Gallery, photo: Path) -> None:
    album = Album(gallery)
    assert look_through(NobodyFound(), album, photo).new
    touch(photo)
    with another_decoder():
        assert not look_through(NobodyFound(), album, photo).new
    assert album.sizes() == (1, 0)


def test_a_photo_of_an_album_of_before(
    gallery: Gallery, photo: Path, as_of_before: Callable[[], None]
) -> None:
    album = Album(gallery)
    look_through(NobodyFound(), album, photo)
    as_of_before()
    touch(photo)
    assert not look_through(NobodyFound(), album, photo).new, "told by its pixels"
    touch(photo)
    with another_decoder():
        assert not look_through(NobodyFound(), album, photo).new, "and from now on by its file"
    assert album.sizes() == (1, 0)


def test_a_photo_that_moved(gallery: Gallery, photo: Path) -> None:
    album = Album(gallery)
    look_through(NobodyFound(), album, photo)
    moved = photo.rename(photo.with_name("2.png"))
    with another_decoder():
        find_moved(album)
    assert [file.source for file in album.files()] == [str(moved)]


def test_another_photo_in_its_place(gallery: Gallery, photo: Path) -> None:
    album = Album(gallery)
    look_through(NobodyFound(), album, photo)
    PillowImage.new("RGB", (90, 90), "red").save(photo)
    assert look_through(NobodyFound(), album, photo).new
    assert album.sizes() == (1, 0)


def test_a_reference(gallery: Gallery, photo: Path) -> None:
    enroll(gallery, "Ada", photo)
    with another_decoder():
        assert owners(gallery, photo) == ["Ada"]


def test_a_reference_of_before(gallery: Gallery, photo: Path, as_of_before: Callable[[], None]) -> None:
    enroll(gallery, "Ada", photo)
    as_of_before()
    with another_decoder():
        assert owners(gallery, photo) == []
    assert owners(gallery, photo) == ["Ada"], "told by its pixels"
    with another_decoder():
        assert owners(gallery, photo) == ["Ada"], "and from now on by its file"


def test_an_array_is_named_by_its_pixels(gallery: Gallery, photo: Path) -> None:
    enroll(gallery, "Ada", photo)
    pixels = content_hash(load_photo(photo).image)
    assert [subject.name for subject in gallery.owners(pixels)] == ["Ada"]
    assert load_photo(load_photo(photo).image).file_hash == ""
    assert gallery.owners("other pixels") == []


def test_the_album_s_face_of_a_reference_is_deleted_with_the_person(gallery: Gallery, photo: Path) -> None:
    album, read = Album(gallery), load_photo(photo)
    enroll(gallery, "Ada", photo)
    file = PhotoFile(str(photo), 1, 1, read.file_hash)
    with another_decoder():
        other_pixels = content_hash(load_photo(photo).image)
    album.add(file, other_pixels, [NewFace(face_at(0), template_of(1, 1), "", b"")])
    assert gallery.delete("Ada").faces == 1


def test_a_face_that_is_a_reference_is_not_enrolled_again(gallery: Gallery, photo: Path) -> None:
    album, read = Album(gallery), load_photo(photo)
    enroll(gallery, "Ada", photo)
    file = PhotoFile(str(photo), 1, 1, read.file_hash)
    album.add(file, "other pixels", [NewFace(face_at(0), template_of(1, 1), "", b"")])
    one = np.zeros(1, np.int64)
    album.save(album.faces(), one, one, np.full(1, 0.5))
    named = name_cluster(album, 1, "Ada")
    assert (named.enrolled, named.already) == (0, 1)


@pytest.mark.parametrize("before", [False, True])
def test_reembedding(gallery: Gallery, photo: Path, before: bool, as_of_before: Callable[[], None]) -> None:
    enroll(gallery, "Ada", photo)
    if before:
        as_of_before()
        assert migrate(gallery, FakeRecognizer()) == []
        with another_decoder():
            assert owners(gallery, photo) == ["Ada"], "its file was seen"
        return
    with another_decoder():
        assert migrate(gallery, FakeRecognizer()) == []
    assert gallery.model_id == "other-model"


def test_reembedding_finds_a_moved_photo(gallery: Gallery, photo: Path, tmp_path: Path) -> None:
    enroll(gallery, "Ada", photo)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    photo.rename(elsewhere / "2.png")
    with another_decoder():
        assert migrate(gallery, FakeRecognizer(), photos=elsewhere) == []
    assert gallery.model_id == "other-model"


def test_reembedding_takes_no_other_photo(gallery: Gallery, photo: Path) -> None:
    enroll(gallery, "Ada", photo)
    PillowImage.new("RGB", (90, 90), "red").save(photo)
    (left,) = migrate(gallery, FakeRecognizer())
    assert "or was changed" in left.reason
