"""What came of enrolling, for programs: the same for the command line and a server."""

from typing import Any

from kith.gallery import Gallery
from kith.workflows.enrolling import EnrolledPhoto, EnrolledPhotos


def enrolled_photo_json(one: EnrolledPhoto) -> dict[str, Any]:
    """What became of a photo."""
    answer = {"image": str(one.photo.path), "person": one.photo.person}
    if one.error is not None:
        return answer | {"outcome": "failed", "reason": str(one.error)}
    if one.enrollment is None:
        return answer | {"outcome": "already"}
    return answer | {
        "outcome": "enrolled",
        "person": one.enrollment.subject.name,
        "weakness": one.enrollment.weakness,
        "turned": one.enrollment.turned,
    }


def enrolled_photos_json(outcome: EnrolledPhotos, gallery: Gallery) -> dict[str, Any]:
    """What became of many photos, and how many people the gallery has now."""
    enrolled = outcome.enrolled
    return {
        "gallery": str(gallery.path),
        "model": gallery.model_id,
        "people": len(gallery.subjects()),
        "enrolled": len(enrolled),
        "already": outcome.already,
        "failed": [{"image": str(file), "reason": str(error)} for file, error in outcome.failed],
        "weak": [{"image": str(file), "reason": one.weakness} for file, one in enrolled if one.weakness],
        "turned": [{"image": str(file), "degrees": one.turned} for file, one in enrolled if one.turned],
        "lookalikes": [
            {"name": one.subject.name, "looks_like": one.other.name, "score": round(one.score, 4)}
            for one in outcome.lookalikes
        ],
    }
