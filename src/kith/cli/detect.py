"""`kith detect`: where the faces are."""

from collections.abc import Sequence

from kith.cli.answers import form_of
from kith.cli.load import detection_settings, expand, load_detector
from kith.cli.options import (
    Annotate,
    DetectorId,
    Json,
    JsonLines,
    LongestSide,
    MinFaceSize,
    MinScore,
    Photos,
)
from kith.cli.photo_by_photo import FaceAnswer, Table, answer_photos, box_text
from kith.images.reading import Photo
from kith.presentation.annotate import Label
from kith.presentation.faces import face_json
from kith.records import Face

_TABLE = Table(("box", "score"), (24, 5))


def detect(
    photos: Photos,
    annotate: Annotate = None,
    detector: DetectorId = "",
    min_face_size: MinFaceSize = 20,
    longest_side: LongestSide = 1280,
    min_score: MinScore = None,
    as_json: Json = False,
    as_jsonl: JsonLines = False,
) -> int:
    """Find the faces in photos.

    Exit code 2 if a photo could not be read; the others are answered all the same.
    """
    form = form_of(as_json, as_jsonl)
    listing = expand(photos)
    found = load_detector(detector, detection_settings(min_face_size, longest_side, min_score))

    def look(photo: Photo) -> Sequence[FaceAnswer]:
        return [_answer(face, photo.scale) for face in found.detect(photo.image)]

    return answer_photos(listing, look, what="detecting", table=_TABLE, form=form, annotate=annotate)


def _answer(face: Face, scale: float) -> FaceAnswer:
    return FaceAnswer(
        face_json(face, scale),
        (box_text(face, scale), f"{face.detection_score:.3f}"),
        Label(face, f"{face.detection_score:.2f}", known=True),
    )
