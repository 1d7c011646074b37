import sqlite3
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from made_up_album import POLICY, add, enrolled, face_at, template_of, update
from made_up_calibration import calibration_of
from sqlalchemy import exc

from kith.decisions.tail import Tail
from kith.errors import GalleryError
from kith.gallery import (
    Album,
    Gallery,
    MayBelong,
    NewFace,
    NewReference,
    PhotoFile,
    cleaning,
    name_cluster,
    prune,
    select_to_prune,
)
from kith.gallery.reembedding import Reembedding

NAME = "Zoë Ångström"
FOLDER = unicodedata.normalize("NFD", f"/photos/people/{NAME}")


@pytest.fixture
def album(gallery: Gallery) -> Album:
    return Album(gallery)


def thumbnail(person: int, photo: int) -> bytes:
    return f"thumbnail of {person} in {photo}".encode() * 100


def add_at(album: Album, source: str, photo: int, *people: int) -> None:
    """Add a photo that lies at a path, with a face and a thumbnail of each of these people."""
    faces = [
        NewFace(face_at(place), template_of(person, photo), "", thumbnail(person, photo))
        for place, person in enumerate(people)
    ]
    album.add(PhotoFile(source, 1000, 1), f"hash {photo}", faces)


def enroll(gallery: Gallery, name: str, source: str, person: int, photo: int, place: int = 0) -> None:
    reference = NewReference(template_of(person, photo), face_at(place), source, f"hash {photo}")
    gallery.enroll(name, [reference])


def traces(name: str, person: int, photos: range) -> list[bytes]:
    """What may not be found of a person: embeddings, thumbnails, and the name, however it is written."""
    spellings = [unicodedata.normalize(form, name) for form in ("NFC", "NFD")]
    encodings = ("utf-8", "utf-16-le", "utf-16-be")
    return [
        *(template_of(person, photo).embedding.astype("<f4").tobytes() for photo in photos),
        *(thumbnail(person, photo) for photo in photos),
        *(spelling.encode(encoding) for spelling in spellings for encoding in encodings),
    ]


def left(gallery: Gallery, secrets: list[bytes]) -> list[bytes]:
    """Those of the secrets that are in any file beside the gallery."""
    files = [file.read_bytes() for file in gallery.path.parent.rglob("*") if file.is_file()]
    return [secret for secret in secrets if any(secret in data for data in files)]


@contextmanager
def nobody(_: Path) -> Iterator[None]:
    yield


@contextmanager
def reader(path: Path) -> Iterator[None]:
    """Another process that reads now and then."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("SELECT * FROM subjects").fetchall()
        yield


@contextmanager
def reading_on(path: Path) -> Iterator[None]:
    """Another process that is in the middle of reading all the while."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT * FROM subjects").fetchall()
        yield


def without_an_album(gallery: Gallery) -> None:
    for photo in range(1, 7):
        enroll(gallery, NAME, f"{FOLDER}/{photo}.jpg", 1, photo)


def with_an_album_too(gallery: Gallery) -> None:
    without_an_album(gallery)
    for photo in range(1, 7):
        add_at(Album(gallery), f"{FOLDER}/{photo}.jpg", photo, 1)


def with_clusters_without_a_name(gallery: Gallery) -> None:
    with_an_album_too(gallery)
    update(Album(gallery))


def with_a_named_cluster(gallery: Gallery) -> None:
    for photo in range(1, 7):
        add_at(Album(gallery), f"{FOLDER}/{photo}.jpg", photo, 1)
    update(Album(gallery))
    name_cluster(Album(gallery), 1, NAME)


def with_others_in_the_photos(gallery: Gallery) -> None:
    album = Album(gallery)
    for photo in range(1, 7):
        add_at(album, f"{FOLDER}/{photo}.jpg", photo, 1, 2)
    update(album)
    name_cluster(album, 1, NAME)
    name_cluster(album, 2, "Grace")


def half_reembedded(gallery: Gallery) -> None:
    with_clusters_without_a_name(gallery)
    reembedding = Reembedding(gallery, "another-model")
    for photo, migrant in enumerate(reembedding.pending()):
        person = 1 if migrant.name == NAME else 2
        reembedding.add(migrant, template_of(person, 100 + photo, "another-model"), face_at(0))


def with_a_classifier(gallery: Gallery) -> None:
    without_an_album(gallery)
    vectors = np.stack([template_of(1, photo).embedding for photo in range(1, 7)])
    gallery.save_classifier("svm", gallery.references().revision, {"vectors": vectors})


FILLED = (
    without_an_album,
    with_an_album_too,
    with_clusters_without_a_name,
    with_a_named_cluster,
    with_others_in_the_photos,
    half_reembedded,
    with_a_classifier,
)


@pytest.mark.parametrize(
    ("fill", "others"),
    [
        *((fill, nobody) for fill in FILLED),
        (with_clusters_without_a_name, reader),
        (with_clusters_without_a_name, reading_on),
        (with_others_in_the_photos, reading_on),
    ],
)
def test_no_byte_of_a_deleted_person_is_left(
    gallery: Gallery, fill: Callable[[Gallery], None], others: Callable[[Path], object]
) -> None:
    others_photos = range(200, 240)  # fills several pages
    gallery.enroll(
        "Other people",
        [
            NewReference(template_of(photo, photo), face_at(0), f"/photos/{photo}.jpg", f"hash {photo}")
            for photo in others_photos
        ],
    )
    fill(gallery)
    secrets = traces(NAME, 1, range(1, 150))
    assert left(gallery, secrets), "else this test cannot fail"
    with others(gallery.path):
        deletion = gallery.delete(NAME)
        assert deletion.cleaned is (others is not reading_on)
    if not deletion.cleaned:
        assert left(gallery, secrets)
        Gallery.open(gallery.path).close()
    assert left(gallery, secrets) == []
    assert deletion.may_belong == ()
    assert len(gallery.references_of("Other people")) == 40


def test_former_names_go_too(gallery: Gallery) -> None:
    with_others_in_the_photos(gallery)
    gallery.rename(NAME, "Ada")
    assert gallery.delete("Ada").places == 12
    assert left(gallery, traces(NAME, 1, range(1, 7))) == []
    assert gallery.subject_for(NAME) is None


def test_a_person_whose_last_references_are_removed_goes_like_one_who_is_deleted(gallery: Gallery) -> None:
    with_clusters_without_a_name(gallery)
    ids = [reference.id for reference in gallery.references_of(NAME)]
    assert [subject.name for subject in gallery.delete_references(ids).gone] == [NAME]
    assert left(gallery, traces(NAME, 1, range(1, 7))) == []
    assert Album(gallery).sizes() == (0, 0)


def test_a_process_killed_after_the_deletion_leaves_word(gallery: Gallery) -> None:
    with_a_named_cluster(gallery)
    with patch.object(cleaning, "clean", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        gallery.delete(NAME)
    Gallery.open(gallery.path).close()
    assert left(gallery, traces(NAME, 1, range(1, 7))) == []


def test_a_deletion_that_cannot_be_cleaned_is_done(gallery: Gallery) -> None:
    without_an_album(gallery)
    with patch.object(cleaning, "clean", side_effect=GalleryError("the disk is full")):
        assert not gallery.delete(NAME).cleaned
    assert gallery.subjects() == []


@pytest.mark.parametrize(
    "error", [GalleryError("the disk is full"), exc.TimeoutError(), exc.InvalidRequestError(), MemoryError()]
)
@pytest.mark.parametrize(
    "change",
    [
        lambda gallery: gallery.delete(NAME),
        lambda gallery: gallery.delete_references([1]),
        lambda gallery: gallery.delete_former_name("Countess"),
        lambda gallery: prune(Album(gallery), select_to_prune(Album(gallery), faces=[1])),
    ],
    ids=["delete", "delete references", "delete a former name", "prune"],
)
def test_what_keeps_it_from_being_cleaned_is_no_error_of_the_deletion(
    gallery: Gallery, change: Callable[[Gallery], object], error: Exception
) -> None:
    with_an_album_too(gallery)
    gallery.rename(NAME, "Countess")
    gallery.rename("Countess", NAME)
    with patch.object(cleaning, "clean", side_effect=error):
        assert not getattr(change(gallery), "cleaned", False)
    with patch.object(cleaning, "clean") as clean:
        cleaning.clean_if_due(gallery.engine, gallery.path)
    assert clean.called, "it was done, and its cleaning is due"


def test_the_receipt(gallery: Gallery) -> None:
    album = Album(gallery)
    add_at(album, "/photos/Ada/1.jpg", 1, 1)
    add_at(album, "/photos/Ada/2.jpg", 2, 1, 2)
    add_at(album, "/photos/Ada/landscape.jpg", 3)
    add_at(album, "/photos/party.jpg", 4, 1, 2)
    update(album)
    subject = name_cluster(album, 1, "Ada").subject
    enroll(gallery, "Grace", "/photos/Ada/2.jpg", 2, 2, place=1)
    deletion = gallery.delete("Ada")
    assert deletion.subject == subject
    assert (deletion.references, deletion.faces, deletion.photos, deletion.places) == (3, 3, 2, 2)
    assert deletion.cleaned
    assert sorted(face.source for face in album.members()) == ["", "/photos/party.jpg"]
    assert enrolled(gallery) == {"Grace": [""]}


def test_faces_without_a_name_that_look_like_the_person_are_listed_and_left(gallery: Gallery) -> None:
    album = Album(gallery)
    enroll(gallery, "Ada", "1.jpg", 1, 1)
    add(album, 2, 1)
    add(album, 3, 5)
    update(album)
    add(album, 4, 1)
    threshold = POLICY.threshold
    calibration = calibration_of(Tail((0.5, 0.003), (threshold - 0.1, threshold)))
    with patch("kith.gallery.gallery.find_calibration", return_value=calibration):
        deletion = gallery.delete("Ada")
    assert [(face.face, face.cluster, face.source) for face in deletion.may_belong] == [
        (1, 1, "2.jpg"),
        (3, None, "4.jpg"),
    ]
    assert all(face.score > POLICY.threshold for face in deletion.may_belong)
    assert album.sizes() == (3, 3)


def test_faces_in_a_cluster_with_the_person_s_are_listed_and_left(gallery: Gallery) -> None:
    album = Album(gallery)
    enroll(gallery, "Ada", "1.jpg", 1, 1)
    for photo in (1, 2):
        add(album, photo, 1)
    add(album, 3, 5)
    update(album)
    (face,) = gallery.delete("Ada").may_belong
    score = float(template_of(1, 1).embedding @ template_of(1, 2).embedding)
    assert face == MayBelong(2, 1, "2.jpg", pytest.approx(score))
    assert [member.source for member in album.members()] == ["2.jpg", "3.jpg"]


def test_the_person_s_face_in_a_photo_with_a_stranger(gallery: Gallery) -> None:
    """The same photo, but another box: another face."""
    album = Album(gallery)
    add(album, 1, 7, 1)
    enroll(gallery, "Ada", "1.jpg", 1, 1, place=1)
    assert gallery.delete("Ada").faces == 1
    assert album.sizes() == (1, 1)
    assert album.knows_file(PhotoFile("1.jpg", 1000, 1)), "the person is not looked for in it again"


def test_clusters_of_others_stay(gallery: Gallery) -> None:
    album = Album(gallery)
    for photo in (1, 2):
        add(album, photo, 1, 2)
    update(album)
    name_cluster(album, 1, "Ada")
    name_cluster(album, 2, "Grace")
    gallery.delete("Ada")
    assert [(cluster.id, cluster.faces) for cluster in album.clusters()] == [(2, 2)]
    assert enrolled(gallery) == {"Grace": ["1.jpg", "2.jpg"]}


def test_a_damaged_embedding_keeps_no_one_from_being_deleted(gallery: Gallery) -> None:
    album = Album(gallery)
    enroll(gallery, "Ada", "1.jpg", 1, 1)
    add(album, 2, 1)
    with closing(sqlite3.connect(gallery.path)) as connection, connection:
        connection.execute("UPDATE faces SET embedding = x'00000000'")
    assert gallery.delete("Ada").references == 1
