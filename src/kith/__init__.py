"""Kith recognizes the people in photographs: FaceNet for today's Python.

    import kith

    recognizer = kith.Recognizer.from_pretrained()
    gallery = kith.Gallery.open("family.db", model_id=recognizer.model_id)
    recognizer.enroll("Ada", kith.load_image("ada.jpg"), gallery)
    for face, decision in recognizer.identify(kith.load_image("party.jpg"), gallery):
        print(face.box, decision.outcome, decision.subject)

Importing kith reads no file, no environment and no network; what is heavy is imported at first use.
"""

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kith.decisions.scoring import ClassifierKind as ClassifierKind
    from kith.detection import main_face as main_face
    from kith.detection.mtcnn import DetectionSettings as DetectionSettings
    from kith.errors import AcquisitionError as AcquisitionError
    from kith.errors import GalleryError as GalleryError
    from kith.errors import ImageError as ImageError
    from kith.errors import InvalidArgument as InvalidArgument
    from kith.errors import KithError as KithError
    from kith.errors import WeightsError as WeightsError
    from kith.gallery import Gallery as Gallery
    from kith.images.reading import load_image as load_image
    from kith.recognizer import Recognizer as Recognizer
    from kith.records import Candidate as Candidate
    from kith.records import Comparison as Comparison
    from kith.records import Decision as Decision
    from kith.records import Face as Face
    from kith.records import Measure as Measure
    from kith.records import Outcome as Outcome
    from kith.records import Policy as Policy
    from kith.records import Subject as Subject
    from kith.records import Template as Template
    from kith.runtime.keras_models import keras_model as keras_model
    from kith.runtime.prepare import Precision as Precision

__version__ = "0.1.0"

if "onnxruntime" not in sys.modules:
    # Else it reports to its maker once it is imported, by us or by the program itself; see `kith.runtime`.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"

_HOMES = {
    "AcquisitionError": "kith.errors",
    "Candidate": "kith.records",
    "ClassifierKind": "kith.decisions.scoring",
    "Comparison": "kith.records",
    "Decision": "kith.records",
    "DetectionSettings": "kith.detection.mtcnn",
    "Face": "kith.records",
    "Gallery": "kith.gallery",
    "GalleryError": "kith.errors",
    "ImageError": "kith.errors",
    "InvalidArgument": "kith.errors",
    "KithError": "kith.errors",
    "Measure": "kith.records",
    "Outcome": "kith.records",
    "Policy": "kith.records",
    "Precision": "kith.runtime.prepare",
    "Recognizer": "kith.recognizer",
    "Subject": "kith.records",
    "Template": "kith.records",
    "WeightsError": "kith.errors",
    "keras_model": "kith.runtime.keras_models",
    "load_image": "kith.images.reading",
    "main_face": "kith.detection",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'kith' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
