"""Where a face is, for programs: the same for the command line and a server."""

from typing import Any

from kith.records import Face


def face_json(face: Face, scale: float = 1.0) -> dict[str, Any]:
    """Where a face is, for programs: in pixels of the photo, to a tenth.

    Args:
        face: In the image.
        scale: The photo's pixels per pixel of the image.
    """
    return {
        "box": _round(face.box * scale),
        "landmarks": [_round(point * scale) for point in face.landmarks],
        "detection_score": round(face.detection_score, 4),
        "turned": face.turned,
    }


def _round(values: Any) -> list[float]:
    return [round(float(value), 1) for value in values]
