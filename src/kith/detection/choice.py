"""One face out of several."""

from collections.abc import Sequence

import numpy as np

from kith.errors import NoFaceFound, SeveralFacesFound
from kith.records import Face

_CLEARLY_LARGER = 3.0


def foremost_faces(faces: Sequence[Face]) -> list[Face]:
    """The faces that a photo may be of, the largest first: none has less than a third of its area.

    Raises:
        NoFaceFound: There is none.
    """
    if not faces:
        raise NoFaceFound("no face found")
    largest, *others = sorted(faces, key=_area, reverse=True)
    return [largest, *(face for face in others if _area(face) * _CLEARLY_LARGER > _area(largest))]


def main_face(faces: Sequence[Face], fit: Sequence[bool] | None = None) -> Face:
    """The face that a photo is of: of its foremost faces the only one, or the only one that is fit.

    Args:
        faces: Of the photo.
        fit: Whether each is good enough to be used: others, such as a blurred passer-by, do not count unless
            all of the foremost are so poor; None where all count.

    Raises:
        NoFaceFound: There is none.
        SeveralFacesFound: Others that count are nearly as large.
    """
    foremost = foremost_faces(faces)
    good = faces if fit is None else [face for face, is_fit in zip(faces, fit, strict=True) if is_fit]
    counted = [face for face in foremost if face in good]
    if len(counted) > 1:
        raise SeveralFacesFound(f"{len(counted)} faces of similar size found; crop the photo to one face")
    return counted[0] if counted else foremost[0]


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
