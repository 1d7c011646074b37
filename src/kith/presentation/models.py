"""What is known of a model, for programs: the same for the command line and a server."""

from typing import Any

from kith.catalogue.builtin import DETECTORS, EMBEDDERS
from kith.catalogue.calibrations import find_calibration
from kith.catalogue.families import PublishedThreshold, find_family
from kith.catalogue.pair import embedder_of
from kith.catalogue.preprocessing import ColorOrder, CropRule, FixedScaling, MarginCrop, PixelRule
from kith.catalogue.published import PUBLISHED, PUBLISHED_DETECTORS
from kith.catalogue.published.entries import PublishedDetector, PublishedFile, PublishedModel
from kith.catalogue.spec import DetectorSpec
from kith.decisions.calibration import Calibration
from kith.decisions.scoring import rule_for
from kith.presentation.certainty import among
from kith.workflows.models import ModelSpec

_COLOURS = {ColorOrder.RGB: "red, green, blue", ColorOrder.BGR: "blue, green, red"}


def model_json(spec: ModelSpec) -> dict[str, Any]:
    """A model's card: license, training data, figures, preprocessing.

    Raises:
        WeightsError: Its calibration cannot be read.
    """
    if isinstance(spec, PublishedModel):
        return _published_card(spec)
    if isinstance(spec, PublishedDetector):
        return _published_detector_card(spec)
    if isinstance(spec, DetectorSpec):
        return _detector_card(spec)
    calibration = find_calibration(spec.id)
    return {
        "id": spec.id,
        "kind": "embedder",
        "state": "built in" if embedder_of(spec.id) in EMBEDDERS else "here",
        "summary": spec.summary,
        "use": spec.use,
        "license": spec.license,
        "training_data": spec.training_data,
        "lfw": spec.lfw,
        **_figures(PUBLISHED.get(embedder_of(spec.id))),
        "embedding_size": spec.embedding_size,
        **_preprocessing(spec.crop, spec.pixels, spec.input_size),
        "mirrored": spec.mirrored,
        "detector": spec.detector,
        "calibrated_on": calibration.measured_on,
        "verification": _verification(calibration),
        "identification": [_identification(calibration, size) for size in (10, 100, 1000)],
        "int8": spec.int8,
        "precision": f"{'int8' if spec.int8 else 'float32'} on a processor, float32 on other devices",
        "file": str(spec.weights.file),
        "sha256": spec.weights.sha256,
        "size": spec.weights.size,
    }


def _detector_card(spec: DetectorSpec) -> dict[str, Any]:
    files = spec.weights.values()
    return {
        "id": spec.id,
        "kind": "detector",
        "state": "built in" if spec.id in DETECTORS else "here",
        "summary": spec.summary,
        "use": spec.use,
        "license": spec.license,
        "training_data": spec.training_data,
        "figures": PUBLISHED_DETECTORS[spec.id].figures if spec.id in PUBLISHED_DETECTORS else "",
        "looks_as": spec.kind,
        "files": [str(weights.file) for weights in files],
        "size": sum(weights.size for weights in files),
    }


def _published_card(model: PublishedModel) -> dict[str, Any]:
    family = find_family(model.family)
    return {
        "id": model.id,
        "kind": "embedder",
        "state": "can be pulled",
        "summary": family.summary,
        "use": model.license.use,
        "license": model.license.text,
        "training_data": model.training_data,
        "lfw": model.lfw,
        **_figures(model),
        "embedding_size": family.embedding_size,
        **_preprocessing(family.crop, family.pixels, family.input_size, family.color),
        "detector": model.detector,
        "recommended_threshold": _recommended(family.threshold),
        "files": [_published_file(file) for file in model.files],
        "size": model.files[0].size,
    }


def _figures(model: PublishedModel | None) -> dict[str, Any]:
    """What its authors measured on harder photos than LFW's; nothing of what was not published."""
    if model is None:
        return {}
    return {"ijb_c": model.ijb_c, "by_group": dict(model.by_group), "figures": model.figures}


def _recommended(threshold: PublishedThreshold | None) -> str:
    return f"{threshold.score:g} by {threshold.source}" if threshold else ""


def _published_detector_card(detector: PublishedDetector) -> dict[str, Any]:
    return {
        "id": detector.id,
        "kind": "detector",
        "state": "can be pulled",
        "summary": detector.summary,
        "use": detector.license.use,
        "license": detector.license.text,
        "training_data": detector.training_data,
        "figures": detector.figures,
        "looks_as": detector.kind,
        "files": [_published_file(file) for file in detector.files],
        "size": detector.files[0].size,
    }


def _published_file(file: PublishedFile) -> str:
    return " ".join([file.name, *file.urls, file.sha256 or file.md5 or "no hash published"])


def _preprocessing(
    crop: CropRule, pixels: PixelRule, input_size: int, color: ColorOrder = ColorOrder.RGB
) -> dict[str, Any]:
    how = f"{crop.size} pixels, {type(crop).__name__}"
    if isinstance(crop, MarginCrop):
        how += f" of {crop.margin} {crop.unit}"
    scaling = "whitening of each crop"
    if isinstance(pixels, FixedScaling):
        scaling = f"(pixel - {pixels.mean}) / {pixels.divisor:g}"
    return {"crop": how, "pixels": scaling, "colours": _COLOURS[color], "input_size": input_size}


def _verification(calibration: Calibration) -> str:
    policy = calibration.verification_policy()
    how = "" if calibration.people else " (extrapolated)"  # of nobody
    return f"threshold {policy.threshold:.4f}, FMR {policy.rate:g}{among(policy)}{how}"


def _identification(calibration: Calibration, people: int) -> str:
    policy = rule_for(calibration, people=people, references=people).policy
    how = " (extrapolated)" if policy.extrapolated else ""
    return (
        f"threshold {policy.threshold:.4f}, FPIR {policy.rate:g}{among(policy)}{how} "
        f"with {people:,} people enrolled"
    )
