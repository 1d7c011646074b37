"""A published detector's file -> an installed detector."""

import hashlib
from pathlib import Path

from kith.catalogue.builtin import DETECTORS
from kith.catalogue.installed import discard, install_detector, is_here, models_folder, write_card
from kith.catalogue.lock import only_one
from kith.catalogue.packs import read_pack
from kith.catalogue.published import PUBLISHED_DETECTORS
from kith.catalogue.published.entries import PublishedDetector, PublishedFile, PublishedModel
from kith.catalogue.spec import ONNX, DetectorSpec, InstalledFile, WeightsSpec
from kith.errors import UnsupportedFile, WeightsError
from kith.progress import Progress
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
        summary=detector.summary,
        kind=detector.kind,
        weights={_NETWORK: weights},
        license=detector.license.text,
        training_data=detector.training_data,
        use=detector.license.use,
    )
    kept = install_detector(spec, {_NETWORK: adopted.content})
    try:
        write_card(kept)
    except BaseException as error:
        discard(model_id)
        if isinstance(error, OSError):
            raise WeightsError(
                f"{models_folder()}: {error.strerror or error}; nothing was installed"
            ) from None
        raise
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
