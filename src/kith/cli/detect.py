"""`kith detect`: where the faces are."""

from collections.abc import Sequence

from kith.cli.answers import form_of
from kith.cli.load import detection_settings, expand, load_detector
from kith.cli.options import (
    Annotate,
    DetectorId,
    DeviceName,
    Json,
    JsonLines,
    LongestSide,
    MinFaceSize,
    MinScore,
    Photos,
)
from kith.cli.photo_by_photo import FaceAnswer, Table, answer_photos, box_text
from kith.images.reading import Photo, read_photo
from kith.presentation.annotate import Label
from kith.presentation.faces import face_json
from kith.records import Face
from kith.runtime.device import Device
from kith.workflows.pipeline import Analyzed, detect_photos

_TABLE = Table(("box", "score"), (24, 5))


def detect(
    photos: Photos,
    annotate: Annotate = None,
    detector: DetectorId = "",
    min_face_size: MinFaceSize = 20,
    longest_side: LongestSide = 1280,
    min_score: MinScore = None,
    device: DeviceName = Device.AUTO,
    as_json: Json = False,
    as_jsonl: JsonLines = False,
) -> int:
    """Find the faces in photos.

    Exit code 2 if a photo could not be read; the others are answered all the same.
    """
    form = form_of(as_json, as_jsonl)
    listing = expand(photos)
    settings = detection_settings(min_face_size, longest_side, min_score)
    threads = 1 if len(listing.photos) > 1 else 0  # for each photo, of which one a core is looked at
    found = load_detector(detector, settings, threads=threads, device=device)
    outcomes = detect_photos(found, listing.photos, read_photo)

    def answer(looked: Analyzed[Photo]) -> Sequence[FaceAnswer]:
        return [_answer(face, looked.read.scale) for face in looked.faces]

    return answer_photos(
        listing, outcomes, answer, what="detecting", table=_TABLE, form=form, annotate=annotate
    )


def _answer(face: Face, scale: float) -> FaceAnswer:
    return FaceAnswer(
        face_json(face, scale),
        (box_text(face, scale), f"{face.detection_score:.3f}"),
        Label(face, f"{face.detection_score:.2f}", known=True),
    )
