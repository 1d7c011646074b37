"""A photo is named by its file: another decoder, that makes other pixels of it, makes no photo new."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from fakes import MODEL, fake_recognizer, paint
from made_up_album import template_of

from kith.gallery import Album, Gallery, NewFace, NewReference, PhotoFile, name_cluster
from kith.images import reading
from kith.images.reading import content_hash, load_photo
from kith.workflows.albums import find_moved, look_through
from kith.workflows.enrolling import EnrolledPhotos, enroll_photos
from kith.workflows.people_folders import PersonPhoto
from kith.workflows.reembedding import reembed


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
    return paint(tmp_path / "photos" / "1.png", 1)


@pytest.fixture
def album(gallery_path: Path) -> Iterator[Album]:
    with Gallery.open(gallery_path, model_id=MODEL) as opened:
        yield Album(opened)


@pytest.fixture
def as_of_before(gallery_path: Path) -> Callable[[], None]:
    """Makes a gallery know photos by their pixels only, as before version 5."""

    def forget() -> None:
        with closing(sqlite3.connect(gallery_path)) as connection, connection:
            connection.execute("UPDATE \"references\" SET file_hash = ''")
            connection.execute("UPDATE photos SET file_hash = ''")

    return forget


def touch(path: Path) -> None:
    """Make a file look as if it had changed."""
    os.utime(path, ns=(1, path.stat().st_mtime_ns + 1))


def enroll(gallery: Gallery, name: str, photo: Path) -> None:
    read = load_photo(photo)
    reference = NewReference(
        template_of(1, 1),
        fake_recognizer().detect(read.image)[0],
        str(photo),
        content_hash(read.image),
        read.file_hash,
    )
    gallery.enroll(name, [reference])


def owners(gallery: Gallery, photo: Path) -> list[str]:
    read = load_photo(photo)
    return [subject.name for subject in gallery.owners(content_hash(read.image), read.file_hash)]


def test_a_photo_of_the_album(album: Album, photo: Path) -> None:
    assert look_through(fake_recognizer(), album, photo).new
    touch(photo)
    with another_decoder():
        assert not look_through(fake_recognizer(), album, photo).new
    assert album.sizes() == (1, 1)


def test_a_photo_of_an_album_of_before(album: Album, photo: Path, as_of_before: Callable[[], None]) -> None:
    look_through(fake_recognizer(), album, photo)
    as_of_before()
    touch(photo)
    assert not look_through(fake_recognizer(), album, photo).new, "told by its pixels"
    touch(photo)
    with another_decoder():
        assert not look_through(fake_recognizer(), album, photo).new, "and from now on by its file"
    assert album.sizes() == (1, 1)


def test_a_photo_that_moved(album: Album, photo: Path) -> None:
    look_through(fake_recognizer(), album, photo)
    moved = photo.rename(photo.with_name("2.png"))
    with another_decoder():
        find_moved(album)
    assert [file.source for file in album.files()] == [str(moved)]


def test_another_photo_in_its_place(album: Album, photo: Path) -> None:
    look_through(fake_recognizer(), album, photo)
    paint(photo, 2)
    assert look_through(fake_recognizer(), album, photo).new
    assert album.sizes() == (1, 1)


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


def test_a_photo_is_enrolled_once(album: Album, photo: Path) -> None:
    def outcomes() -> list[tuple[int, int]]:
        found = [EnrolledPhotos(list(enroll_photos([PersonPhoto("Ada", photo)], album.gallery, recognizer)))]
        return [(len(one.enrolled), one.already) for one in found]

    recognizer = fake_recognizer()
    assert outcomes() == [(1, 0)]
    with another_decoder():
        assert outcomes() == [(0, 1)]


def test_an_array_is_named_by_its_pixels(gallery: Gallery, photo: Path) -> None:
    enroll(gallery, "Ada", photo)
    pixels = content_hash(load_photo(photo).image)
    assert [subject.name for subject in gallery.owners(pixels)] == ["Ada"]
    assert load_photo(load_photo(photo).image).file_hash == ""
    assert gallery.owners("other pixels") == []


def test_the_album_s_face_of_a_reference_is_deleted_with_the_person(gallery: Gallery, photo: Path) -> None:
    album, read = Album(gallery), load_photo(photo)
    enroll(gallery, "Ada", photo)
    (face,) = fake_recognizer().detect(read.image)
    file = PhotoFile(str(photo), 1, 1, read.file_hash)
    with another_decoder():
        other_pixels = content_hash(load_photo(photo).image)
    album.add(file, other_pixels, [NewFace(face, template_of(1, 1), "", b"")])
    assert gallery.delete("Ada").faces == 1


def test_a_face_that_is_a_reference_is_not_enrolled_again(gallery: Gallery, photo: Path) -> None:
    album, read = Album(gallery), load_photo(photo)
    enroll(gallery, "Ada", photo)
    (face,) = fake_recognizer().detect(read.image)
    file = PhotoFile(str(photo), 1, 1, read.file_hash)
    album.add(file, "other pixels", [NewFace(face, template_of(1, 1), "", b"")])
    one = np.zeros(1, np.int64)
    album.save(album.faces(), one, one, np.full(1, 0.5))
    named = name_cluster(album, 1, "Ada")
    assert (named.enrolled, named.already) == (0, 1)


def test_reembedding(gallery: Gallery, photo: Path) -> None:
    enroll(gallery, "Ada", photo)
    with another_decoder():
        assert reembed(gallery, fake_recognizer()) == []
    assert gallery.model_id == MODEL


def test_reembedding_a_reference_of_before(
    gallery: Gallery, photo: Path, as_of_before: Callable[[], None]
) -> None:
    enroll(gallery, "Ada", photo)
    as_of_before()
    assert reembed(gallery, fake_recognizer()) == []
    with another_decoder():
        assert owners(gallery, photo) == ["Ada"], "its file was seen"


def test_reembedding_finds_a_moved_photo(gallery: Gallery, photo: Path, tmp_path: Path) -> None:
    enroll(gallery, "Ada", photo)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    photo.rename(elsewhere / "2.png")
    with another_decoder():
        assert reembed(gallery, fake_recognizer(), photos=elsewhere) == []
    assert gallery.model_id == MODEL


def test_reembedding_takes_no_other_photo(gallery: Gallery, photo: Path) -> None:
    enroll(gallery, "Ada", photo)
    paint(photo, 2)
    (left,) = reembed(gallery, fake_recognizer())
    assert "or was changed" in left.reason
