"""The people of a gallery in memory, following what this and other processes change in it."""

import os
import threading
from weakref import WeakKeyDictionary

from kith.decisions.svm import LinearSVM
from kith.gallery import Gallery
from kith.search.people import People

_SVM = "svm"


class View:
    """Follows one gallery; safe to use from many threads, of which one reads what changed for all.

    Args:
        gallery: What is followed.
    """

    def __init__(self, gallery: Gallery) -> None:
        self._gallery = gallery
        self._lock = threading.Lock()
        self._people: People | None = None
        self._revision = self._references_revision = -1
        self._svm: tuple[People, LinearSVM | None] | None = None

    def people(self) -> People:
        """Who is enrolled now.

        Raises:
            GalleryError: The database refused, or an embedding is damaged.
        """
        with self._lock:
            return self._follow()

    def svm(self) -> tuple[People, LinearSVM | None]:
        """Who is enrolled now, and an SVM that tells them apart; None of fewer than two people.

        Raises:
            GalleryError: The database refused, or an embedding is damaged.
        """
        with self._lock:
            people = self._follow()
            if self._svm is None or self._svm[0] is not people:
                self._svm = people, self._load_or_fit(people)
            return self._svm

    def _follow(self) -> People:
        changes = self._gallery.changes_since(self._revision)
        if self._people is None or changes.whole:
            self._people = People.of(changes.embeddings, changes.owners, changes.subjects)
        elif len(changes.ids):
            self._people = self._people.with_changed(
                changes.ids, changes.embeddings, changes.owners, changes.subjects
            )
        self._revision, self._references_revision = changes.revision, changes.references_revision
        return self._people

    def _load_or_fit(self, people: People) -> LinearSVM | None:
        if len(people) < 2:
            return None
        arrays = self._gallery.load_classifier(_SVM, self._references_revision)  # it takes long to fit
        if arrays is not None:
            try:
                svm = LinearSVM.from_arrays(arrays)
            except ValueError:
                pass  # it is none of ours
            else:
                if svm.tells_apart(people.ids, people.references.shape[1]):
                    return svm
        svm = LinearSVM().fit(people.references, people.owners)
        self._gallery.save_classifier(_SVM, self._references_revision, svm.to_arrays())
        return svm


_views: "WeakKeyDictionary[Gallery, tuple[int, View]]" = WeakKeyDictionary()


def view_of(gallery: Gallery) -> View:
    """The view of a gallery, one for all that search it in this process."""
    process, view = _views.get(gallery, (0, None))
    if view is None or process != os.getpid():  # in a forked child another thread may have held the lock
        view = View(gallery)
        _views[gallery] = os.getpid(), view
    return view
