import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from made_up_album import add, enrolled, face_at, template_of, update

from kith.errors import GalleryError, UnknownCluster
from kith.gallery import (
    Album,
    Gallery,
    NewFace,
    NewReference,
    PhotoFile,
    name_cluster,
    prune,
    select_to_prune,
)
from kith.workflows.albums import link_faces


@pytest.fixture
def album(gallery: Gallery) -> Album:
    return Album(gallery)


@pytest.fixture
def folder(album: Album, tmp_path: Path) -> Path:
    """Photos 0 to 3, of which the last is gone; person 1 is in all, and person 2 in the last two."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for photo, people in enumerate([(1,), (1,), (1, 2), (1, 2)]):
        file = folder / f"{photo}.jpg"
        file.touch()
        faces = [
            NewFace(face_at(place), template_of(person, photo), "", f"thumbnail {photo} {person}".encode())
            for place, person in enumerate(people)
        ]
        album.add(PhotoFile(str(file), 1000, 1), f"hash {photo}", faces)
    update(album)
    (folder / "3.jpg").unlink()
    return folder


def left_on_disk(gallery: Gallery, secret: bytes) -> bool:
    return any(secret in file.read_bytes() for file in gallery.path.parent.glob("gallery.db*"))


def test_photos_that_are_gone(album: Album, folder: Path) -> None:
    secrets = [
        template_of(1, 3).embedding.tobytes(),
        template_of(2, 3).embedding.tobytes(),
        b"thumbnail 3 1",
        b"3.jpg",
        b"hash 3",
    ]
    assert all(left_on_disk(album.gallery, secret) for secret in secrets), "else this test cannot fail"
    pruned = prune(album, select_to_prune(album, gone=True))
    assert (pruned.photos, pruned.faces, pruned.enrolled, pruned.cleaned) == (1, 2, (), True)
    assert album.sizes() == (3, 4)
    assert not any(left_on_disk(album.gallery, secret) for secret in secrets)
    assert album.gone().photos == ()
    assert select_to_prune(album, gone=True).photos == frozenset()


def test_clusters_stay_as_they_were(album: Album, folder: Path) -> None:
    before = update(album)
    prune(album, select_to_prune(album, [folder / "2.jpg", folder / "3.jpg"]))
    after = update(album)
    assert after == {1: [str(folder / "0.jpg"), str(folder / "1.jpg")]}
    assert list(before) == [1, 2]
    add(album, 9, 2)
    assert list(update(album)) == [1, 3], "a number is never given again"


def test_a_photo_that_comes_back_is_looked_through_again(album: Album, folder: Path) -> None:
    prune(album, select_to_prune(album, gone=True))
    back = PhotoFile(str(folder / "3.jpg"), 1000, 1)
    assert not album.knows_file(back)
    assert not album.knows_photo(back, "hash 3")
    album.add(back, "hash 3", [NewFace(face_at(0), template_of(1, 3), "", b"")])
    assert len(update(album)[1]) == 4


def test_a_folder_also_when_it_is_missing(
    album: Album, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.rename(folder.parent / "elsewhere")
    assert album.gone().photos == ()
    assert album.gone().folders == {str(folder): 4}
    assert select_to_prune(album, gone=True).photos == frozenset(), "a disk may be unplugged"
    monkeypatch.chdir(folder.parent)
    assert len(select_to_prune(album, ["photos"]).photos) == 4
    assert len(select_to_prune(album, [Path("..") / folder.parent.name / "photos"]).photos) == 4
    assert prune(album, select_to_prune(album, [folder])).faces == 6
    assert (album.sizes(), album.clusters()) == ((0, 0), [])


def test_a_folder_s_name_is_not_the_beginning_of_another_s(album: Album, folder: Path) -> None:
    album.add(PhotoFile(f"{folder}2/1.jpg", 1000, 1), "hash of another", [])
    assert len(select_to_prune(album, [folder]).photos) == 4


def test_a_photo_that_is_enrolled_from_where_it_is_still_there_is_not_gone(
    album: Album, folder: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.jpg"
    copy.touch()
    reference = NewReference(template_of(1, 3), face_at(0), str(copy), "hash 3")
    album.gallery.enroll("Ada", [reference])
    assert album.gone().photos == ()
    copy.unlink()
    assert album.gone().photos == (str(folder / "3.jpg"),)


def test_a_cluster_without_a_name(album: Album, folder: Path) -> None:
    assert prune(album, select_to_prune(album, clusters=[2])).faces == 2
    assert album.sizes() == (4, 4)
    assert album.knows_file(PhotoFile(str(folder / "3.jpg"), 1000, 1)), "its faces are not found again"


def test_one_face_and_its_links(album: Album, folder: Path) -> None:
    link_faces(album, 1, 2, together=True)
    assert prune(album, select_to_prune(album, faces=[1])).faces == 1
    with closing(sqlite3.connect(album.gallery.path)) as connection:
        assert connection.execute("SELECT count(*) FROM links").fetchone() == (0,)
    assert len(update(album)[1]) == 3


def test_references_stay_and_are_told(album: Album, folder: Path) -> None:
    name_cluster(album, 1, "Ada")
    name_cluster(album, 2, "Grace")
    pruned = prune(album, select_to_prune(album, [folder / "3.jpg"], faces=[1]))
    assert pruned.enrolled == ("Ada", "Grace")
    assert {name: len(sources) for name, sources in enrolled(album.gallery).items()} == {"Ada": 4, "Grace": 2}
    update(album)
    assert name_cluster(album, 1, "Ada").already == 2


def test_what_cannot_be_pruned(album: Album, folder: Path) -> None:
    name_cluster(album, 1, "Ada")
    with pytest.raises(UnknownCluster, match="no cluster 9"):
        select_to_prune(album, clusters=[9])
    with pytest.raises(GalleryError, match="cluster 1 is Ada; delete the person"):
        select_to_prune(album, clusters=[1])
    with pytest.raises(GalleryError, match="no face 99"):
        select_to_prune(album, faces=[99])
    with pytest.raises(GalleryError, match=r"none\.jpg: no photo that was looked through lies there"):
        select_to_prune(album, [folder / "none.jpg"])
    assert album.sizes() == (4, 6)
