import threading
from collections.abc import Callable

import numpy as np
import pytest

from kith.decisions.svm import LinearSVM
from kith.gallery import Gallery, NewReference
from kith.records import Face, Template
from kith.search.people import People
from kith.search.view import View, view_of

Enroll = Callable[..., None]


@pytest.fixture
def enroll(gallery: Gallery, make_template: Callable[[int], Template], face: Face) -> Enroll:
    def enroll(name: str, *seeds: int, into: Gallery = gallery) -> None:
        into.enroll(
            name, [NewReference(make_template(seed), face, f"{seed}.jpg", f"hash {seed}") for seed in seeds]
        )

    return enroll


def content(people: People) -> dict[str, int]:
    return {
        people.subject(position).name: int(np.sum(people.owners == id))
        for position, id in enumerate(people.ids)
    }


def assert_as_made_anew(followed: People, gallery: Gallery) -> None:
    anew = View(gallery).people()
    assert content(followed) == content(anew)
    np.testing.assert_allclose(followed.centroids, anew.centroids, atol=1e-6)


CHANGES: dict[str, Callable[[Gallery, Enroll], object]] = {
    "enroll": lambda gallery, enroll: enroll("Omar", 7),
    "enroll more": lambda gallery, enroll: enroll("Ada", 7, 8),
    "rename": lambda gallery, enroll: gallery.rename("Ada", "Ada Lovelace"),
    "merge": lambda gallery, enroll: gallery.merge("Grace", "Ada"),
    "delete": lambda gallery, enroll: gallery.delete("Ada"),
    "move": lambda gallery, enroll: gallery.move_references([1], "Grace"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_is_followed(change: str, gallery: Gallery, enroll: Enroll) -> None:
    enroll("Ada", 1, 2)
    enroll("Grace", 3)
    view = View(gallery)
    before = view.people()
    CHANGES[change](gallery, enroll)
    after = view.people()
    assert after is not before
    assert_as_made_anew(after, gallery)


def test_changes_of_another_process_are_followed(gallery: Gallery, enroll: Enroll) -> None:
    enroll("Ada", 1)
    view = View(gallery)
    view.people()
    with Gallery.open(gallery.path) as other:
        enroll("Grace", 2, into=other)
        other.rename("Ada", "Ada Lovelace")
    assert content(view.people()) == {"Ada Lovelace": 1, "Grace": 1}


def test_nothing_is_read_where_nothing_changed(gallery: Gallery, enroll: Enroll) -> None:
    enroll("Ada", 1)
    view = View(gallery)
    assert view.people() is view.people()


def test_only_what_changed_is_read(gallery: Gallery, enroll: Enroll, monkeypatch: pytest.MonkeyPatch) -> None:
    enroll("Ada", 1, 2)
    enroll("Grace", 3)
    view = View(gallery)
    view.people()
    read: list[int] = []
    changes_since = gallery.changes_since

    def watch(revision: int) -> object:
        changes = changes_since(revision)
        read.append(len(changes.owners))
        return changes

    monkeypatch.setattr(gallery, "changes_since", watch)
    gallery.rename("Grace", "Grace Hopper")
    view.people()
    assert read == [1]


def test_many_threads_share_one_reading(
    gallery: Gallery, enroll: Enroll, monkeypatch: pytest.MonkeyPatch
) -> None:
    enroll("Ada", 1)
    view, found, read = View(gallery), [], []
    changes_since = gallery.changes_since
    monkeypatch.setattr(
        gallery, "changes_since", lambda revision: read.append(revision) or changes_since(revision)
    )
    threads = [threading.Thread(target=lambda: found.append(view.people())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(people) for people in found}) == 1
    assert read.count(-1) == 1


def test_an_svm_is_fitted_once_and_kept(
    gallery: Gallery, enroll: Enroll, monkeypatch: pytest.MonkeyPatch
) -> None:
    enroll("Ada", 1, 2)
    assert View(gallery).svm()[1] is None, "there is nobody to tell apart"
    enroll("Grace", 3, 4)
    fitted: list[int] = []
    fit = LinearSVM.fit
    monkeypatch.setattr(LinearSVM, "fit", lambda self, X, y: fitted.append(len(y)) or fit(self, X, y))
    first = View(gallery).svm()[1]
    again = View(gallery).svm()[1]
    assert fitted == [4], "the second is read"
    gallery.rename("Ada", "Ada Lovelace")
    assert View(gallery).svm()[1] is not None
    assert fitted == [4], "a name changes nothing that it learned"
    enroll("Grace", 5)
    people, third = View(gallery).svm()
    assert (fitted, len(people.references)) == ([4, 5], 5)
    assert first is not None
    assert again is not None
    assert third is not None
    assert (first.coefficients_ == again.coefficients_).all()


def test_a_stored_svm_of_another_layout_is_fitted_anew(gallery: Gallery, enroll: Enroll) -> None:
    enroll("Ada", 1, 2)
    enroll("Grace", 3, 4)
    expected = View(gallery).svm()[1]
    assert expected is not None
    for arrays in (
        {},
        {"coefficients": np.zeros((2, 3))},
        expected.to_arrays() | {"classes": np.array([8, 9])},
    ):
        gallery.save_classifier("svm", gallery.changes_since(-1).references_revision, arrays)
        found = View(gallery).svm()[1]
        assert found is not None
        assert (found.coefficients_ == expected.coefficients_).all()


def test_a_gallery_has_one_view(gallery: Gallery) -> None:
    assert view_of(gallery) is view_of(gallery)
