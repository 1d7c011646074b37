"""The contact sheet: clusters as rows of faces, in one page that needs nothing but a browser."""

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from kith.files import write_private
from kith.gallery.album import Album, ClusteredFace
from kith.presentation.report import page
from kith.workflows.albums import ClusteredAlbum

_AT_ONCE = 40
"""Faces of a cluster that are shown without unfolding."""

_LOADED = 200
"""Thumbnails in memory."""

Thumbnails = Callable[[Sequence[int]], Mapping[int, bytes]]
"""Small JPEGs of faces, by their numbers."""


@dataclass(frozen=True, slots=True)
class SheetCluster:
    """A cluster on the sheet: its number, who it is or looks like, its faces."""

    id: int
    who: str
    faces: Sequence[ClusteredFace]


@dataclass(frozen=True, slots=True)
class _Pictured:
    """A face with its thumbnail."""

    face: ClusteredFace
    thumbnail: bytes

    @property
    def id(self) -> int:
        return self.face.id

    @property
    def cluster(self) -> int:
        return self.face.cluster

    @property
    def source(self) -> str:
        return self.face.source

    @property
    def name(self) -> str:
        return PurePath(self.face.source).name

    @property
    def base64(self) -> str:
        return base64.b64encode(self.thumbnail).decode("ascii")


def write_contact_sheet(path: Path, album: Album, clustered: ClusteredAlbum, *, hint: str = "") -> None:
    """Write the sheet of an album, which only its owner may read.

    Args:
        path: Of the page.
        album: Whose faces are shown.
        clustered: Its clusters.
        hint: What to do next, for whoever looks at it.

    Raises:
        OSError: It cannot be written; what was there before is untouched.
    """
    faces: dict[int, list[ClusteredFace]] = {}
    for face in album.members():
        faces.setdefault(face.cluster, []).append(face)
    clusters = [
        SheetCluster(cluster.id, clustered.who(cluster), faces.get(cluster.id, []))
        for cluster in clustered.clusters
    ]
    write_private(path, (part.encode() for part in contact_sheet(clusters, album.thumbnails, hint=hint)))


def contact_sheet(
    clusters: Sequence[SheetCluster], thumbnails: Thumbnails, *, hint: str = ""
) -> Iterator[str]:
    """The page in parts: the clusters in this order; faces that are alone, and have no name, last, folded.

    The thumbnails are in the page, and of those there are few in memory at a time. Nothing in the page is
    fetched or run, and names are never taken for markup.
    """

    def pictured(faces: Sequence[ClusteredFace]) -> Iterator[_Pictured]:
        for start in range(0, len(faces), _LOADED):
            some = faces[start : start + _LOADED]
            found = thumbnails([face.id for face in some])
            yield from (_Pictured(face, found.get(face.id, b"")) for face in some)

    alone = [cluster.faces[0] for cluster in clusters if len(cluster.faces) == 1 and not cluster.who]
    rows = [cluster for cluster in clusters if len(cluster.faces) > 1 or cluster.who]
    return page(
        "sheet.html",
        rows=rows,
        alone=alone,
        faces=sum(len(cluster.faces) for cluster in clusters),
        pictured=pictured,
        at_once=_AT_ONCE,
        hint=hint,
    )
