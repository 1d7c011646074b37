"""Whoever follows a gallery by what has changed knows at any time what it holds."""

import os
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
import pytest
from made_up_album import add, face_at, template_of, update

from kith.errors import GalleryError, KithError, ModelMismatch
from kith.gallery import Album, Gallery, NewReference, name_cluster
from kith.gallery.reembedding import Reembedding
from kith.workflows.albums import link_faces

Held = dict[int, tuple[str, list[bytes]]]
"""Name and embeddings of each subject."""


class Follower:
    """Keeps what a gallery holds, and reads again only what has changed."""

    def __init__(self, gallery: Gallery) -> None:
        self.gallery = gallery
        self.revision = -1
        self.held: Held = {}

    def follow(self) -> set[int]:
        """Take over what is new; returns the ids told."""
        changes = self.gallery.changes_since(self.revision)
        if changes.whole:
            self.held = {}
        for id in changes.ids.tolist():
            self.held.pop(id, None)
        for id, subject in changes.subjects.items():
            assert id in changes.ids
            own = changes.embeddings[changes.owners == id]
            self.held[id] = (subject.name, [embedding.tobytes() for embedding in own])
        self.revision = changes.revision
        return set(changes.ids.tolist())


def held(gallery: Gallery) -> Held:
    """The same, as it is in the file."""
    everyone: Held = {}
    with closing(sqlite3.connect(gallery.path)) as connection:
        for id, name in connection.execute("SELECT id, name FROM subjects"):
            own = 'SELECT embedding FROM "references" WHERE subject_id = ? ORDER BY id'
            everyone[id] = (name, [row[0] for row in connection.execute(own, (id,))])
    return everyone


def references_revision(gallery: Gallery) -> int:
    return gallery.changes_since(gallery.revision()).references_revision


def enroll(gallery: Gallery, name: str, *photos: int) -> int:
    references = [
        NewReference(template_of(photo, photo), face_at(0), f"{photo}.jpg", f"hash {photo}")
        for photo in photos
    ]
    return gallery.enroll(name, references).id


@pytest.fixture
def follower(gallery: Gallery) -> Follower:
    """Of a gallery of Ada (1: two references), Grace (2: two) and Wei (3: one)."""
    for name, photos in (("Ada", (1, 2)), ("Grace", (3, 4)), ("Wei", (5,))):
        enroll(gallery, name, *photos)
    following = Follower(gallery)
    following.follow()
    return following


Change = Callable[[Gallery], object]


@pytest.mark.parametrize(
    ("change", "ids", "references"),
    [
        pytest.param(lambda gallery: enroll(gallery, "Ada", 6), {1}, True, id="enroll"),
        pytest.param(lambda gallery: enroll(gallery, "Someone new", 6), {4}, True, id="enroll someone new"),
        pytest.param(lambda gallery: gallery.rename("Ada", "Augusta"), {1}, False, id="rename"),
        pytest.param(lambda gallery: gallery.merge("Ada", "Grace"), {1, 2}, True, id="merge"),
        pytest.param(lambda gallery: gallery.delete("Ada"), {1}, True, id="delete"),
        pytest.param(lambda gallery: gallery.delete_references([1, 3]), {1, 2}, True, id="remove"),
        pytest.param(lambda gallery: gallery.delete_references([5]), {3}, True, id="remove the last"),
        pytest.param(lambda gallery: gallery.move_references([1], "Grace"), {1, 2}, True, id="move"),
        pytest.param(lambda gallery: gallery.move_references([5], "Eve"), {3, 4}, True, id="move the last"),
        pytest.param(lambda gallery: gallery.move_references([1], "Ada"), {1}, False, id="move nothing"),
    ],
)
def test_who_changed_is_told_and_nobody_else(
    follower: Follower, change: Change, ids: set[int], references: bool
) -> None:
    gallery = follower.gallery
    before = references_revision(gallery)
    change(gallery)
    assert (references_revision(gallery) > before) is references
    assert follower.follow() == ids
    assert follower.held == held(gallery)
    assert follower.follow() == set()


def test_a_cluster_that_is_named_and_torn(gallery: Gallery) -> None:
    album, follower = Album(gallery), Follower(gallery)
    for photo in range(3):
        add(album, photo, 1)
    update(album)
    follower.follow()
    assert follower.revision == 0, "an album changes nothing of the enrolled"
    ada = name_cluster(album, 1, "Ada").subject.id
    assert follower.follow() == {ada}
    assert follower.held == held(gallery)
    before = references_revision(gallery)
    name_cluster(album, 1, "Ada")
    assert references_revision(gallery) == before, "they were its references already"
    link_faces(album, 1, 2, together=False)
    update(album)
    assert follower.follow() == {ada}
    assert follower.held == held(gallery)
    assert references_revision(gallery) > before


def test_a_gallery_that_changed_its_model_is_told_whole(follower: Follower) -> None:
    gallery = follower.gallery
    early = Gallery.open(gallery.path)
    reembedding = Reembedding(gallery, "other")
    *rest, last = reembedding.pending()
    for migrant in rest:
        reembedding.add(migrant, template_of(7, migrant.id, "other"), face_at(0))
    reembedding.finish([last])
    changes = gallery.changes_since(follower.revision)
    assert changes.whole
    assert changes.references_revision == changes.revision
    assert changes.subjects.keys() == {1, 2}, "Wei had no other"
    follower.follow()
    assert follower.held == held(gallery)
    with pytest.raises(ModelMismatch, match="with other meanwhile"), early:
        early.changes_since(follower.revision)


def test_who_came_and_went_in_between_is_told_too(follower: Follower) -> None:
    gallery = follower.gallery
    passing = enroll(gallery, "Passing", 8)
    gallery.delete("Passing")
    gallery.delete("Ada")
    assert follower.follow() == {1, passing}
    assert follower.held == held(gallery)


def test_a_refused_change_tells_nobody(follower: Follower) -> None:
    with pytest.raises(KithError):
        enroll(follower.gallery, "Eve", 9, 1)
    assert follower.follow() == set()


def test_what_another_process_changes_is_told(follower: Follower) -> None:
    with Gallery.open(follower.gallery.path) as other:
        other.rename("Wei", "Wei Li")
    assert follower.follow() == {3}
    assert follower.held == held(follower.gallery)


def test_a_copy_of_before_put_in_its_place_is_told_whole(follower: Follower) -> None:
    changes = follower.gallery.changes_since(follower.revision + 1)
    assert changes.whole
    assert changes.ids.tolist() == [1, 2, 3]


def test_nothing_is_whole_of_an_empty_gallery(gallery: Gallery) -> None:
    changes = gallery.changes_since(-1)
    assert (changes.whole, changes.ids.tolist(), len(changes.embeddings)) == (True, [], 0)


@pytest.mark.parametrize("seed", range(5))
def test_any_changes_in_any_order(gallery: Gallery, seed: int) -> None:
    draw = random.Random(seed)
    follower, photos = Follower(gallery), iter(range(10_000))
    names = ["Ada", "Grace", "Wei", "Eve"]

    def some_references() -> list[int]:
        known = [one.id for name in names for one in _references(gallery, name)]
        return draw.sample(known, min(2, len(known)))

    changes: list[Callable[[], object]] = [
        lambda: enroll(gallery, draw.choice(names), next(photos)),
        lambda: enroll(gallery, draw.choice(names), next(photos), next(photos)),
        lambda: gallery.rename(draw.choice(names), draw.choice(names)),
        lambda: gallery.merge(draw.choice(names), draw.choice(names)),
        lambda: gallery.delete(draw.choice(names)),
        lambda: gallery.delete_references(some_references()),
        lambda: gallery.move_references(some_references(), draw.choice(names)),
    ]
    for _ in range(60):
        with suppress(KithError, ValueError):
            draw.choice(changes)()
        if draw.random() < 0.6:
            follower.follow()
            assert follower.held == held(gallery)


def _references(gallery: Gallery, name: str) -> list:
    with suppress(KithError):
        return gallery.references_of(name)
    return []


def test_a_reference_of_nobody_is_damage(follower: Follower) -> None:
    with closing(sqlite3.connect(follower.gallery.path)) as connection, connection:
        connection.execute('UPDATE "references" SET subject_id = 99 WHERE id = 1')
    with pytest.raises(GalleryError, match="is damaged; restore a copy"):
        follower.gallery.changes_since(-1)


@pytest.mark.parametrize("name", ["revision", "references_revision", "followed_since"])
def test_a_revision_that_is_no_number_is_damage(follower: Follower, name: str) -> None:
    with closing(sqlite3.connect(follower.gallery.path)) as connection, connection:
        connection.execute("UPDATE settings SET value = '-3' WHERE name = ?", (name,))
    with pytest.raises(GalleryError, match="is damaged; restore a copy"):
        follower.gallery.changes_since(1)


def test_classifiers_outlive_a_rename(follower: Follower) -> None:
    gallery = follower.gallery
    gallery.save_classifier("svm", gallery.references().references_revision, {"weights": np.ones(2)})
    gallery.rename("Ada", "Augusta")
    references = gallery.references()
    assert references.references_revision < references.revision
    assert gallery.load_classifier("svm", references.references_revision) is not None
    enroll(gallery, "Ada", 6)
    assert gallery.load_classifier("svm", gallery.references().references_revision) is None


@pytest.fixture
def of_version_3(follower: Follower) -> Path:
    """A closed gallery of before it was said who changed; its revision is 3."""
    follower.gallery.close()
    with closing(sqlite3.connect(follower.gallery.path)) as connection, connection:
        connection.execute("DROP TABLE changes")
        for table in ("references", "photos"):
            connection.execute(f"DROP INDEX ix_{table}_file_hash")
            connection.execute(f'ALTER TABLE "{table}" DROP COLUMN file_hash')
        connection.execute("DELETE FROM settings WHERE name IN ('references_revision', 'followed_since')")
        connection.execute("PRAGMA user_version = 3")
    return follower.gallery.path


def delete_ada_as_then(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute('DELETE FROM "references" WHERE subject_id = 1')
        connection.execute("DELETE FROM subjects WHERE id = 1")
        connection.execute("UPDATE settings SET value = '4' WHERE name = 'revision'")


def test_everyone_is_told_of_one_of_version_3_that_cannot_be_written(
    of_version_3: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    with Gallery.open(of_version_3) as gallery:
        follower = Follower(gallery)
        follower.follow()
        assert follower.follow() == set()
        assert gallery.changes_since(-1).references_revision == follower.revision == 3
        assert follower.held == held(gallery)
    delete_ada_as_then(of_version_3)
    with Gallery.open(of_version_3) as gallery:
        assert gallery.changes_since(3).whole
        assert gallery.changes_since(3).ids.tolist() == [2, 3]


def test_what_changed_before_another_process_brought_it_up_to_date_is_told(of_version_3: Path) -> None:
    delete_ada_as_then(of_version_3)
    with Gallery.open(of_version_3) as gallery:
        assert gallery.changes_since(3).whole
        assert not gallery.changes_since(4).whole
