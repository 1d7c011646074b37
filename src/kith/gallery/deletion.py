"""A person is deleted: everything that is the person's goes, and what only may be is told.

The person's are: references; the faces of clusters of that name; faces of the album that are the very
faces of references, also where their cluster has no name; photos that show no one else; the name, also
where the path of another photo holds it. Other faces that may be the person's are left and listed: only
someone who knows the person can tell.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import (
    ColumnElement,
    Connection,
    String,
    Table,
    bindparam,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)

from kith.decisions.cosine import score_all
from kith.gallery import store
from kith.gallery.paths import NamesInPaths, rough_pattern
from kith.gallery.same_face import is_same_face
from kith.records import FloatArray, Subject

_AT_ONCE = 1000  # faces compared with all references
_NOT_ASCII = "*[^\x01-\x7f]*"


@dataclass(frozen=True, slots=True)
class MayBelong:
    """A face that is still there, and may be a deleted person's.

    Attributes:
        face: Its number.
        cluster: The number of its cluster, which has no name; None if it is not in one yet.
        source: Where its photo is.
        score: The best with the person's references; see `Gallery.delete`.
    """

    face: int
    cluster: int | None
    source: str
    score: float


@dataclass(frozen=True, slots=True)
class Deletion:
    """What became of a person who was deleted.

    Attributes:
        subject: The person.
        references: How many were deleted.
        faces: How many faces of the album were, with their thumbnails.
        photos: How many photos are not known any more: they showed no one else.
        places: How many photos and references of others lost their path, which held the name.
        may_belong: Faces without a name that are left, and may be the person's.
        cleaned: Whether all of it is overwritten on the disk; if not, another process keeps old copies
            until it ends, and the next opening of the gallery, or `Gallery.clean`, overwrites them.
    """

    subject: Subject
    references: int
    faces: int
    photos: int
    places: int
    may_belong: tuple[MayBelong, ...]
    cleaned: bool


def delete_person(
    connection: Connection, subject: Subject, names: Sequence[str], threshold: float
) -> Deletion:
    """Delete a person and all that is the person's, in one transaction that the caller has begun.

    Args:
        connection: Writing.
        subject: The person.
        names: All names the person has and had.
        threshold: The score from which a face without a name may be the person's.

    Returns:
        With `cleaned` False: that can only be after the transaction.
    """
    references, faces = store.references.c, store.faces.c
    of_subject = references.subject_id == subject.id
    own = connection.execute(select(func.count()).where(of_subject)).scalar_one()
    in_clusters = select(faces.id).join(store.clusters).where(store.clusters.c.subject_id == subject.id)
    gone = set(connection.execute(in_clusters).scalars()) | set(faces_of_references(connection, subject))
    may_belong = _may_belong(connection, subject, gone, threshold)
    shown = delete_faces(connection, gone)
    others = select(store.subjects.c.name).where(store.subjects.c.id != subject.id)
    longer = others.where(_may_hold(store.subjects.c.name, names))
    paths = NamesInPaths(names, connection.execute(longer).scalars())
    named = _holding(connection, store.photos, names, paths)
    deleted = _delete_photos_without_faces(connection, shown | named)
    connection.execute(delete(store.subjects).where(store.subjects.c.id == subject.id))
    places = _delete_paths(connection, store.photos, named - deleted)
    places += _delete_paths(
        connection, store.references, _holding(connection, store.references, names, paths)
    )
    connection.execute(delete(store.classifiers))  # support vectors are made of embeddings
    return Deletion(subject, own, len(gone), len(deleted), places, may_belong, cleaned=False)


def faces_of_references(connection: Connection, subject: Subject | None = None) -> dict[int, str]:
    """The album's faces that are the very faces of references, and whose: of one subject, or of all."""
    references, faces, photos = store.references.c, store.faces.c, store.photos.c
    is_same = store.is_photo(connection, store.references, photos.pixels_hash, photos.file_hash)
    query = (
        select(faces.id, faces.box, references.box.label("enrolled"), store.subjects.c.name)
        .join_from(store.faces, store.photos)
        .join(store.references, is_same)
        .join(store.subjects, store.subjects.c.id == references.subject_id)
    )
    if subject is not None:
        query = query.where(references.subject_id == subject.id)
    return {
        row.id: row.name
        for row in connection.execute(query)
        if is_same_face(np.frombuffer(row.box, "<f4"), np.frombuffer(row.enrolled, "<f4"))
    }


def delete_faces(connection: Connection, ids: set[int]) -> set[int]:
    """Delete faces, and clusters that have none any more; returns the photos they were in."""
    faces = store.faces.c
    owners = connection.execute(select(faces.id, faces.photo_id)).all() if ids else []
    delete_rows(connection, store.faces, ids)
    delete_empty_clusters(connection)
    return {row.photo_id for row in owners if row.id in ids}


def delete_empty_clusters(connection: Connection) -> None:
    """Delete the clusters that have no face any more."""
    has_faces = exists().where(store.faces.c.cluster_id == store.clusters.c.id)
    connection.execute(delete(store.clusters).where(~has_faces))


def delete_rows(connection: Connection, table: Table, ids: set[int]) -> None:
    """Delete rows by their numbers, however many."""
    if ids:
        connection.execute(delete(table).where(table.c.id == bindparam("row")), [{"row": id} for id in ids])


def _delete_photos_without_faces(connection: Connection, ids: set[int]) -> set[int]:
    empty = select(store.photos.c.id).where(~exists().where(store.faces.c.photo_id == store.photos.c.id))
    found = ids & set(connection.execute(empty).scalars())
    delete_rows(connection, store.photos, found)
    return found


def _holding(connection: Connection, table: Table, names: Sequence[str], paths: NamesInPaths) -> set[int]:
    """The rows whose path holds a name."""
    rows = connection.execute(select(table.c.id, table.c.source).where(_may_hold(table.c.source, names)))
    return {row.id for row in rows if paths.within(row.source)}


def _may_hold(column: ColumnElement[str], names: Sequence[str]) -> ColumnElement[bool]:
    """Whether a text may hold one of the names, so that Python need not look at all texts there are."""
    patterns = [column.op("LIKE")(literal(rough_pattern(name), String)) for name in names]
    return or_(*patterns, column.op("GLOB")(literal(_NOT_ASCII, String)))


def _delete_paths(connection: Connection, table: Table, ids: set[int]) -> int:
    if ids:
        statement = update(table).where(table.c.id == bindparam("row")).values(source="")
        connection.execute(statement, [{"row": id} for id in ids])
    return len(ids)


def _may_belong(
    connection: Connection, subject: Subject, gone: set[int], threshold: float
) -> tuple[MayBelong, ...]:
    """Faces without a name that look like a person, or share a cluster with faces that are the person's."""
    references, faces, clusters = store.references.c, store.faces.c, store.clusters.c
    of_subject = select(references.embedding).where(references.subject_id == subject.id)
    own = list(connection.execute(of_subject).scalars())
    shared = set()
    for id, cluster, embedding in connection.execute(select(faces.id, faces.cluster_id, faces.embedding)):
        if id in gone:
            own.append(embedding)
            shared.add(cluster)
    nameless = (
        select(faces.id, faces.cluster_id, store.photos.c.source, faces.embedding)
        .join_from(store.faces, store.photos)
        .outerjoin(store.clusters)
        .where(clusters.subject_id.is_(None))
        .order_by(faces.id)
        .execution_options(yield_per=_AT_ONCE)
    )
    found = []
    for rows in connection.execute(nameless).partitions():
        left = [row for row in rows if row.id not in gone]
        scores = _best_scores([row.embedding for row in left], own)
        for row, score in zip(left, scores, strict=True):
            if score >= threshold or row.cluster_id in shared - {None}:
                found.append(MayBelong(row.id, row.cluster_id, row.source, float(score)))
    return tuple(found)


def _best_scores(embeddings: Sequence[bytes], own: Sequence[bytes]) -> np.ndarray:
    """The best score of each embedding (n,) with a person's own; -1 where there is none to compare with.

    One that is damaged, and of another size, keeps no one from being deleted.
    """
    best = np.full(len(embeddings), -1.0)
    for size in {len(each) for each in embeddings} & {len(each) for each in own}:
        rows = [row for row, each in enumerate(embeddings) if len(each) == size]
        theirs = _stacked([embeddings[row] for row in rows])
        best[rows] = score_all(theirs, _stacked([each for each in own if len(each) == size])).max(axis=1)
    return best


def _stacked(embeddings: Sequence[bytes]) -> FloatArray:
    return np.frombuffer(b"".join(embeddings), "<f4").reshape(len(embeddings), -1)
