"""A gallery is reembedded: it is on its way from one model to another.

New embeddings wait in a table of their own, where a killed process leaves them for the next. One
transaction then puts all of them in their places and binds the gallery to the new model.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from kith.errors import GalleryError
from kith.gallery import store
from kith.gallery.album import clear as clear_album
from kith.gallery.gallery import Gallery, model_of
from kith.gallery.revision import begin_anew
from kith.records import Face, FloatArray, Template

_log = logging.getLogger("kith")


@dataclass(frozen=True, slots=True, eq=False)
class Unembedded:
    """A reference that has no embedding of the new model yet.

    Attributes:
        id: Of the reference.
        name: Of its subject.
        source: Where the photo was when it was enrolled.
        pixels_hash: Of the photo's pixels.
        file_hash: Of its file; empty where that is not known.
        box: (4,) float32: where the face was found in it.
    """

    id: int
    name: str
    source: str
    pixels_hash: str
    file_hash: str
    box: FloatArray


class Reembedding:
    """What a gallery needs to change its model.

    Args:
        gallery: Still bound to the old model.
        model_id: The new model.

    Raises:
        GalleryError: The gallery is bound to that model already, or cannot be written.
    """

    def __init__(self, gallery: Gallery, model_id: str) -> None:
        if gallery.model_id == model_id:
            raise GalleryError(f"{gallery.path} holds {model_id}'s templates already")
        self._gallery = gallery
        self._model_id = model_id
        self._known: set[int] = set()
        with store.write(gallery.engine, gallery.path) as connection:
            gallery.require_own_model(connection)
            connection.execute(delete(store.waiting).where(store.waiting.c.model_id != model_id))

    def pending(self) -> list[Unembedded]:
        """The references without an embedding of the new model."""
        columns = store.references.c
        query = (
            select(
                *(columns.id, store.subjects.c.name, columns.source),
                *(columns.pixels_hash, columns.file_hash, columns.box),
            )
            .join_from(store.references, store.subjects)
            .outerjoin(store.waiting, store.waiting.c.reference_id == columns.id)
            .where(store.waiting.c.reference_id.is_(None))
            .order_by(columns.id)
        )
        with store.read(self._gallery.engine, self._gallery.path) as connection:
            rows = connection.execute(query).all()
            self._known = set(connection.execute(select(columns.id)).scalars())
        try:
            return [Unembedded(*row[:5], np.frombuffer(row.box, "<f4")) for row in rows]
        except ValueError:
            raise store.damaged(self._gallery.path) from None

    def add(self, reference: Unembedded, template: Template, face: Face, file_hash: str = "") -> None:
        """Save a reference's new embedding until all are there; passes over one deleted meanwhile.

        Args:
            reference: The reference.
            template: Of the new model.
            face: As it was found in the photo now.
            file_hash: Of the photo's file, which from now on tells it.
        """
        if template.model_id != self._model_id:
            raise ValueError(
                f"the template is of {template.model_id}, the gallery is reembedded with {self._model_id}"
            )
        row = {
            "reference_id": reference.id,
            "model_id": self._model_id,
            "embedding": template.embedding.astype("<f4").tobytes(),
            "box": face.box.astype("<f4").tobytes(),
            "landmarks": face.landmarks.astype("<f4").tobytes(),
        }
        with store.write(self._gallery.engine, self._gallery.path) as connection:
            try:
                connection.execute(insert(store.waiting).values(row))
            except IntegrityError:
                return
            if file_hash:
                of_it = store.references.c.id == reference.id
                connection.execute(update(store.references).where(of_it).values(file_hash=file_hash))

    def finish(self, leave_out: Sequence[Unembedded] = ()) -> None:
        """Bind the gallery to the new model: all of it, or nothing.

        Args:
            leave_out: References that are deleted; no other may be without a new embedding.

        Raises:
            GalleryError: Some other reference has no new embedding, as where another process reembeds the
                gallery too; or the database refused.
        """
        given_up = {reference.id for reference in leave_out}
        old, new = store.references.c, store.waiting.c
        with store.write(self._gallery.engine, self._gallery.path) as connection:
            if model_of(connection) == self._model_id:  # another process was faster
                self._gallery.model_id = self._model_id
                connection.execute(delete(store.waiting).where(new.model_id == self._model_id))
                return
            self._gallery.require_own_model(connection)
            connection.execute(delete(store.references).where(old.id.in_(given_up)))
            ready = select(new.reference_id).where(new.model_id == self._model_id)
            missing = set(connection.execute(select(old.id).where(old.id.not_in(ready))).scalars())
            if missing & self._known:
                raise GalleryError(
                    f"{self._gallery.path}: another process reembeds it too; run it again when that is done"
                )
            if missing:
                raise GalleryError(
                    f"{self._gallery.path}: someone was enrolled while it was reembedded; run it again"
                )
            values = {
                name: select(new[name]).where(new.reference_id == old.id).scalar_subquery()
                for name in ("embedding", "box", "landmarks")
            }
            connection.execute(update(store.references).values(values))
            if given_up:
                with_references = select(old.subject_id)
                connection.execute(delete(store.subjects).where(store.subjects.c.id.not_in(with_references)))
            connection.execute(delete(store.classifiers))
            clear_album(connection)
            connection.execute(
                update(store.settings).where(store.settings.c.name == "model_id").values(value=self._model_id)
            )
            begin_anew(connection)
            connection.execute(delete(store.waiting))
        _log.info("kith: a gallery of %s is one of %s now", self._gallery.model_id, self._model_id)
        self._gallery.model_id = self._model_id
