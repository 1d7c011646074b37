"""The published models that `kith models pull` and `import` know: files, hashes, licenses, figures.

A file for each publisher. Hashes are SHA-256, of the publisher or of a project that pins it. A file of which
nobody gives one has none here; what was pulled first is then what is verified.
"""

from collections.abc import Mapping

from kith.catalogue.published import arcface, facenet, insightface, opencv
from kith.catalogue.published.entries import PublishedDetector, PublishedFile, PublishedModel

PUBLISHED: Mapping[str, PublishedModel] = {
    model.id: model for model in (*opencv.MODELS, *insightface.MODELS, *arcface.MODELS, *facenet.MODELS)
}
PUBLISHED_DETECTORS: Mapping[str, PublishedDetector] = {
    detector.id: detector for detector in (*opencv.DETECTORS, *insightface.DETECTORS)
}


def find_published_file(sha256: str, md5: str) -> tuple[PublishedModel, PublishedFile] | None:
    """The published file of an embedder with one of these hashes, and whose it is."""
    for model in PUBLISHED.values():
        for file in model.files:
            if (file.sha256 and file.sha256 == sha256) or (file.md5 and file.md5 == md5):
                return model, file
    return None


def find_published_detector(sha256: str) -> PublishedDetector | None:
    """The published detector that has a file with this hash."""
    of_file = {file.sha256: detector for detector in PUBLISHED_DETECTORS.values() for file in detector.files}
    return of_file.get(sha256) if sha256 else None
