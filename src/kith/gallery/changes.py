"""What has changed in a gallery, for whoever keeps its embeddings in memory."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, select

from kith.gallery import store
from kith.gallery.revision import changed_since, references_revision_of, revision_of
from kith.gallery.values import DamagedValue
from kith.records import FloatArray, Subject


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """What is new in a gallery since one of its revisions; see `Gallery.changes_since`.

    Attributes:
        revision: Of the gallery as it is now.
        references_revision: At which references last changed, and not names only.
        whole: Whether this is everyone: whoever is not in it is not in the gallery.
        ids: (k,) int64, the subjects who changed, came or went since; ascending.
        embeddings: (m, d) float32 of unit length: all of these subjects' references, oldest first.
        owners: (m,) int64, the subject of each.
        subjects: By id, those of these subjects who are there now.
    """

    revision: int
    references_revision: int
    whole: bool
    ids: np.ndarray
    embeddings: FloatArray
    owners: np.ndarray
    subjects: dict[int, Subject]


def read_changes(
    connection: Connection, revision: int, stack: Callable[[list[bytes]], FloatArray]
) -> Changes:
    """Read what has changed since a revision; everything where that is not known.

    Args:
        connection: In a transaction that reads.
        revision: What is known already.
        stack: Makes an array (m, d) of stored embeddings.

    Raises:
        DamagedValue: A reference is nobody's.
    """
    columns, references = store.subjects.c, store.references.c
    people = select(columns.id, columns.name)
    rows = select(references.subject_id, references.embedding).order_by(references.id)
    ids = changed_since(connection, revision)
    if ids is not None:
        later = select(store.changes.c.subject_id).where(store.changes.c.revision > revision)
        people, rows = people.where(columns.id.in_(later)), rows.where(references.subject_id.in_(later))
    nothing = ids is not None and not ids
    found = [] if nothing else connection.execute(rows).all()
    subjects = {} if nothing else {id: Subject(id, name) for id, name in connection.execute(people)}
    if not subjects.keys() >= {row.subject_id for row in found}:
        raise DamagedValue
    return Changes(
        revision_of(connection),
        references_revision_of(connection),
        ids is None,
        np.array(sorted(subjects if ids is None else ids), np.int64),
        stack([row.embedding for row in found]),
        np.array([row.subject_id for row in found], np.int64),
        subjects,
    )
