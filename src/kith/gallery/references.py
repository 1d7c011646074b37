"""References in the database: a photo's face under a person."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import ColumnElement, Connection, insert, select

from kith.errors import DuplicateReference, UnknownReference
from kith.gallery import store
from kith.gallery.same_face import is_same_face
from kith.gallery.values import MAX_ID, now
from kith.records import Face, FloatArray, Subject, Template


@dataclass(frozen=True, slots=True, eq=False)
class NewReference:
    """A face to enroll.

    Attributes:
        template: Its embedding and model.
        face: Where it is in its photo.
        source: Where the photo is, for people and for re-embedding; may be empty.
        pixels_hash: Of the photo's pixels, see `kith.images.reading.content_hash`.
        file_hash: SHA-256 of the photo's file, in hexadecimal; empty of an array. The same photo, told by
            its file or else by its pixels, is enrolled once.
    """

    template: Template
    face: Face
    source: str
    pixels_hash: str
    file_hash: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """An enrolled face, without its embedding."""

    id: int
    subject: Subject
    source: str
    pixels_hash: str
    detection_score: float
    created: datetime


def references_where(connection: Connection, condition: ColumnElement[bool]) -> list[Reference]:
    """The references for which a condition holds, oldest first."""
    columns = store.references.c
    query = (
        select(
            *(columns.id, columns.subject_id, store.subjects.c.name),
            *(columns.source, columns.pixels_hash, columns.detection_score, columns.created),
        )
        .join_from(store.references, store.subjects)
        .where(condition)
        .order_by(columns.id)
    )
    return [Reference(row[0], Subject(row[1], row[2]), *row[3:]) for row in connection.execute(query)]


def require_references(connection: Connection, ids: Sequence[int]) -> tuple[Reference, ...]:
    """The references of these numbers, each once.

    Raises:
        UnknownReference: There is none of one of the numbers.
    """
    found = []
    for id in dict.fromkeys(ids):
        of_it = references_where(connection, store.references.c.id == id) if 0 < id < MAX_ID else []
        if not of_it:
            raise UnknownReference(id)
        found += of_it
    return tuple(found)


def left_without(connection: Connection, changed: Sequence[Reference]) -> tuple[Subject, ...]:
    """Of the people whose references are changed, those who have none but these."""
    columns = store.references.c
    ids = {reference.id for reference in changed}
    left = {
        subject: connection.execute(select(columns.id).where(columns.subject_id == subject.id)).scalars()
        for subject in dict.fromkeys(reference.subject for reference in changed)
    }
    return tuple(subject for subject, theirs in left.items() if ids.issuperset(theirs))


def add_reference(connection: Connection, subject: Subject, reference: NewReference) -> None:
    """Add a reference.

    Raises:
        DuplicateReference: The face is enrolled already, or another face of its photo as the same person.
    """
    for other in enrolled_faces(connection, reference.pixels_hash, reference.file_hash):
        if other.subject == subject or is_same_face(other.box, reference.face.box):
            raise DuplicateReference(reference.source, other.id, other.subject.name, subject.name)
    connection.execute(insert(store.references).values(row_of(subject, reference)))


@dataclass(frozen=True, slots=True, eq=False)
class EnrolledFace:
    """A reference's number, whose it is, and its box (4,)."""

    id: int
    subject: Subject
    box: FloatArray


def lacks_file_hash(connection: Connection, pixels_hash: str) -> bool:
    """Whether a photo is enrolled without its file's hash."""
    if not store.has_file_hashes(connection):
        return False
    columns = store.references.c
    unnamed = (columns.pixels_hash == pixels_hash) & (columns.file_hash == "")
    return connection.execute(select(columns.id).where(unnamed)).first() is not None


def faces_of_the_photo_of(connection: Connection, reference: int) -> list[EnrolledFace]:
    """The enrolled faces of a reference's photo, oldest first."""
    columns = store.references.c
    query = select(columns.pixels_hash, columns.file_hash).where(columns.id == reference)
    return enrolled_faces(connection, *connection.execute(query).one())


def enrolled_faces(connection: Connection, pixels_hash: str, file_hash: str) -> list[EnrolledFace]:
    """A photo's enrolled faces, oldest first."""
    columns = store.references.c
    rows = connection.execute(
        select(columns.id, store.subjects.c.id, store.subjects.c.name, columns.box)
        .join_from(store.references, store.subjects)
        .where(store.is_photo(connection, store.references, pixels_hash, file_hash))
        .order_by(columns.id)
    ).all()
    return [EnrolledFace(row[0], Subject(row[1], row[2]), np.frombuffer(row[3], "<f4")) for row in rows]


def row_of(subject: Subject, reference: NewReference) -> dict[str, object]:
    """The row that holds a reference."""
    return {
        "subject_id": subject.id,
        "embedding": reference.template.embedding.astype("<f4").tobytes(),
        "source": reference.source.encode(errors="backslashreplace").decode(),  # file names may be no UTF-8
        "pixels_hash": reference.pixels_hash,
        "file_hash": reference.file_hash,
        "box": reference.face.box.astype("<f4").tobytes(),
        "landmarks": reference.face.landmarks.astype("<f4").tobytes(),
        "detection_score": reference.face.detection_score,
        "created": now(),
    }
