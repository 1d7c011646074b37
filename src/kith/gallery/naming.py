"""A cluster gets a name: its faces become references of a person."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, select, update

from kith.errors import DuplicateSubject, LowQuality, Remedy
from kith.gallery import store
from kith.gallery.album import Album, require_cluster
from kith.gallery.gallery import Gallery
from kith.gallery.names import clean_name
from kith.gallery.people import add_subject, find_subject
from kith.gallery.references import NewReference, add_reference
from kith.gallery.revision import raise_revision
from kith.gallery.same_face import is_same_face
from kith.records import Face, FloatArray, Subject, Template


@dataclass(frozen=True, slots=True)
class Named:
    """What became of the faces of a cluster that was named.

    Attributes:
        subject: The person.
        enrolled: Faces that are references from now on.
        already: Faces of photos that were enrolled as this person before.
        twice: Other faces of photos that have a reference of the person, as in a collage or with a mirror;
            they stay in the cluster, and are the person's, but no references.
        unfit: Faces that are not good enough for references; they stay in the cluster.
    """

    subject: Subject
    enrolled: int
    already: int
    twice: int
    unfit: int


def name_cluster(album: Album, cluster: int, name: str) -> Named:
    """Make the faces of a cluster references of a person, new or known; all of them or none.

    Named again after faces were added, the new ones are enrolled. One photo gives a person one reference.

    Raises:
        UnknownCluster: There is no such cluster.
        DuplicateSubject: The cluster is someone else's already.
        DuplicateReference: One of the faces is enrolled as someone else.
        LowQuality: The person is new, and none of the faces is good enough for a reference.
        GalleryError: The database refused.
        InvalidArgument: The name is not fit for one.
    """
    gallery, name = album.gallery, clean_name(name)
    with store.write(gallery.engine, gallery.path) as connection:
        gallery.require_own_model(connection)
        owner = require_cluster(connection, cluster)
        if owner is not None and owner.name != name:
            raise DuplicateSubject(
                f"cluster {cluster} is {owner.name} already; rename the person, if that is another name",
                remedy=Remedy.RENAME_PERSON,
                about=[owner.name, name],
            )
        subject = find_subject(connection, name) or add_subject(connection, name)
        named = _enroll(gallery, connection, cluster, subject)
        connection.execute(
            update(store.clusters).where(store.clusters.c.id == cluster).values(subject_id=subject.id)
        )
        raise_revision(connection, [subject.id], references=named.enrolled > 0)
    return named


def _enroll(gallery: Gallery, connection: Connection, cluster: int, subject: Subject) -> Named:
    faces = store.faces.c
    rows = connection.execute(
        select(store.faces, store.photos.c.source, store.photos.c.pixels_hash, store.photos.c.file_hash)
        .join_from(store.faces, store.photos)
        .where(faces.cluster_id == cluster)
        .order_by(faces.id)
    ).all()
    known = _boxes_of(connection, subject)
    is_new = not known
    became = Counter[str]()
    for row in rows:
        box = np.frombuffer(row.box, "<f4")
        hashes = {row.pixels_hash, row.file_hash} - {""}
        others = [known[one] for one in hashes if one in known]
        if others:
            is_same = is_same_face(box, others[0])
            became["already" if is_same else "twice"] += 1
        elif row.unfit:
            became["unfit"] += 1
        else:
            face = Face(box, np.frombuffer(row.landmarks, "<f4").reshape(5, 2), row.detection_score)
            template = Template(np.frombuffer(row.embedding, "<f4"), gallery.model_id)
            reference = NewReference(template, face, row.source, row.pixels_hash, row.file_hash)
            add_reference(connection, subject, reference)
            known |= dict.fromkeys(hashes, box)
            became["enrolled"] += 1
    if is_new and not became["enrolled"]:
        raise LowQuality(f"no face of cluster {cluster} is good enough to enroll: {rows[0].unfit}")
    return Named(subject, *(became[what] for what in ("enrolled", "already", "twice", "unfit")))


def _boxes_of(connection: Connection, subject: Subject) -> dict[str, FloatArray]:
    """Where in each photo (either of its hashes) a person's reference is: a box (4,)."""
    references = store.references.c
    of_subject = select(references.pixels_hash, references.file_hash, references.box).where(
        references.subject_id == subject.id
    )
    return {
        one: np.frombuffer(row.box, "<f4")
        for row in connection.execute(of_subject)
        for one in {row.pixels_hash, row.file_hash} - {""}
    }
