"""A cluster gets a name: its faces become references of a person."""

from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, select, update

from kith.errors import DuplicateSubject, GalleryError, LowQuality
from kith.gallery import store
from kith.gallery.album import Album, require_cluster
from kith.gallery.gallery import (
    Gallery,
    NewReference,
    add_reference,
    add_subject,
    clean_name,
    find_subject,
    raise_revision,
)
from kith.records import Face, Subject, Template


@dataclass(frozen=True, slots=True)
class Named:
    """What became of the faces of a cluster that was named.

    Attributes:
        subject: The person.
        enrolled: Faces that are references from now on.
        already: Faces of photos that were enrolled as this person before.
        unfit: Faces that are not good enough for references; they stay in the cluster.
    """

    subject: Subject
    enrolled: int
    already: int
    unfit: int


def name_cluster(album: Album, cluster: int, name: str) -> Named:
    """Make the faces of a cluster references of a person, new or known; all of them or none.

    Named again after faces were added, the new ones are enrolled.

    Raises:
        UnknownCluster: There is no such cluster.
        DuplicateSubject: The cluster is someone else's already.
        DuplicateReference: One of the faces is enrolled as someone else.
        LowQuality: None of the faces is good enough for a reference.
        GalleryError: The person is another face of one of the photos; or the database refused.
        ValueError: The name is not fit for one.
    """
    gallery, name = album.gallery, clean_name(name)
    with store.write(gallery.engine, gallery.path) as connection:
        gallery.require_own_model(connection)
        owner = require_cluster(connection, cluster)
        if owner is not None and owner.name != name:
            raise DuplicateSubject(
                f"cluster {cluster} is {owner.name} already; "
                f"to give the person another name, use: kith people rename {owner.name!r} {name!r}"
            )
        subject = find_subject(connection, name) or add_subject(connection, name)
        _require_nobody_twice(connection, cluster, subject)
        named = _enroll(gallery, connection, cluster, subject)
        connection.execute(
            update(store.clusters).where(store.clusters.c.id == cluster).values(subject_id=subject.id)
        )
        raise_revision(connection)
    return named


def _enroll(gallery: Gallery, connection: Connection, cluster: int, subject: Subject) -> Named:
    references, faces = store.references.c, store.faces.c
    rows = connection.execute(
        select(store.faces, store.photos.c.source, store.photos.c.source_hash)
        .join_from(store.faces, store.photos)
        .where(faces.cluster_id == cluster)
        .order_by(faces.id)
    ).all()
    own = select(references.source_hash).where(references.subject_id == subject.id)
    enrolled_before = set(connection.execute(own).scalars())
    fresh = [row for row in rows if row.source_hash not in enrolled_before]
    fit = [row for row in fresh if not row.unfit]
    if not fit and len(fresh) == len(rows):
        raise LowQuality(f"no face of cluster {cluster} is good enough to enroll: {rows[0].unfit}")
    for row in fit:
        face = Face(
            np.frombuffer(row.box, "<f4"),
            np.frombuffer(row.landmarks, "<f4").reshape(5, 2),
            row.detection_score,
        )
        template = Template(np.frombuffer(row.embedding, "<f4"), gallery.model_id)
        add_reference(connection, subject, NewReference(template, face, row.source, row.source_hash))
    return Named(subject, len(fit), len(rows) - len(fresh), len(fresh) - len(fit))


def _require_nobody_twice(connection: Connection, cluster: int, subject: Subject) -> None:
    """Raise if another cluster of the person has a face in one of this cluster's photos."""
    faces = store.faces.c
    others = (
        select(store.photos.c.source)
        .join_from(store.faces, store.photos)
        .join(store.clusters)
        .where(store.clusters.c.subject_id == subject.id, store.clusters.c.id != cluster)
        .where(faces.photo_id.in_(select(faces.photo_id).where(faces.cluster_id == cluster)))
    )
    photo = connection.execute(others).scalars().first()
    if photo is not None:
        raise GalleryError(f"{subject.name} is another face of {photo} already; nobody is twice in one photo")
