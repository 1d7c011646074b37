"""`kith identify`: who is on a photo."""

from collections.abc import Sequence
from typing import Annotated

import typer

from kith.catalogue.pair import find_pair
from kith.cli.answers import form_of
from kith.cli.load import detection_settings, expand, load_recognizer
from kith.cli.options import (
    DEFAULT_GALLERY,
    DEFAULT_MODEL,
    Annotate,
    DetectorId,
    DeviceName,
    GalleryPath,
    Json,
    JsonLines,
    LongestSide,
    MinFaceSize,
    MinScore,
    ModelId,
    Photos,
    PrecisionName,
)
from kith.cli.photo_by_photo import FaceAnswer, Table, answer_photos, box_text
from kith.decisions.calibration import IDENTIFICATION_FPIR
from kith.decisions.scoring import ClassifierKind
from kith.gallery import Gallery
from kith.images.reading import Photo, read_photo
from kith.presentation.annotate import label_of
from kith.presentation.decisions import decision_json, who
from kith.presentation.faces import face_json
from kith.records import Decision, Face
from kith.runtime.device import Device
from kith.runtime.prepare import Precision
from kith.workflows.pipeline import Analyzed, analyze_photos

TABLE = Table(("face", "who", "score", ""), (24, 16, 5, 0))


def identify(
    photos: Photos,
    annotate: Annotate = None,
    classifier: Annotated[
        ClassifierKind, typer.Option(help="Who decides among the people who are similar enough.")
    ] = ClassifierKind.NORMALIZED,
    fpir: Annotated[
        float, typer.Option(min=1e-6, max=0.5, help="Share of strangers who may get a name.")
    ] = IDENTIFICATION_FPIR,
    gallery: GalleryPath = DEFAULT_GALLERY,
    min_face_size: MinFaceSize = 20,
    longest_side: LongestSide = 1280,
    min_score: MinScore = None,
    model: ModelId = DEFAULT_MODEL,
    detector: DetectorId = "",
    precision: PrecisionName = Precision.AUTO,
    device: DeviceName = Device.AUTO,
    as_json: Json = False,
    as_jsonl: JsonLines = False,
) -> int:
    """Name the enrolled people on photos, and say 'unknown' of everyone else (1:N).

    Exit code 2 if a photo could not be read; the others are answered all the same.
    """
    form = form_of(as_json, as_jsonl)
    listing = expand(photos)
    model = find_pair(model, detector).id
    settings = detection_settings(min_face_size, longest_side, min_score)
    with Gallery.open(gallery, model_id=model, create=False) as opened:
        recognizer = load_recognizer(model, precision, settings, device=device)

        outcomes = analyze_photos(recognizer, listing.photos, read_photo)

        def answer(looked: Analyzed[Photo]) -> Sequence[FaceAnswer]:
            decisions = recognizer.identify_samples(looked.samples, opened, classifier=classifier, fpir=fpir)
            return [
                answer_of(sample.face, decision, looked.read.scale)
                for sample, decision in zip(looked.samples, decisions, strict=True)
            ]

        return answer_photos(
            listing, outcomes, answer, what="identifying", table=TABLE, form=form, annotate=annotate
        )


def answer_of(face: Face, decision: Decision, scale: float = 1.0) -> FaceAnswer:
    """What is said of a face that was searched for.

    Args:
        face: In the image.
        decision: Whose it is.
        scale: The photo's pixels per pixel of the image.
    """
    score = "" if decision.score is None else f"{decision.score:.3f}"
    return FaceAnswer(
        face_json(face, scale) | decision_json(decision),
        (box_text(face, scale), who(decision), score, decision.reason),
        label_of(face, decision),
    )
