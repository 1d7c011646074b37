"""The album: photos that were looked through, their faces, and which of these belong together.

It lies in the gallery's file. Nothing in it has to do with who is enrolled until a cluster is named.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from kith.errors import GalleryError, Remedy, UnknownCluster
from kith.gallery import store
from kith.gallery.deletion import delete_empty_clusters, delete_rows
from kith.gallery.gallery import Gallery
from kith.gallery.gone import Gone, find_gone, is_there
from kith.gallery.revision import raise_revision
from kith.records import Face, FloatArray, Subject, Template


@dataclass(frozen=True, slots=True)
class PhotoFile:
    """A photo's file: where it is, and by what a change of it is noticed.

    Attributes:
        source: Its path.
        size: In bytes.
        modified: When, in nanoseconds.
        hash: SHA-256 of its content, in hexadecimal; empty where that was not read.
    """

    source: str
    size: int
    modified: int
    hash: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class NewFace:
    """A face to add to the album.

    Attributes:
        face: Where it is in its photo.
        template: Its embedding and model.
        unfit: Why it is not good enough to enroll; empty if it is.
        picture: A small JPEG of it.
    """

    face: Face
    template: Template
    unfit: str
    picture: bytes


@dataclass(frozen=True, slots=True, eq=False)
class AlbumFaces:
    """All faces of an album, as arrays.

    Attributes:
        ids: (n,) int64.
        photos: (n,) int64, the photo each is in.
        clusters: (n,) int64, the cluster each is in; 0 if none yet.
        subjects: (n,) int64, whom the cluster is named after; 0 if no one.
        crowds: (n,) float64; see `kith.clustering`.
        embeddings: (n, d) float32.
        links: (m, 2) int64, ids of two faces.
        together: (m,) bool, whether linked faces must be in one cluster, or must not.
    """

    ids: np.ndarray
    photos: np.ndarray
    clusters: np.ndarray
    subjects: np.ndarray
    crowds: np.ndarray
    embeddings: FloatArray
    links: np.ndarray
    together: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class ClusterSummary:
    """A cluster: its number, whom it is named after, and how many faces of how many photos it holds."""

    id: int
    subject: Subject | None
    faces: int
    photos: int


@dataclass(frozen=True, slots=True)
class ClusteredFace:
    """A face of a cluster: its number, its cluster's, and where its photo is."""

    id: int
    cluster: int
    source: str


class Album:
    """The album of a gallery.

    Args:
        gallery: Open.

    Raises:
        GalleryError: The gallery is of an older Kith, and cannot be written.
    """

    def __init__(self, gallery: Gallery) -> None:
        self.gallery = gallery
        with store.read(gallery.engine, gallery.path) as connection:
            if not store.has_album(connection):
                raise GalleryError(
                    f"{gallery.path} was made by an older version of Kith; "
                    "make it and its folder writable, so that it can be brought up to date"
                )

    def knows_file(self, file: PhotoFile) -> bool:
        """Whether a file was looked through, and has not changed since."""
        columns = store.photos.c
        query = select(columns.id).where(
            columns.source == stored_text(file.source),
            columns.bytes == file.size,
            columns.modified == file.modified,
        )
        with store.read(self.gallery.engine, self.gallery.path) as connection:
            return connection.execute(query).first() is not None

    def knows_photo(self, file: PhotoFile, pixels_hash: str) -> bool:
        """Whether a photo was looked through; if so, this is where it is, and its file, from now on.

        It is told by its file, else by its pixels.
        """
        with store.write(self.gallery.engine, self.gallery.path) as connection:
            photo = _find_photo(connection, file, pixels_hash)
            if photo is None:
                return False
            known = store.photos.c.id == photo
            connection.execute(update(store.photos).where(known).values(_file_row(file)))
            _delete_what_was_there(connection, file, but=photo)
            return True

    def add(self, file: PhotoFile, pixels_hash: str, faces: Sequence[NewFace]) -> None:
        """Add a photo with its faces, unless another process was faster; on the disk when this returns.

        Raises:
            ModelMismatch: A face is of another model.
        """
        for face in faces:
            self.gallery.require_fit(face.template)
        with store.write(self.gallery.engine, self.gallery.path) as connection:
            self.gallery.require_own_model(connection)
            if _find_photo(connection, file, pixels_hash) is not None:
                return
            _delete_what_was_there(connection, file)
            photo = {"pixels_hash": pixels_hash, "file_hash": "", **_file_row(file)}
            photo_id = connection.execute(
                insert(store.photos).values(photo).returning(store.photos.c.id)
            ).scalar_one()
            if faces:
                connection.execute(insert(store.faces), [_row(photo_id, face) for face in faces])

    def faces(self) -> AlbumFaces:
        """All faces with what is known of them, oldest first.

        Raises:
            GalleryError: The database refused, or an embedding is damaged.
        """
        with store.read(self.gallery.engine, self.gallery.path) as connection:
            return self._faces(connection)

    def _faces(self, connection: Connection) -> AlbumFaces:
        faces, links = store.faces.c, store.links.c
        self.gallery.require_own_model(connection)
        rows = connection.execute(
            select(
                *(faces.id, faces.photo_id, faces.cluster_id, store.clusters.c.subject_id),
                *(faces.crowd, faces.embedding),
            )
            .outerjoin_from(store.faces, store.clusters)
            .order_by(faces.id)
        ).all()
        linked = connection.execute(
            select(links.first_id, links.second_id, links.together).order_by(links.first_id, links.second_id)
        ).all()
        numbers = np.array([[value or 0 for value in row[:4]] for row in rows], np.int64).reshape(-1, 4)
        ids, photos, clusters, subjects = numbers.T
        return AlbumFaces(
            *(ids, photos, clusters, subjects),
            np.array([row.crowd or 0.0 for row in rows], np.float64),
            self.gallery.stack([row.embedding for row in rows]),
            np.array([row[:2] for row in linked], np.int64).reshape(-1, 2),
            np.array([row.together for row in linked], bool),
        )

    def save(self, before: AlbumFaces, labels: np.ndarray, ids: np.ndarray, crowds: np.ndarray) -> bool:
        """Keep a clustering of all faces; clusters without faces are gone.

        Args:
            before: The faces as they were when the clustering was made.
            labels: (n,) int64, the cluster of each face, numbered from 0.
            ids: (c,) int64, the number each of these clusters keeps; 0 for a new one.
            crowds: (n,) float64.

        Returns:
            False, and nothing is changed, if the album has changed meanwhile.
        """
        with store.write(self.gallery.engine, self.gallery.path) as connection:
            if not _same(before, self._faces(connection)):
                return False
            ids = ids.copy()
            for label in np.flatnonzero(ids == 0):
                new = insert(store.clusters).values(subject_id=None).returning(store.clusters.c.id)
                ids[label] = connection.execute(new).scalar_one()
            now = ids[labels]
            changed = (now != before.clusters) | (crowds != before.crowds)
            if changed.any():
                self._disown(connection, before, _lost(before, now))
                connection.execute(
                    update(store.faces)
                    .where(store.faces.c.id == bindparam("face"))
                    .values(cluster_id=bindparam("cluster"), crowd=bindparam("crowding")),
                    [
                        {"face": face, "cluster": cluster, "crowding": crowd}
                        for face, cluster, crowd in zip(
                            before.ids[changed].tolist(),
                            now[changed].tolist(),
                            crowds[changed].tolist(),
                            strict=True,
                        )
                    ],
                )
            delete_empty_clusters(connection)
        return True

    def _disown(self, connection: Connection, before: AlbumFaces, lost: np.ndarray) -> None:
        """Delete the references that were made of faces (n,) bool which leave their named cluster."""
        faces, references, photos = store.faces.c, store.references.c, store.photos.c
        is_same = store.is_photo(connection, store.references, photos.pixels_hash, photos.file_hash)
        for face in before.ids[lost].tolist():
            made_of_it = (
                select(references.id)
                .join_from(store.faces, store.photos)
                .join(store.clusters)
                .join(
                    store.references,
                    is_same
                    & (references.box == faces.box)
                    & (references.subject_id == store.clusters.c.subject_id),
                )
                .where(faces.id == face)
            )
            connection.execute(delete(store.references).where(references.id.in_(made_of_it)))
        if lost.any():
            raise_revision(connection, before.subjects[lost].tolist(), references=True)

    def link(self, first: int, second: int, *, together: bool) -> None:
        """Say that two faces are one person's, or two people's; the last word counts.

        Raises:
            GalleryError: No such face, or the two cannot be one person's.
        """
        low, high = sorted((first, second))
        if low == high:
            raise GalleryError(f"face {low} cannot be linked to itself; name two faces")
        with store.write(self.gallery.engine, self.gallery.path) as connection:
            names = [_name_of(connection, face) for face in (low, high)]
            if together and all(names) and names[0] != names[1]:
                raise GalleryError(
                    f"face {low} is {names[0]}'s and face {high} {names[1]}'s; "
                    "to make the two one person, merge them",
                    remedy=Remedy.MERGE_PEOPLE,
                    about=[name for name in names if name],
                )
            is_pair = (store.links.c.first_id == low) & (store.links.c.second_id == high)
            connection.execute(delete(store.links).where(is_pair))
            connection.execute(insert(store.links).values(first_id=low, second_id=high, together=together))

    def clusters(self) -> list[ClusterSummary]:
        """All clusters, the largest first, the older of equals first."""
        clusters, faces, subjects = store.clusters.c, store.faces.c, store.subjects.c
        query = (
            select(
                *(clusters.id, subjects.id.label("subject_id"), subjects.name),
                *(func.count(faces.id), func.count(faces.photo_id.distinct())),
            )
            .join_from(store.clusters, store.faces)
            .outerjoin(store.subjects, subjects.id == clusters.subject_id)
            .group_by(clusters.id)
        )
        with store.read(self.gallery.engine, self.gallery.path) as connection:
            rows = connection.execute(query).all()
        summaries = [
            ClusterSummary(row[0], Subject(row[1], row[2]) if row[1] else None, row[3], row[4])
            for row in rows
        ]
        return sorted(summaries, key=lambda summary: (-summary.faces, summary.id))

    def members(self) -> list[ClusteredFace]:
        """The faces of all clusters, oldest first."""
        faces = store.faces.c
        query = (
            select(faces.id, faces.cluster_id, store.photos.c.source)
            .join_from(store.faces, store.photos)
            .where(faces.cluster_id.is_not(None))
            .order_by(faces.id)
        )
        with store.read(self.gallery.engine, self.gallery.path) as connection:
            return [ClusteredFace(*row) for row in connection.execute(query)]

    def thumbnails(self, faces: Sequence[int]) -> dict[int, bytes]:
        """Small JPEGs of some faces, by their numbers; ask for a few hundred at a time."""
        columns = store.faces.c
        query = select(columns.id, columns.picture).where(columns.id.in_(faces))
        with store.read(self.gallery.engine, self.gallery.path) as connection:
            return {id: picture for id, picture in connection.execute(query)}

    def sizes(self) -> tuple[int, int]:
        """How many photos were looked through, and how many faces were found in them."""
        with store.read(self.gallery.engine, self.gallery.path) as connection:
            photos = connection.execute(select(func.count()).select_from(store.photos)).scalar_one()
            faces = connection.execute(select(func.count()).select_from(store.faces)).scalar_one()
        return photos, faces

    def files(self) -> list[PhotoFile]:
        """The files of all photos, as they were last seen; without those whose path was deleted."""
        columns = store.photos.c
        query = select(columns.source, columns.bytes, columns.modified).where(columns.source != "")
        with store.read(self.gallery.engine, self.gallery.path) as connection:
            return [PhotoFile(*row) for row in connection.execute(query.order_by(columns.id))]

    def gone(self) -> Gone:
        """Photos whose file is not there any more, unless they are enrolled from another place that is."""
        photos, references = store.photos.c, store.references.c
        sources = [file.source for file in self.files()]
        with store.read(self.gallery.engine, self.gallery.path) as connection:
            is_same = store.is_photo(connection, store.references, photos.pixels_hash, photos.file_hash)
            elsewhere = select(photos.source, references.source).join(store.references, is_same)
            copies = connection.execute(elsewhere.where(references.source != photos.source)).all()
        found = find_gone(sources)
        here = {source for source, copy in copies if source in found.photos and copy and is_there(copy)}
        return Gone(tuple(source for source in found.photos if source not in here), found.folders)


def clear(connection: Connection) -> None:
    """Forget all photos, faces and clusters, as when they are of another model than the gallery."""
    connection.execute(delete(store.photos))
    connection.execute(delete(store.clusters))


def require_cluster(connection: Connection, cluster: int) -> Subject | None:
    """Whom a cluster is named after.

    Raises:
        UnknownCluster: There is no such cluster.
    """
    row = connection.execute(
        select(store.clusters.c.id, store.subjects.c.id.label("subject_id"), store.subjects.c.name)
        .outerjoin_from(store.clusters, store.subjects)
        .where(store.clusters.c.id == cluster)
    ).first()
    if row is None:
        raise UnknownCluster(f"no cluster {cluster}", remedy=Remedy.LIST_CLUSTERS)
    return Subject(row.subject_id, row.name) if row.subject_id else None


def _name_of(connection: Connection, face: int) -> str | None:
    """Whom the cluster of a face is named after.

    Raises:
        GalleryError: There is no such face.
    """
    row = connection.execute(
        select(store.subjects.c.name)
        .select_from(store.faces)
        .outerjoin(store.clusters)
        .outerjoin(store.subjects)
        .where(store.faces.c.id == face)
    ).first()
    if row is None:
        raise GalleryError(f"no face {face}; a contact sheet shows their numbers", remedy=Remedy.SHOW_FACES)
    name: str | None = row.name
    return name


def _find_photo(connection: Connection, file: PhotoFile, pixels_hash: str) -> int | None:
    """The number of a photo that was looked through: told by its file, else by its pixels."""
    photos = store.photos.c
    query = select(photos.id).order_by(photos.file_hash != file.hash)
    is_it = store.is_photo(connection, store.photos, pixels_hash, file.hash)
    return connection.execute(query.where(is_it)).scalars().first()


def _delete_what_was_there(connection: Connection, file: PhotoFile, but: int | None = None) -> None:
    """A photo that was at this place before, and was written over, is no more."""
    columns = store.photos.c
    there = connection.execute(select(columns.id).where(columns.source == stored_text(file.source)))
    delete_rows(connection, store.photos, set(there.scalars()) - {but})


def _file_row(file: PhotoFile) -> dict[str, object]:
    row = {"source": stored_text(file.source), "bytes": file.size, "modified": file.modified}
    return row | ({"file_hash": file.hash} if file.hash else {})


def _lost(before: AlbumFaces, now: np.ndarray) -> np.ndarray:
    """Which faces (n,) leave a person's cluster, and not for another cluster of that person: (n,) bool."""
    owners = dict(zip(before.clusters.tolist(), before.subjects.tolist(), strict=True))
    subjects = np.array([owners.get(cluster, 0) for cluster in now.tolist()], np.int64)
    return np.asarray((before.subjects > 0) & (subjects != before.subjects))


def _same(first: AlbumFaces, second: AlbumFaces) -> bool:
    """Whether nothing has changed that a clustering is made of."""
    return all(
        np.array_equal(getattr(first, name), getattr(second, name))
        for name in ("ids", "clusters", "subjects", "links", "together")
    )


def _row(photo_id: int, face: NewFace) -> dict[str, object]:
    return {
        "photo_id": photo_id,
        "embedding": face.template.embedding.astype("<f4").tobytes(),
        "box": face.face.box.astype("<f4").tobytes(),
        "landmarks": face.face.landmarks.astype("<f4").tobytes(),
        "detection_score": face.face.detection_score,
        "unfit": face.unfit,
        "picture": face.picture,
    }


def stored_text(source: str) -> str:
    """A path as it is stored: the names of files may be no UTF-8."""
    return source.encode(errors="backslashreplace").decode()
