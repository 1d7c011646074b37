"""An album of made-up faces."""

from collections.abc import Sequence

import numpy as np

from kith.gallery import Album, Gallery, NewFace, PhotoFile
from kith.records import Face, Measure, Policy, Template
from kith.workflows.albums import cluster_album

POLICY = Policy(Measure.FMR, 1e-3, threshold=0.6, measured_on="made up")


def face_at(place: int) -> Face:
    box = np.array([100 * place, 0, 100 * place + 80, 90], np.float32)
    return Face(box, np.zeros((5, 2), np.float32), 0.99)


def template_of(person: int, photo: int, model_id: str = "test-model") -> Template:
    """Made-up faces: those of one person are alike."""
    own = np.random.default_rng(person).standard_normal(32)
    values = own / np.linalg.norm(own) + 0.05 * np.random.default_rng(1000 + photo).standard_normal(32)
    return Template((values / np.linalg.norm(values)).astype(np.float32), model_id)


def add(album: Album, photo: int, *people: int, unfit: Sequence[int] = ()) -> None:
    """Add a photo with a face of each of these people."""
    faces = [
        NewFace(
            *(face_at(place), template_of(person, photo), "the face is blurred" if person in unfit else ""),
            b"a picture",
        )
        for place, person in enumerate(people)
    ]
    album.add(PhotoFile(f"{photo}.jpg", 1000, 1), f"hash {photo}", faces)


def update(album: Album) -> dict[int, list[str]]:
    """Cluster, and tell the photos of each cluster."""
    cluster_album(album, POLICY)
    clusters: dict[int, list[str]] = {}
    for face in album.members():
        clusters.setdefault(face.cluster, []).append(face.source)
    return clusters


def enrolled(gallery: Gallery) -> dict[str, list[str]]:
    return {
        person.subject.name: [reference.source for reference in gallery.references_of(person.subject.name)]
        for person in gallery.subjects()
    }
