"""Photos -> faces -> clusters: what `kith cluster` does.

Photos are looked at side by side and kept one by one, each safely on the disk before the next; then all
faces are clustered, those that are new beside those that were clustered before.
"""

import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np

from kith.catalogue.calibrations import find_calibration
from kith.clustering import (
    Clustering,
    ConflictingLinks,
    cluster,
    clustering_policy,
    inherit,
    linked_groups,
    require_consistent,
)
from kith.decisions.calibration import Calibration
from kith.decisions.decide import decide
from kith.decisions.scoring import rule_for
from kith.errors import GalleryError, ImageError
from kith.gallery import Album, ClusterSummary, Gallery, NewFace, PhotoFile
from kith.gallery.album import AlbumFaces
from kith.gallery.gone import on_disk
from kith.images.photo_files import find_photos
from kith.images.reading import content_hash, load_photo
from kith.images.thumbnails import thumbnail
from kith.progress import SILENT, Progress, counted
from kith.quality import Limits, why_unfit
from kith.recognizer import Recognizer
from kith.records import Image, Policy, Subject
from kith.search.ranking import rank
from kith.search.view import view_of
from kith.workflows.pipeline import Analyzed, analyze_photos

_TRIES = 5


@dataclass(frozen=True, slots=True)
class Looked:
    """What became of a photo.

    Attributes:
        new: Whether it was looked at; the album may have had it.
        left_out: Of each face that is too poor to decide on, why; such faces are not kept.
    """

    new: bool
    left_out: tuple[str, ...] = ()


@dataclass(slots=True)
class LookedThrough:
    """What became of many photos.

    Attributes:
        new: How many were looked at; the album had the others.
        failed: Those that could not be read, and why.
        left_out: Of each face that is too poor to decide on, its photo and why.
    """

    new: int = 0
    failed: list[tuple[Path, ImageError]] = field(default_factory=list)
    left_out: list[tuple[Path, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ClusteredAlbum:
    """The clusters of an album, and whom they look like.

    Attributes:
        clusters: The largest first.
        looks_like: Of clusters without a name, by their number, the enrolled person they look like.
        looked: What became of the photos that were to be added.
    """

    clusters: tuple[ClusterSummary, ...]
    looks_like: dict[int, "Suggestion"]
    looked: LookedThrough

    def who(self, cluster: ClusterSummary) -> str:
        """Whom a cluster is named after or looks like, in words; empty if neither."""
        if cluster.subject is not None:
            return cluster.subject.name
        suggestion = self.looks_like.get(cluster.id)
        return f"looks like {suggestion.subject.name}" if suggestion else ""


def cluster_photos(
    photos: str | os.PathLike[str] | Sequence[Path],
    gallery: Gallery,
    recognizer: Recognizer | None = None,
    *,
    progress: Progress = SILENT,
) -> ClusteredAlbum:
    """Put the faces of photos together that are one person's, before anyone has a name.

    Photos that were looked through before are not looked at again. Name a cluster by
    `kith.gallery.name_cluster(Album(gallery), cluster.id, "Ada")`.

    Args:
        photos: A folder, at any depth; or files. Those that cannot be read do not stop the rest.
        gallery: Keeps them.
        recognizer: Of the gallery's model; the one that comes with that name if None.
        progress: Told how far it is, and which photo failed.

    Raises:
        ImageError: There is no such folder.
        GalleryError: The gallery refused, or what is known of its faces contradicts itself.
    """
    if isinstance(photos, str | os.PathLike):
        photos = find_photos(photos).photos
    album = Album(gallery)
    looked = LookedThrough()
    if photos:
        recognizer = recognizer or Recognizer.from_pretrained(gallery.model_id, progress=progress)
        looked = look_through_all(recognizer, album, photos, progress=progress)
    calibration = recognizer.calibration if recognizer else find_calibration(gallery.model_id)
    return update_clusters(album, calibration, looked)


def update_clusters(album: Album, calibration: Calibration, looked: LookedThrough) -> ClusteredAlbum:
    """Cluster what is new, find photos that were moved, and say whom clusters look like.

    Args:
        album: Of one model.
        calibration: Of that model.
        looked: What became of the photos that were added.

    Raises:
        GalleryError: As `cluster_album`.
    """
    _, faces = album.sizes()
    cluster_album(album, clustering_policy(calibration, faces))
    find_moved(album)
    return ClusteredAlbum(tuple(album.clusters()), suggest(album, calibration), looked)


def look_through_all(
    recognizer: Recognizer, album: Album, photos: Sequence[Path], *, progress: Progress = SILENT
) -> LookedThrough:
    """Find and embed the faces of photos and keep them, each photo safely on the disk before the next.

    Args:
        recognizer: Of the album's model.
        album: Keeps the faces.
        photos: Files; those that cannot be read do not stop the rest.
        progress: Told how far it is, and which photo failed.

    Raises:
        GalleryError: The faces cannot be kept.
    """
    found = LookedThrough()
    outcomes = analyze_photos(recognizer, photos, partial(_read, album))
    for outcome in counted(outcomes, len(photos), "looking through", progress):
        try:
            looked = _keep(outcome.get(), album, recognizer.limits)
        except ImageError as error:
            found.failed.append((outcome.item, error))
            progress.say(str(error))
            continue
        found.new += looked.new
        found.left_out += [(outcome.item, reason) for reason in looked.left_out]
    return found


def look_through(recognizer: Recognizer, album: Album, path: Path) -> Looked:
    """The same of one photo.

    Raises:
        ImageError: It cannot be read.
        GalleryError: It cannot be kept.
    """
    (outcome,) = analyze_photos(recognizer, [path], partial(_read, album))
    return _keep(outcome.get(), album, recognizer.limits)


@dataclass(frozen=True, slots=True)
class _Read:
    """A photo that was read.

    Attributes:
        file: It.
        pixels_hash: A name for its pixels; empty if they were not read.
        image: What is to be looked at; None where the album has the photo already.
    """

    file: PhotoFile
    pixels_hash: str = ""
    image: Image | None = None


def _read(album: Album, path: Path) -> _Read:
    file = _stat(path)
    if album.knows_file(file):
        return _Read(file)
    photo = load_photo(path)
    file, pixels_hash = replace(file, hash=photo.file_hash), content_hash(photo.image)
    if album.knows_photo(file, pixels_hash):
        return _Read(file)
    return _Read(file, pixels_hash, photo.image)


def _keep(looked: Analyzed[_Read], album: Album, limits: Limits) -> Looked:
    """Keep the faces of a photo that are fit to decide on."""
    image = looked.read.image
    if image is None:
        return Looked(new=False)
    faces, left_out = [], []
    for sample in looked.samples:
        if reason := why_unfit(sample.quality, limits.identify):
            left_out.append(reason)
        else:
            weakness = why_unfit(sample.quality, limits.enroll)
            faces.append(NewFace(sample.face, sample.template, weakness, thumbnail(image, sample.face)))
    album.add(looked.read.file, looked.read.pixels_hash, faces)
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


def cluster_album(album: Album, policy: Policy) -> None:
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
            "take one of these links back"
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


def suggest(album: Album, calibration: Calibration) -> dict[int, Suggestion]:
    """Whom clusters without a name look like: by cluster.

    A person is suggested where at least half of the cluster's faces would be identified as that person.

    Args:
        album: Of one model.
        calibration: Of that model.
    """
    faces, people = album.faces(), view_of(album.gallery).people()
    rows = np.flatnonzero((faces.clusters > 0) & (faces.subjects == 0))
    if not len(rows) or not len(people):
        return {}
    rule = rule_for(calibration, people=len(people), references=len(people.references))
    candidates = rank(faces.embeddings[rows], people, rule)
    votes: dict[int, Counter[Subject]] = defaultdict(Counter)
    for number, of_face in zip(faces.clusters[rows].tolist(), candidates, strict=True):
        subject = decide(of_face, rule.policy).subject
        if subject is not None:
            votes[number][subject] += 1
    sizes = np.bincount(faces.clusters)
    best = {number: Suggestion(*counts.most_common(1)[0]) for number, counts in votes.items()}
    return {number: one for number, one in best.items() if 2 * one.faces >= sizes[number]}


def _stat(path: Path) -> PhotoFile:
    try:
        status = path.stat()
    except OSError as error:
        raise ImageError(f"{path}: {error.strerror}") from None
    return PhotoFile(str(path.absolute()), status.st_size, status.st_mtime_ns)
