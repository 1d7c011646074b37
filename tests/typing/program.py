"""A program that uses Kith, as mypy --strict sees it; it is never run."""

from pathlib import Path
from typing import assert_type

import kith


def recognize(photo: Path, file: Path) -> list[str]:
    recognizer = kith.Recognizer.from_pretrained(precision="int8", detection=kith.DetectionSettings())
    assert_type(recognizer, kith.Recognizer)
    image = kith.load_image(photo)
    with kith.Gallery.open(file, model_id=recognizer.model_id) as gallery:
        assert_type(gallery, kith.Gallery)
        enrollment = recognizer.enroll("Ada", image, gallery)
        assert_type(enrollment, kith.Enrollment)
        assert_type(enrollment.subject, kith.Subject)
        assert_type(gallery.subjects(), list[kith.SubjectSummary])
        assert_type(gallery.references(), kith.References)
        assert_type(gallery.delete("Ada"), kith.Deletion)
        found = recognizer.identify(image, gallery, fpir=0.01, classifier=kith.ClassifierKind.NEAREST)
    assert_type(found, list[tuple[kith.Face, kith.Decision]])
    return [describe(decision) for _, decision in found]


def describe(decision: kith.Decision) -> str:
    assert_type(decision.outcome, kith.Outcome)
    assert_type(decision.policy, kith.Policy)
    assert_type(decision.candidates, tuple[kith.Candidate, ...])
    return decision.subject.name if decision.subject else decision.reason


def verify(first: Path, second: Path) -> bool | None:
    recognizer = kith.Recognizer.from_pretrained()
    try:
        comparison = recognizer.verify(kith.load_image(first), kith.load_image(second), fmr=0.001)
    except (kith.NoFaceFound, kith.SeveralFacesFound, kith.LowQuality):
        return None
    assert_type(comparison, kith.Comparison)
    assert_type(comparison.probability, float)
    return comparison.is_match


def look(photo: Path) -> list[float]:
    samples = kith.Recognizer.from_pretrained().analyze(kith.load_image(photo))
    assert_type(samples, list[kith.Sample])
    assert_type(samples[0].template, kith.Template)
    assert_type(samples[0].quality, kith.Quality)
    return [sample.quality.sharpness for sample in samples]


def wrong(gallery: kith.Gallery) -> None:
    gallery.enroll("Ada", "ada.jpg")  # type: ignore[arg-type]
    kith.Recognizer.from_pretrained(threads="all")  # type: ignore[arg-type]
    kith.nothing()  # type: ignore[attr-defined]
