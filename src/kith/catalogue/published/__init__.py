"""The published models that `kith models pull` and `import` know: files, hashes, licenses, figures.

A file for each publisher. Hashes are SHA-256, of the publisher or of a project that pins it. A file of which
nobody gives one has none here; what was pulled first is then what is verified.
"""

from collections.abc import Mapping

from kith.catalogue.published import arcface, facenet, insightface, opencv
from kith.catalogue.published.entries import PublishedDetector, PublishedFile, PublishedModel

_MODELS = (*opencv.MODELS, *insightface.MODELS, *arcface.MODELS, *facenet.MODELS)
_DETECTORS = (*opencv.DETECTORS, *insightface.DETECTORS)

PUBLISHED: Mapping[str, PublishedModel] = {model.id: model for model in _MODELS}
PUBLISHED_DETECTORS: Mapping[str, PublishedDetector] = {detector.id: detector for detector in _DETECTORS}


def find_published_file(
    sha256: str, md5: str
) -> tuple[PublishedModel | PublishedDetector, PublishedFile] | None:
    """The published file with one of these hashes, and whose it is."""
    published: tuple[PublishedModel | PublishedDetector, ...] = (*_MODELS, *_DETECTORS)
    for model in published:
        for file in model.files:
            if (file.sha256 and file.sha256 == sha256) or (file.md5 and file.md5 == md5):
                return model, file
    return None
