"""`kith identify`: who is on a photo."""

from pathlib import Path
from typing import Annotated, Any

import typer

from kith.classification import ClassifierKind
from kith.cli.annotate import Label, annotate_photo, annotated_paths
from kith.cli.console import print_json, print_table
from kith.cli.detect import box_text, round_list, unreadable_json
from kith.cli.exit_codes import ERROR, SUCCESS
from kith.cli.load import detection_settings, expand, load_recognizer, read_photos
from kith.cli.options import (
    DEFAULT_GALLERY,
    DEFAULT_MODEL,
    Annotate,
    GalleryPath,
    Json,
    LongestSide,
    MinFaceSize,
    MinScore,
    ModelId,
    Photos,
    PrecisionName,
)
from kith.errors import ImageError
from kith.gallery import Gallery
from kith.records import Candidate, Decision, Face, Outcome
from kith.runtime.prepare import Precision
from kith.weights.calibration import IDENTIFICATION_FPIR

COLUMNS = ("photo", "face", "who", "score", "")


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
    min_score: MinScore = 0.8,
    model: ModelId = DEFAULT_MODEL,
    precision: PrecisionName = Precision.AUTO,
    as_json: Json = False,
) -> int:
    """Name the enrolled people on photos, and say 'unknown' of everyone else (1:N).

    Exit code 2 if a photo could not be read; the others are answered all the same.
    """
    files = expand(photos)
    annotated = annotated_paths(annotate, files)
    settings = detection_settings(min_face_size, longest_side, min_score)
    with Gallery.open(gallery, model_id=model, create=False) as opened:
        recognizer = load_recognizer(model, precision, settings)
        answers: list[dict[str, Any]] = []
        rows: list[list[str]] = []
        failed = False
        for file, image in read_photos(files, "identifying"):
            if isinstance(image, ImageError):
                answers.append(unreadable_json(file, image))
                failed = True
                continue
            found = recognizer.identify(image, opened, classifier=classifier, fpir=fpir)
            answers.append({"image": str(file), "faces": [identity_json(*item) for item in found]})
            rows += table_rows(file, found)
            if annotate is not None:
                annotate_photo(image, labels_of(found), annotated[file])
    if as_json:
        print_json(answers)
    else:
        print_table(COLUMNS, rows)
    return ERROR if failed else SUCCESS


def table_rows(file: Path, found: list[tuple[Face, Decision]]) -> list[list[str]]:
    """One row a face, for people."""
    if not found:
        return [[str(file), "no face", "", "", ""]]
    return [
        [
            str(file),
            box_text(face),
            who(decision),
            "" if decision.score is None else f"{decision.score:.3f}",
            decision.reason,
        ]
        for face, decision in found
    ]


def labels_of(found: list[tuple[Face, Decision]]) -> list[Label]:
    """What is written at each face."""
    return [Label(face, who(decision), known=decision.subject is not None) for face, decision in found]


def who(decision: Decision) -> str:
    """A name, or what is said in its place."""
    if decision.subject is not None:
        return decision.subject.name
    return "low quality" if decision.outcome is Outcome.LOW_QUALITY else str(decision.outcome)


def identity_json(face: Face, decision: Decision) -> dict[str, Any]:
    """A face and whose it is, for programs."""
    return {
        "box": round_list(face.box),
        "detection_score": round(face.detection_score, 4),
        "decision": str(decision.outcome),
        "subject": decision.subject.name if decision.subject else None,
        "score": None if decision.score is None else round(decision.score, 4),
        "candidates": [_candidate_json(candidate) for candidate in decision.candidates],
    }


def _candidate_json(candidate: Candidate) -> dict[str, Any]:
    answer: dict[str, Any] = {"subject": candidate.subject.name, "score": round(candidate.score, 4)}
    if candidate.probability is not None:
        answer["probability"] = round(candidate.probability, 4)
    return answer
