"""`kith detect`: where the faces are."""

from pathlib import Path
from typing import Any

from kith.cli.annotate import Label, annotate_photo, annotated_paths
from kith.cli.console import print_json, print_table
from kith.cli.exit_codes import ERROR, SUCCESS
from kith.cli.load import detection_settings, expand, load_detector, read_photos
from kith.cli.options import (
    Annotate,
    Json,
    LongestSide,
    MinFaceSize,
    MinScore,
    Photos,
)
from kith.errors import ImageError
from kith.records import Face


def detect(
    photos: Photos,
    annotate: Annotate = None,
    min_face_size: MinFaceSize = 20,
    longest_side: LongestSide = 1280,
    min_score: MinScore = 0.8,
    as_json: Json = False,
) -> int:
    """Find the faces in photos.

    Exit code 2 if a photo could not be read; the others are answered all the same.
    """
    files = expand(photos)
    annotated = annotated_paths(annotate, files)
    settings = detection_settings(min_face_size, longest_side, min_score)
    detector = load_detector(settings)
    answers: list[dict[str, Any]] = []
    rows = []
    failed = False
    for file, image in read_photos(files, "detecting"):
        if isinstance(image, ImageError):
            answers.append(unreadable_json(file, image))
            failed = True
            continue
        faces = detector.detect(image)
        answers.append({"image": str(file), "faces": [face_json(face) for face in faces]})
        rows += [[str(file), box_text(face), f"{face.detection_score:.3f}"] for face in faces]
        if not faces:
            rows.append([str(file), "no face", ""])
        if annotate is not None:
            labels = [Label(face, f"{face.detection_score:.2f}", known=True) for face in faces]
            annotate_photo(image, labels, annotated[file])
    if as_json:
        print_json(answers)
    else:
        print_table(("photo", "box", "score"), rows)
    return ERROR if failed else SUCCESS


def unreadable_json(file: Path, error: ImageError) -> dict[str, Any]:
    """What programs are told of a photo that could not be read."""
    return {"image": str(file), "error": str(error), "faces": []}


def face_json(face: Face) -> dict[str, Any]:
    """A face for programs; coordinates in pixels, to a tenth."""
    return {
        "box": round_list(face.box),
        "landmarks": [round_list(point) for point in face.landmarks],
        "detection_score": round(face.detection_score, 4),
    }


def round_list(values: Any) -> list[float]:
    """Coordinates to a tenth of a pixel."""
    return [round(float(value), 1) for value in values]


def box_text(face: Face) -> str:
    """A box for people: width x height at its corner."""
    left, top = (round(float(value)) for value in face.box[:2])
    return f"{face.width:.0f}x{face.height:.0f} at {left},{top}"
