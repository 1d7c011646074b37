"""A detector's file -> an installed detector."""

import hashlib
from pathlib import Path

from kith.catalogue.builtin import DETECTORS
from kith.catalogue.installed import (
    install_detector,
    is_here,
    whole_or_not_at_all,
    write_card,
)
from kith.catalogue.licenses import Use
from kith.catalogue.lock import only_one
from kith.catalogue.packs import read_pack
from kith.catalogue.published import PUBLISHED_DETECTORS
from kith.catalogue.published.entries import PublishedDetector, PublishedFile, PublishedModel
from kith.catalogue.spec import ONNX, DetectorKind, DetectorSpec, InstalledFile, WeightsSpec
from kith.errors import Remedy, UnsupportedFile
from kith.progress import Progress
from kith.runtime.adopt_detector import AdoptedDetector
from kith.runtime.trial import adopt_detector_in_bounds

_NETWORK = "detector"  # its only one


def install_published_detector(detector: PublishedDetector, content: bytes, model_id: str) -> DetectorSpec:
    """Make a detector's network one of ours, keep it, and then write its card.

    Args:
        detector: Which it is.
        content: Of its file.
        model_id: Its name from now on.

    Raises:
        UnsupportedFile: It is no such detector.
        WeightsError: It cannot be kept.
    """
    adopted = adopt_detector_in_bounds(content)
    if adopted.kind is not detector.kind:
        raise UnsupportedFile(f"{model_id} is said to be {detector.kind}, but its file is {adopted.kind}")
    return _install(
        adopted,
        model_id,
        summary=detector.summary,
        license=detector.license.text,
        training_data=detector.training_data,
        use=detector.license.use,
    )


def read_detector(content: bytes) -> AdoptedDetector | None:
    """The detector of an ONNX file; None if its outputs are none of a detector's.

    Raises:
        UnsupportedFile: It is damaged, or not the detector that its outputs promise.
    """
    try:
        return adopt_detector_in_bounds(content)
    except UnsupportedFile as error:
        if error.remedy is Remedy.DESCRIBE_ONNX:
            return None
        raise


def install_unknown_detector(adopted: AdoptedDetector, file_name: str, model_id: str) -> DetectorSpec:
    """Keep a detector of which nobody says where it is from, and then write its card.

    Args:
        adopted: Its network.
        file_name: Of its file.
        model_id: Its name from now on.

    Raises:
        WeightsError: It cannot be kept.
    """
    names = {DetectorKind.YUNET: "YuNet", DetectorKind.SCRFD: "SCRFD"}
    return _install(
        adopted,
        model_id,
        summary=f"{names[adopted.kind]}, by its outputs; from {file_name}",
        license="unknown: the file was not published in this form",
        training_data="unknown",
        use=Use.UNCLEAR,
    )


def _install(
    adopted: AdoptedDetector, model_id: str, *, summary: str, license: str, training_data: str, use: Use
) -> DetectorSpec:
    weights = WeightsSpec(
        network=ONNX,
        reader=ONNX,
        file=InstalledFile(Path(f"{_NETWORK}.onnx")),
        sha256=hashlib.sha256(adopted.content).hexdigest(),
        size=len(adopted.content),
        input_size=adopted.side,
    )
    spec = DetectorSpec(
        id=model_id,
        summary=summary,
        kind=adopted.kind,
        weights={_NETWORK: weights},
        license=license,
        training_data=training_data,
        use=use,
    )
    kept = install_detector(spec, {_NETWORK: adopted.content})
    with whole_or_not_at_all(model_id):
        write_card(kept)
    return kept


def install_packed_detector(
    path: Path, model: PublishedModel, pack: PublishedFile, progress: Progress
) -> None:
    """Install the detector that a zip has beside an embedder, if it is not here.

    Args:
        path: The zip.
        model: The embedder.
        pack: The zip, as it was published.
        progress: Told where another process brings the detector.

    Raises:
        WeightsError: The zip cannot be read, or the detector not be kept.
        OSError: The zip cannot be read.
    """
    with only_one(model.detector, progress):
        if not is_at_hand(model.detector):
            (content,) = read_pack(path, pack.members[1:])
            install_published_detector(PUBLISHED_DETECTORS[model.detector], content, model.detector)


def is_at_hand(detector_id: str) -> bool:
    """Whether a detector came with Kith, or was brought here."""
    return detector_id in DETECTORS or is_here(detector_id)
