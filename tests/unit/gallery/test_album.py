import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from made_up_album import POLICY, add, enrolled, face_at, template_of, update
from made_up_calibration import calibration_of

from kith.decisions.tail import Tail
from kith.errors import (
    DuplicateReference,
    DuplicateSubject,
    GalleryError,
    LowQuality,
    ModelMismatch,
    UnknownCluster,
)
from kith.gallery import Album, Gallery, NewFace, NewReference, PhotoFile, name_cluster
from kith.gallery.reembedding import Reembedding
from kith.workflows.albums import cluster_album, link_faces, suggest


@pytest.fixture
def album(gallery: Gallery) -> Album:
    return Album(gallery)


# photos


def test_a_photo_is_known_by_its_file_and_by_its_content(album: Album) -> None:
    add(album, 1, 7)
    assert album.knows_file(PhotoFile("1.jpg", 1000, 1))
    assert not album.knows_file(PhotoFile("1.jpg", 1000, 2))
    moved = PhotoFile("moved/1.jpg", 1000, 3)
    assert album.knows_photo(moved, "hash 1")
    assert album.knows_file(moved)
    assert not album.knows_photo(PhotoFile("2.jpg", 1, 1), "hash 2")
    assert album.sizes() == (1, 1)


def test_a_photo_without_faces_is_known(album: Album) -> None:
    add(album, 1)
    assert album.knows_file(PhotoFile("1.jpg", 1000, 1))
    assert album.sizes() == (1, 0)
    assert update(album) == {}


def test_a_photo_that_another_process_added_is_there_once(album: Album) -> None:
    add(album, 1, 7)
    add(album, 1, 7)
    assert album.sizes() == (1, 1)


def test_a_photo_written_over_is_forgotten(album: Album) -> None:
    add(album, 1, 7)
    album.add(PhotoFile("1.jpg", 2000, 9), "another hash", [])
    assert album.sizes() == (1, 0)


def test_faces_of_another_model_are_refused(album: Album) -> None:
    face = NewFace(face_at(0), template_of(1, 1, "other"), "", b"")
    with pytest.raises(ModelMismatch):
        album.add(PhotoFile("1.jpg", 1, 1), "hash", [face])
    assert album.sizes() == (0, 0)


def test_file_names_that_are_no_utf_8(album: Album) -> None:
    file = PhotoFile("gar\udce7on.jpg", 1, 1)
    album.add(file, "hash", [])
    assert album.knows_file(file)


# clusters


def test_clusters_keep_their_numbers_when_photos_are_added(album: Album) -> None:
    for photo, people in enumerate([(1, 2), (1,), (2,), (3,)]):
        add(album, photo, *people)
    before = update(album)
    assert before == {1: ["0.jpg", "1.jpg"], 2: ["0.jpg", "2.jpg"], 3: ["3.jpg"]}
    add(album, 9, 2, 4)
    assert update(album) == before | {2: ["0.jpg", "2.jpg", "9.jpg"], 4: ["9.jpg"]}
    assert update(album) == before | {2: ["0.jpg", "2.jpg", "9.jpg"], 4: ["9.jpg"]}


def test_two_faces_of_one_photo_are_never_one_cluster(album: Album) -> None:
    add(album, 1, 5, 5)
    assert len(update(album)) == 2


def test_a_number_is_never_given_twice(album: Album) -> None:
    add(album, 1, 5)
    assert list(update(album)) == [1]
    album.add(PhotoFile("1.jpg", 2000, 9), "another hash", [])
    add(album, 2, 6)
    assert list(update(album)) == [2]


def test_a_clustering_of_faces_that_changed_meanwhile_is_not_kept(album: Album) -> None:
    add(album, 1, 5)
    before = album.faces()
    add(album, 2, 5)
    assert not album.save(before, np.array([0]), np.array([0]), np.array([0.5]))
    assert album.clusters() == []


def test_cluster_sizes(album: Album) -> None:
    for photo, people in enumerate([(1,), (2,), (2,)]):
        add(album, photo, *people)
    update(album)
    assert [(cluster.id, cluster.faces, cluster.photos) for cluster in album.clusters()] == [
        (2, 2, 2),
        (1, 1, 1),
    ]


# links


def test_two_people_taken_for_one_are_told_apart(album: Album) -> None:
    for photo in range(4):
        add(album, photo, 5)
    assert len(update(album)) == 1
    link_faces(album, 1, 2, together=False)
    clusters = update(album)
    assert sorted(len(photos) for photos in clusters.values()) == [1, 3]
    assert len(clusters[1]) == 3, "the larger part keeps the number"
    assert update(album) == clusters, "it stays so"


def test_one_person_taken_for_two_is_put_together(album: Album) -> None:
    for photo, person in enumerate((5, 5, 6)):
        add(album, photo, person)
    assert len(update(album)) == 2
    link_faces(album, 3, 1, together=True)
    assert update(album) == {1: ["0.jpg", "1.jpg", "2.jpg"]}


def test_the_last_word_counts(album: Album) -> None:
    for photo, person in enumerate((5, 6)):
        add(album, photo, person)
    link_faces(album, 1, 2, together=True)
    assert len(update(album)) == 1
    link_faces(album, 1, 2, together=False)
    assert len(update(album)) == 2


def test_links_that_cannot_be(album: Album) -> None:
    add(album, 1, 5, 6)
    add(album, 2, 7)
    with pytest.raises(GalleryError, match="no face 99"):
        link_faces(album, 1, 99, together=True)
    with pytest.raises(GalleryError, match="linked to itself"):
        link_faces(album, 1, 1, together=True)
    link_faces(album, 1, 3, together=True)
    with pytest.raises(GalleryError, match="faces 2 and 3 cannot be one person: faces 1 and 2 would be"):
        link_faces(album, 2, 3, together=True)


def test_links_that_contradict_each_other_through_a_third(album: Album) -> None:
    for photo in range(3):
        add(album, photo, photo)
    link_faces(album, 1, 2, together=False)
    link_faces(album, 3, 1, together=True)
    with pytest.raises(GalleryError, match="faces 3 and 2 cannot be one person: faces 1 and 2 would be"):
        link_faces(album, 3, 2, together=True)
    assert update(album) == {1: ["0.jpg", "2.jpg"], 2: ["1.jpg"]}


# collages, mirrors and framed pictures


def collage(album: Album) -> None:
    """Ada's clusters 1 and 2: both faces of photo 1, a second collage and a photo alone in each."""
    add(album, 1, 1, 1)
    add(album, 2, 1, 1)
    update(album)


def test_a_second_face_of_a_photo_keeps_no_cluster_from_its_name(album: Album) -> None:
    collage(album)
    add(album, 3, 1)
    clusters = update(album)
    (larger,) = [cluster for cluster, photos in clusters.items() if len(photos) == 3]
    (smaller,) = [cluster for cluster, photos in clusters.items() if len(photos) == 2]
    assert name_cluster(album, smaller, "Ada").enrolled == 2
    named = name_cluster(album, larger, "Ada")
    assert (named.enrolled, named.already, named.twice, named.unfit) == (1, 0, 2, 0)
    assert sorted(enrolled(album.gallery)["Ada"]) == ["1.jpg", "2.jpg", "3.jpg"]
    assert update(album) == clusters, "and stays so"
    assert {cluster.subject.name for cluster in album.clusters()} == {"Ada"}
    again = name_cluster(album, larger, "Ada")
    assert (again.enrolled, again.already, again.twice) == (0, 1, 2)


def test_a_cluster_of_second_faces_only_is_the_person_s(album: Album) -> None:
    add(album, 1, 1, 1)
    update(album)
    name_cluster(album, 1, "Ada")
    named = name_cluster(album, 2, "Ada")
    assert (named.enrolled, named.twice) == (0, 1)
    assert all(cluster.subject == named.subject for cluster in album.clusters())
    assert album.gallery.delete("Ada").faces == 2, "also when the person is deleted"
    assert album.sizes() == (0, 0)


def test_a_cluster_of_faces_too_poor_to_enroll_can_be_someone_known(album: Album) -> None:
    add(album, 1, 1, unfit=(1,))
    update(album)
    album.gallery.enroll("Ada", [NewReference(template_of(1, 50), face_at(0), "50.jpg", "hash 50")])
    named = name_cluster(album, 1, "Ada")
    assert (named.enrolled, named.unfit) == (0, 1)
    assert album.clusters()[0].subject == named.subject


def test_who_is_twice_in_a_photo_is_one_person_where_it_is_said(album: Album) -> None:
    collage(album)
    link_faces(album, 1, 2, together=True)
    clusters = update(album)
    assert clusters == {1: ["1.jpg", "1.jpg", "2.jpg", "2.jpg"]}
    assert update(album) == clusters, "it stays so"
    add(album, 3, 1)
    assert list(update(album)) == [1]
    add(album, 4, 1, 1)
    assert sorted(len(photos) for photos in update(album).values()) == [1, 6], "but of each photo anew"
    named = name_cluster(album, 1, "Ada")
    assert (named.enrolled, named.twice) == (4, 2)


def test_what_was_said_of_a_photo_can_be_taken_back(album: Album) -> None:
    collage(album)
    link_faces(album, 1, 2, together=True)
    update(album)
    link_faces(album, 1, 2, together=False)
    assert [len(photos) for photos in update(album).values()] == [2, 2]


def test_three_faces_of_one_photo(album: Album) -> None:
    add(album, 1, 1, 1, 1)
    update(album)
    for other in (2, 3):
        link_faces(album, 1, other, together=True)
    assert update(album) == {1: ["1.jpg"] * 3}


def test_other_people_of_the_photo_stay_apart(album: Album) -> None:
    add(album, 1, 1, 1, 2, 2)
    update(album)
    link_faces(album, 1, 2, together=True)
    assert [len(photos) for photos in update(album).values()] == [2, 1, 1]


def test_one_person_s_two_clusters_are_put_together_and_keep_their_references(album: Album) -> None:
    for photo, person in enumerate((1, 1, 2, 2)):
        add(album, photo, person)
    update(album)
    for cluster in (1, 2):
        name_cluster(album, cluster, "Ada")
    link_faces(album, 1, 3, together=True)
    assert len(update(album)) == 1
    assert len(enrolled(album.gallery)["Ada"]) == 4


# names


def test_a_cluster_becomes_a_person(album: Album) -> None:
    for photo, people in enumerate([(1, 2), (1,), (1,)]):
        add(album, photo, *people)
    update(album)
    named = name_cluster(album, 1, " Ada ")
    assert (named.subject.name, named.enrolled, named.already, named.twice, named.unfit) == (
        "Ada",
        3,
        0,
        0,
        0,
    )
    assert enrolled(album.gallery) == {"Ada": ["0.jpg", "1.jpg", "2.jpg"]}
    assert {cluster.id: cluster.subject for cluster in album.clusters()} == {1: named.subject, 2: None}


def test_a_photo_of_two_people_serves_both(album: Album) -> None:
    add(album, 1, 1, 2)
    update(album)
    ada, grace = name_cluster(album, 1, "Ada").subject, name_cluster(album, 2, "Grace").subject
    assert album.gallery.owners("hash 1") == [ada, grace]
    assert enrolled(album.gallery) == {"Ada": ["1.jpg"], "Grace": ["1.jpg"]}


def test_named_again_only_new_faces_are_enrolled(album: Album) -> None:
    add(album, 1, 1)
    update(album)
    name_cluster(album, 1, "Ada")
    add(album, 2, 1)
    update(album)
    named = name_cluster(album, 1, "Ada")
    assert (named.enrolled, named.already) == (1, 1)


def test_faces_that_are_not_good_enough_are_left_out(album: Album) -> None:
    add(album, 1, 1)
    add(album, 2, 1, unfit=(1,))
    add(album, 3, 2, unfit=(2,))
    update(album)
    assert name_cluster(album, 1, "Ada").unfit == 1
    with pytest.raises(
        LowQuality, match="no face of cluster 2 is good enough to enroll: the face is blurred"
    ):
        name_cluster(album, 2, "Grace")
    assert enrolled(album.gallery) == {"Ada": ["1.jpg"]}


CALIBRATION = calibration_of(Tail((0.5, 0.003), (POLICY.threshold - 0.1, POLICY.threshold)))


def test_a_cluster_joins_a_person_who_is_enrolled(album: Album) -> None:
    reference = NewReference(template_of(1, 50), face_at(0), "50.jpg", "hash 50")
    album.gallery.enroll("Ada", [reference])
    add(album, 1, 1)
    add(album, 2, 9)
    update(album)
    assert {cluster: found.subject.name for cluster, found in suggest(album, CALIBRATION).items()} == {
        1: "Ada"
    }
    name_cluster(album, 1, "Ada")
    assert enrolled(album.gallery) == {"Ada": ["50.jpg", "1.jpg"]}
    assert suggest(album, CALIBRATION) == {}


def test_names_that_cannot_be(album: Album) -> None:
    add(album, 1, 1, 2)
    update(album)
    name_cluster(album, 1, "Ada")
    with pytest.raises(UnknownCluster, match="no cluster 9"):
        name_cluster(album, 9, "Eve")
    with pytest.raises(DuplicateSubject, match="cluster 1 is Ada already; rename the person"):
        name_cluster(album, 1, "Eve")
    with pytest.raises(ValueError, match="name"):
        name_cluster(album, 2, "  ")
    assert enrolled(album.gallery) == {"Ada": ["1.jpg"]}


def test_a_face_enrolled_as_someone_else_is_refused_and_nothing_is_changed(album: Album) -> None:
    album.gallery.enroll("Grace", [NewReference(template_of(1, 2), face_at(0), "2.jpg", "hash 2")])
    add(album, 1, 1)
    add(album, 2, 1)
    update(album)
    with pytest.raises(DuplicateReference, match=r"2\.jpg is enrolled already, as Grace"):
        name_cluster(album, 1, "Ada")
    assert enrolled(album.gallery) == {"Grace": ["2.jpg"]}
    assert album.clusters()[0].subject is None


def test_the_same_photo_is_not_enrolled_twice_by_hand(album: Album) -> None:
    add(album, 1, 1, 2)
    update(album)
    name_cluster(album, 1, "Ada")
    by_hand = [NewReference(template_of(1, 1), face_at(0), "1.jpg", "hash 1")]
    for name in ("Ada", "Eve"):
        with pytest.raises(DuplicateReference, match="as Ada"):
            album.gallery.enroll(name, by_hand)


def test_two_people_are_never_one_cluster(album: Album) -> None:
    add(album, 1, 1)
    add(album, 2, 2)
    update(album)
    name_cluster(album, 1, "Ada")
    name_cluster(album, 2, "Grace")
    with pytest.raises(GalleryError, match="face 1 is Ada's and face 2 Grace's"):
        link_faces(album, 1, 2, together=True)


def test_a_face_that_leaves_a_named_cluster_is_its_reference_no_more(album: Album) -> None:
    for photo in range(3):
        add(album, photo, 1)
    update(album)
    name_cluster(album, 1, "Ada")
    revision = album.gallery.references().revision
    link_faces(album, 1, 2, together=False)
    clusters = update(album)
    assert sorted(clusters[1]) == sorted(enrolled(album.gallery)["Ada"])
    assert len(clusters[1]) == 2
    assert album.gallery.references().revision > revision


def test_merged_people_keep_their_clusters(album: Album) -> None:
    add(album, 1, 1)
    add(album, 2, 2)
    update(album)
    name_cluster(album, 1, "Ada")
    name_cluster(album, 2, "Countess")
    album.gallery.merge("Countess", "Ada")
    assert {cluster.subject.name for cluster in album.clusters() if cluster.subject} == {"Ada"}
    assert len(album.clusters()) == 2


def test_a_person_who_is_deleted_is_forgotten_with_the_clusters(album: Album) -> None:
    add(album, 1, 1, 2)
    update(album)
    name_cluster(album, 1, "Ada")
    embedding = template_of(1, 1).embedding.tobytes()
    album.gallery.delete("Ada")
    assert [cluster.id for cluster in album.clusters()] == [2]
    assert album.sizes() == (1, 1)
    assert embedding not in album.gallery.path.read_bytes()
    assert album.knows_file(PhotoFile("1.jpg", 1000, 1)), "and not looked for again"


def test_a_gallery_that_changes_its_model_forgets_its_faces(album: Album) -> None:
    add(album, 1, 1)
    update(album)
    name_cluster(album, 1, "Ada")
    reembedding = Reembedding(album.gallery, "other")
    for migrant in reembedding.pending():
        reembedding.add(migrant, template_of(1, 1, "other"), face_at(0))
    reembedding.finish()
    assert album.sizes() == (0, 0)
    assert enrolled(album.gallery) == {"Ada": ["1.jpg"]}
    add_other = NewFace(face_at(0), template_of(1, 1, "other"), "", b"")
    album.add(PhotoFile("1.jpg", 1000, 1), "hash 1", [add_other])
    assert list(update(album)) == [2], "numbers go on"


def test_a_damaged_embedding_is_told(album: Album, gallery_path: Path) -> None:
    add(album, 1, 1)
    with closing(sqlite3.connect(gallery_path)) as connection, connection:
        connection.execute("UPDATE faces SET embedding = x'0000'")
    with pytest.raises(GalleryError, match="damaged"):
        cluster_album(album, POLICY)
