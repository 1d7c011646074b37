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
    from kith.assembly import RecognizerSettings as RecognizerSettings
    from kith.catalogue.spec import EmbedderSpec as EmbedderSpec
    from kith.decisions.calibration import Calibration as Calibration
    from kith.decisions.scoring import ClassifierKind as ClassifierKind
    from kith.detection import Detector as Detector
    from kith.detection import main_face as main_face
    from kith.detection.settings import DetectionSettings as DetectionSettings
    from kith.embedding import Embedder as Embedder
    from kith.errors import AcquisitionError as AcquisitionError
    from kith.errors import ChecksumMismatch as ChecksumMismatch
    from kith.errors import DeviceError as DeviceError
    from kith.errors import DownloadFailed as DownloadFailed
    from kith.errors import DuplicateReference as DuplicateReference
    from kith.errors import DuplicateSubject as DuplicateSubject
    from kith.errors import EvaluationError as EvaluationError
    from kith.errors import GalleryError as GalleryError
    from kith.errors import ImageError as ImageError
    from kith.errors import ImageWarning as ImageWarning
    from kith.errors import InvalidArgument as InvalidArgument
    from kith.errors import InvalidImage as InvalidImage
    from kith.errors import KithError as KithError
    from kith.errors import LicenseNotAccepted as LicenseNotAccepted
    from kith.errors import LowQuality as LowQuality
    from kith.errors import MissingExtra as MissingExtra
    from kith.errors import ModelMismatch as ModelMismatch
    from kith.errors import NoFaceFound as NoFaceFound
    from kith.errors import NoPeopleFound as NoPeopleFound
    from kith.errors import Remedy as Remedy
    from kith.errors import SeveralFacesFound as SeveralFacesFound
    from kith.errors import TrainingError as TrainingError
    from kith.errors import UnknownCluster as UnknownCluster
    from kith.errors import UnknownModel as UnknownModel
    from kith.errors import UnknownReference as UnknownReference
    from kith.errors import UnknownSubject as UnknownSubject
    from kith.errors import UnsupportedFile as UnsupportedFile
    from kith.errors import WeightsError as WeightsError
    from kith.gallery import ChangedReferences as ChangedReferences
    from kith.gallery import Changes as Changes
    from kith.gallery import Deletion as Deletion
    from kith.gallery import Gallery as Gallery
    from kith.gallery import MayBelong as MayBelong
    from kith.gallery import NewReference as NewReference
    from kith.gallery import Reference as Reference
    from kith.gallery import References as References
    from kith.gallery import SubjectSummary as SubjectSummary
    from kith.images.reading import load_image as load_image
    from kith.progress import Progress as Progress
    from kith.quality import Limits as Limits
    from kith.quality import QualityLimits as QualityLimits
    from kith.recognizer import Recognizer as Recognizer
    from kith.records import Candidate as Candidate
    from kith.records import Comparison as Comparison
    from kith.records import Decision as Decision
    from kith.records import Enrollment as Enrollment
    from kith.records import Face as Face
    from kith.records import Measure as Measure
    from kith.records import Outcome as Outcome
    from kith.records import Policy as Policy
    from kith.records import Quality as Quality
    from kith.records import Sample as Sample
    from kith.records import Subject as Subject
    from kith.records import Template as Template
    from kith.runtime.device import Device as Device
    from kith.runtime.keras_models import keras_model as keras_model
    from kith.runtime.prepare import Precision as Precision

__version__ = "0.1.0"

if "onnxruntime" not in sys.modules:
    # Else it reports to its maker once it is imported, by us or by the program itself; see `kith.runtime`.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"

_HOMES = {
    "AcquisitionError": "kith.errors",
    "Calibration": "kith.decisions.calibration",
    "Candidate": "kith.records",
    "ChangedReferences": "kith.gallery",
    "Changes": "kith.gallery",
    "ChecksumMismatch": "kith.errors",
    "ClassifierKind": "kith.decisions.scoring",
    "Comparison": "kith.records",
    "Decision": "kith.records",
    "Deletion": "kith.gallery",
    "DetectionSettings": "kith.detection.settings",
    "Detector": "kith.detection",
    "Device": "kith.runtime.device",
    "DeviceError": "kith.errors",
    "DownloadFailed": "kith.errors",
    "DuplicateReference": "kith.errors",
    "DuplicateSubject": "kith.errors",
    "Embedder": "kith.embedding",
    "EmbedderSpec": "kith.catalogue.spec",
    "Enrollment": "kith.records",
    "EvaluationError": "kith.errors",
    "Face": "kith.records",
    "Gallery": "kith.gallery",
    "GalleryError": "kith.errors",
    "ImageError": "kith.errors",
    "ImageWarning": "kith.errors",
    "InvalidArgument": "kith.errors",
    "InvalidImage": "kith.errors",
    "KithError": "kith.errors",
    "LicenseNotAccepted": "kith.errors",
    "Limits": "kith.quality",
    "LowQuality": "kith.errors",
    "MayBelong": "kith.gallery",
    "Measure": "kith.records",
    "MissingExtra": "kith.errors",
    "ModelMismatch": "kith.errors",
    "NewReference": "kith.gallery",
    "NoFaceFound": "kith.errors",
    "NoPeopleFound": "kith.errors",
    "Outcome": "kith.records",
    "Policy": "kith.records",
    "Precision": "kith.runtime.prepare",
    "Progress": "kith.progress",
    "Quality": "kith.records",
    "QualityLimits": "kith.quality",
    "Recognizer": "kith.recognizer",
    "RecognizerSettings": "kith.assembly",
    "Reference": "kith.gallery",
    "References": "kith.gallery",
    "Remedy": "kith.errors",
    "Sample": "kith.records",
    "SeveralFacesFound": "kith.errors",
    "Subject": "kith.records",
    "SubjectSummary": "kith.gallery",
    "Template": "kith.records",
    "TrainingError": "kith.errors",
    "UnknownCluster": "kith.errors",
    "UnknownModel": "kith.errors",
    "UnknownReference": "kith.errors",
    "UnknownSubject": "kith.errors",
    "UnsupportedFile": "kith.errors",
    "WeightsError": "kith.errors",
    "keras_model": "kith.runtime.keras_models",
    "load_image": "kith.images.reading",
    "main_face": "kith.detection",
}

__all__ = ["__version__", *_HOMES]


if not TYPE_CHECKING:  # else a type checker would take every name for a public one

    def __getattr__(name: str) -> Any:
        """Import a public name when it is first asked for."""
        if name not in _HOMES:
            raise AttributeError(f"module 'kith' has no attribute {name!r}")
        value = getattr(import_module(_HOMES[name]), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted(__all__)
