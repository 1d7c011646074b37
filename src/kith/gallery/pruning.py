"""Photos and faces are deleted from the album, as those whose file is gone; the user's files stay.

References are no part of the album, and stay as well, those that were made of such faces too: a person who
is enrolled is deleted as a person.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, select

from kith.errors import GalleryError, Remedy
from kith.gallery import cleaning, store
from kith.gallery.album import Album, require_cluster, stored_text
from kith.gallery.deletion import delete_faces, delete_rows, faces_of_references


@dataclass(frozen=True, slots=True)
class Selection:
    """What is to be deleted from an album.

    Attributes:
        photos: Numbers of photos, which are then as if they had never been looked through.
        faces: Numbers of faces, those of the photos among them; those of other photos are not found again.
    """

    photos: frozenset[int]
    faces: frozenset[int]


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was deleted from an album.

    Attributes:
        photos: How many photos.
        faces: How many faces, with their thumbnails.
        enrolled: People some of whose references are of these faces; the references stay.
        cleaned: Whether all of it is overwritten on the disk; see `Deletion`.
    """

    photos: int
    faces: int
    enrolled: tuple[str, ...]
    cleaned: bool


def select_to_prune(
    album: Album,
    paths: Iterable[str | os.PathLike[str]] = (),
    *,
    gone: bool = False,
    clusters: Iterable[int] = (),
    faces: Iterable[int] = (),
) -> Selection:
    """Choose what to delete from an album; nothing is deleted yet.

    Args:
        album: Where it is.
        paths: Photos, and folders with all photos below them, whether they are there or not.
        gone: All photos whose file is gone; see `Album.gone`.
        clusters: Numbers of clusters without a name.
        faces: Numbers of faces.

    Raises:
        UnknownCluster: There is no such cluster.
        GalleryError: No photo lies there; a cluster is someone's; there is no such face; or the database
            refused.
    """
    missing = frozenset(album.gone().photos) if gone else frozenset()
    with store.read(album.gallery.engine, album.gallery.path) as connection:
        sources = {
            row.id: row.source for row in connection.execute(select(store.photos.c.id, store.photos.c.source))
        }
        photos = {id for id, source in sources.items() if source in missing}
        for path in paths:
            photos |= _below(path, sources)
        rows = connection.execute(select(store.faces.c.id, store.faces.c.photo_id)).all()
        chosen = {row.id for row in rows if row.photo_id in photos}
        for cluster in clusters:
            chosen |= _faces_of(connection, cluster)
        known = {row.id for row in rows}
        for face in faces:
            if face not in known:
                raise GalleryError(f"no face {face}; the contact sheet shows their numbers")
            chosen.add(face)
    return Selection(frozenset(photos), frozenset(chosen))


def prune(album: Album, selection: Selection) -> Pruned:
    """Delete from an album what was chosen; what was stored is overwritten on the disk.

    Clusters that have no face any more are deleted too, and their numbers are never given again.

    Raises:
        GalleryError: The database refused, and nothing is changed.
    """
    gallery = album.gallery
    with store.write(gallery.engine, gallery.path) as connection:
        owners = faces_of_references(connection)
        enrolled = {owners[face] for face in selection.faces if face in owners}
        delete_faces(connection, set(selection.faces))
        delete_rows(connection, store.photos, set(selection.photos))
        cleaning.mark(connection)
    return Pruned(
        len(selection.photos), len(selection.faces), tuple(sorted(enrolled)), gallery.cleaned_after_deletion()
    )


def _below(path: str | os.PathLike[str], sources: dict[int, str]) -> set[int]:
    """The photos that lie at a path, or below it."""
    place = os.path.normpath(stored_text(str(Path(path).absolute())))
    folder = place.rstrip(os.sep) + os.sep
    found = {
        id
        for id, source in sources.items()
        if source and (normal := os.path.normpath(source)) and (normal == place or normal.startswith(folder))
    }
    if not found:
        raise GalleryError(f"{path}: no photo that was looked through lies there")
    return found


def _faces_of(connection: Connection, cluster: int) -> set[int]:
    owner = require_cluster(connection, cluster)
    if owner is not None:
        raise GalleryError(
            f"cluster {cluster} is {owner.name}; delete the person",
            remedy=Remedy.DELETE_PERSON,
            about=[owner.name],
        )
    return set(
        connection.execute(select(store.faces.c.id).where(store.faces.c.cluster_id == cluster)).scalars()
    )
