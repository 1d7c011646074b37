"""Photos -> faces -> clusters: what `kith cluster` does.

Photos are looked through one by one, each safely on the disk before the next; then all faces are
clustered, those that are new beside those that were clustered before.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from kith.clustering import (
    Clustering,
    ConflictingLinks,
    cluster,
    inherit,
    linked_groups,
    require_consistent,
)
from kith.decisions.cosine import score_all
from kith.errors import GalleryError, ImageError
from kith.gallery import Album, NewFace, PhotoFile, References
from kith.gallery.album import AlbumFaces
from kith.gallery.gone import on_disk
from kith.images.reading import content_hash, load_photo
from kith.quality import ENROLL_LIMITS, IDENTIFY_LIMITS, assess, why_unfit
from kith.recognizer import Recognizer
from kith.records import DecisionPolicy, Face, FloatArray, IdentificationPolicy, Image, Subject

_PICTURE_SIDE = 96
_MARGIN = 0.25  # around a face, of its size
_TRIES = 5
_AT_ONCE = 1000  # faces compared with all references


@dataclass(frozen=True, slots=True)
class Looked:
    """What became of a photo.

    Attributes:
        new: Whether it was looked at; the album may have had it.
        left_out: Of each face that is too poor to decide on, why; such faces are not kept.
    """

    new: bool
    left_out: tuple[str, ...] = ()


def look_through(recognizer: Recognizer, album: Album, path: Path) -> Looked:
    """Find and embed a photo's faces and keep them, unless the album has the photo already.

    Raises:
        ImageError: It cannot be read.
        GalleryError: It cannot be kept.
    """
    file = _stat(path)
    if album.knows_file(file):
        return Looked(new=False)
    photo = load_photo(path)
    image, pixels_hash = photo.image, content_hash(photo.image)
    file = replace(file, hash=photo.file_hash)
    if album.knows_photo(file, pixels_hash):
        return Looked(new=False)
    found = recognizer.detect(image)
    crops = recognizer.align(image, found)
    embeddings = recognizer.embed(crops)
    faces, left_out = [], []
    for face, crop, embedding in zip(found, crops, embeddings, strict=True):
        quality = assess(face, crop, recognizer.calibration.recognizability(embedding))
        if reason := why_unfit(quality, IDENTIFY_LIMITS):
            left_out.append(reason)
        else:
            weakness = why_unfit(quality, ENROLL_LIMITS)
            faces.append(NewFace(face, recognizer.template(embedding), weakness, picture_of(image, face)))
    album.add(file, pixels_hash, faces)
    return Looked(new=True, left_out=tuple(left_out))


def find_moved(album: Album) -> None:
    """Find photos that were renamed, or moved to a folder beside the album's others or one level below.

    They are told by their content, which is read only of files as large as one that is gone.
    """
    gone = frozenset(album.gone().photos)
    if not gone:
        return
    files = album.files()
    sizes = {file.size for file in files if file.source in gone}
    for path in _files_near({Path(on_disk(file.source)).parent for file in files}):
        with suppress(ImageError, GalleryError):  # it is no photo, or the gallery is read-only
            file = _stat(path)
            if file.size in sizes and not album.knows_file(file):
                photo = load_photo(path)
                album.knows_photo(replace(file, hash=photo.file_hash), content_hash(photo.image))


def _files_near(folders: set[Path]) -> Iterator[Path]:
    """The files in folders, and in the folders in these; what cannot be read is passed over."""
    below = {entry for folder in folders for entry in _entries(folder) if entry.is_dir()}
    for folder in sorted(folders | below):
        yield from (entry for entry in _entries(folder) if entry.is_file())


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def cluster_album(album: Album, policy: DecisionPolicy) -> None:
    """Cluster the faces that are new, or that links tell apart; all others stay as they are.

    Args:
        album: Of the policy's model.
        policy: For comparisons of two faces.

    Raises:
        GalleryError: Links contradict each other; or others kept changing the album.
    """
    for _ in range(_TRIES):
        faces = album.faces()
        if not len(faces):
            return
        clustering = _cluster(faces, policy.threshold)
        ids = inherit(clustering.labels, faces.clusters, faces.subjects)
        if album.save(faces, clustering.labels, ids, clustering.crowds):
            return
    raise GalleryError(
        f"{album.gallery.path}: other processes keep changing it; run it again when they are done"
    )


def link_faces(album: Album, first: int, second: int, *, together: bool) -> None:
    """Say that two faces are one person's, or two people's; `cluster_album` then heeds it.

    Raises:
        GalleryError: There is no such face, or it contradicts what is known.
    """
    faces = album.faces()
    pair = np.sort(np.array([[first, second]], np.int64), axis=1)
    if np.isin(pair, faces.ids).all() and first != second:
        others = (faces.links != pair).any(axis=1)
        links = np.concatenate([faces.links[others], pair])
        linked = replace(faces, links=links, together=np.append(faces.together[others], together))
        before, apart, joined = _known(linked)
        try:
            require_consistent(before.labels, apart, joined)
        except ConflictingLinks as error:
            one, other = faces.ids[list(error.pair)]
            of_one_photo = len(set(faces.photos[list(error.pair)].tolist())) == 1
            why = (
                "of one photo; if one person is in it twice, link these two first"
                if of_one_photo
                else "linked as two people"
            )
            raise GalleryError(
                f"faces {first} and {second} cannot be {'one person' if together else 'two people'}: "
                f"faces {one} and {other} would be together, but are {why}"
            ) from None
    album.link(first, second, together=together)


def _cluster(faces: AlbumFaces, threshold: float) -> Clustering:
    before, apart, together = _known(faces)
    owners = np.where(before.labels < 0, 0, faces.subjects)
    try:
        return cluster(
            faces.embeddings, threshold, before=before, owners=owners, apart=apart, together=together
        )
    except ConflictingLinks as error:
        first, second = faces.ids[list(error.pair)]
        raise GalleryError(
            f"faces {first} and {second} must be apart, but are linked through others; "
            "take one of these links back with --cannot"
        ) from None


def _known(faces: AlbumFaces) -> tuple[Clustering, np.ndarray, np.ndarray]:
    """What is clustered already, less the clusters that links tear apart; pairs apart, and pairs together."""
    links = np.searchsorted(faces.ids, faces.links)
    together = links[faces.together]
    apart = np.concatenate([_of_two_people(faces, together), links[~faces.together]])
    is_open = (faces.clusters == 0) | np.isin(faces.clusters, _torn(faces.clusters, apart))
    return Clustering(np.where(is_open, -1, faces.clusters), faces.crowds), apart, together


def _of_two_people(faces: AlbumFaces, together: np.ndarray) -> np.ndarray:
    """Pairs (m, 2) of faces that are two people's because they are of one photo.

    Unless the user said of a photo that someone is in it twice, as in a collage or with a mirror: then
    that holds for the two clusters in all photos.
    """
    pairs = _of_one_photo(faces.photos)
    photos = faces.photos[together]
    twice = together[photos[:, 0] == photos[:, 1]]
    if not len(twice):
        return pairs
    groups = linked_groups(np.where(faces.clusters > 0, faces.clusters, -1), twice)
    first, second = groups[pairs].T
    overruled = (first == second) & np.isin(first, groups[twice])
    return np.asarray(pairs[~overruled])


def _of_one_photo(photos: np.ndarray) -> np.ndarray:
    """Pairs (m, 2) of faces of one photo (n,)."""
    order = np.argsort(photos, kind="stable")
    starts = np.flatnonzero(np.diff(photos[order], prepend=-1))
    pairs = [np.empty((0, 2), np.int64)]
    for faces in np.split(order, starts[1:]):
        if len(faces) > 1:
            pairs.append(faces[np.stack(np.triu_indices(len(faces), 1), axis=1)])
    return np.concatenate(pairs)


def _torn(clusters: np.ndarray, apart: np.ndarray) -> np.ndarray:
    """Clusters with two faces that must be apart."""
    first, second = clusters[apart].T
    return np.unique(first[(first == second) & (first > 0)])


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Who a cluster looks like.

    Attributes:
        subject: Enrolled; most faces of the cluster that match anyone match this person.
        faces: How many of the cluster's faces do.
    """

    subject: Subject
    faces: int


def suggest(album: Album, policy: IdentificationPolicy) -> dict[int, Suggestion]:
    """Whom clusters without a name look like: by cluster.

    A person is suggested where at least half of the cluster's faces match, each by its nearest reference.

    Args:
        album: Of the policy's model.
        policy: For searches among the enrolled.
    """
    faces, references = album.faces(), album.gallery.references()
    rows = np.flatnonzero((faces.clusters > 0) & (faces.subjects == 0))
    if not len(rows) or not len(references):
        return {}
    best, nearest = _nearest(faces.embeddings[rows], references)
    matches = best >= policy.threshold
    pairs, counts = np.unique(
        np.stack([faces.clusters[rows][matches], nearest[matches]], axis=1), axis=0, return_counts=True
    )
    sizes = np.bincount(faces.clusters)
    order = np.argsort(counts, kind="stable")  # of several, the one with most faces is written last
    return {
        int(cluster): Suggestion(references.subjects[int(subject)], int(count))
        for (cluster, subject), count in zip(pairs[order], counts[order], strict=True)
        if 2 * count >= sizes[cluster]
    }


def _nearest(embeddings: FloatArray, references: References) -> tuple[np.ndarray, np.ndarray]:
    """The best score of each embedding (n, d), and the subject whose reference it is: (n,) each."""
    scores, subjects = [np.empty(0)], [np.empty(0, np.int64)]
    for start in range(0, len(embeddings), _AT_ONCE):
        block = score_all(embeddings[start : start + _AT_ONCE], references.embeddings)
        scores.append(block.max(axis=1))
        subjects.append(references.subject_ids[block.argmax(axis=1)])
    return np.concatenate(scores), np.concatenate(subjects)


def picture_of(image: Image, face: Face) -> bytes:
    """A small JPEG of a face, (96, 96), as it is in its photo, upright to the nearest quarter turn."""
    half = max(face.width, face.height) * (0.5 + _MARGIN)
    centre = (face.box[:2] + face.box[2:]) / 2
    left, top = np.floor(centre - half).astype(int)
    right, bottom = np.maximum(np.ceil(centre + half).astype(int), (left + 1, top + 1))
    height, width = image.shape[:2]
    rows = np.clip(np.arange(top, bottom), 0, height - 1)  # past the edge, the edge is repeated
    columns = np.clip(np.arange(left, right), 0, width - 1)
    inside = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    square = inside[np.ix_(rows - rows[0], columns - columns[0])]
    square = np.rot90(square, face.turned // 90)
    picture = cv2.resize(square, (_PICTURE_SIDE, _PICTURE_SIDE), interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])
    return bytes(data)


def _stat(path: Path) -> PhotoFile:
    try:
        status = path.stat()
    except OSError as error:
        raise ImageError(f"{path}: {error.strerror}") from None
    return PhotoFile(str(path.absolute()), status.st_size, status.st_mtime_ns)
