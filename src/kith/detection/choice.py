"""One face out of several."""

from collections.abc import Sequence

import numpy as np

from kith.errors import NoFaceFound, SeveralFacesFound
from kith.records import Face

_CLEARLY_LARGER = 3.0


def main_face(faces: Sequence[Face]) -> Face:
    """The face a photo is of: the only one, or the one with three times the area of any other.

    Raises:
        NoFaceFound: There is none.
        SeveralFacesFound: Others are nearly as large.
    """
    if not faces:
        raise NoFaceFound("no face found")
    first, *others = sorted(faces, key=_area, reverse=True)
    rivals = sum(_area(face) * _CLEARLY_LARGER > _area(first) for face in others)
    if rivals:
        raise SeveralFacesFound(f"{rivals + 1} faces of similar size found; crop the photo to one face")
    return first


def central_face(faces: Sequence[Face], shape: tuple[int, ...]) -> Face:
    """The large face near the middle, as research data sets such as LFW mean it.

    Source: Sandberg's facenet, src/align/align_dataset_mtcnn.py: the largest value of the box's
    area minus twice the squared distance of its centre from the image's.

    Args:
        faces: The faces of one image.
        shape: The image's (h, w, ...).

    Raises:
        NoFaceFound: There is none.
    """
    if not faces:
        raise NoFaceFound("no face found")
    middle = np.array([shape[1], shape[0]]) / 2

    def prominence(face: Face) -> float:
        centre = (face.box[:2] + face.box[2:]) / 2
        return _area(face) - 2 * float(np.sum((centre - middle) ** 2))

    return max(faces, key=prominence)


def _area(face: Face) -> float:
    return face.width * face.height
