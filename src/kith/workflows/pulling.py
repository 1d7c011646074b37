"""A published model, fetched from wherever it can be had, and installed; with an embedder its detector."""

from kith.catalogue.acceptance import require_accepted
from kith.catalogue.builtin import DETECTORS, EMBEDDERS
from kith.catalogue.download import download
from kith.catalogue.installed import is_here, read_card
from kith.catalogue.lock import only_one
from kith.catalogue.published import PUBLISHED, PUBLISHED_DETECTORS
from kith.catalogue.published.entries import PublishedDetector, PublishedModel
from kith.catalogue.spec import DetectorSpec, EmbedderSpec
from kith.errors import Remedy, WeightsError
from kith.progress import SILENT, Progress
from kith.weights.regular_file import read_regular
from kith.workflows.detectors import install_packed_detector, install_published_detector, is_at_hand
from kith.workflows.importing import install_found, read_embedder


def pull(
    model_id: str,
    *,
    urls: tuple[str, ...] = (),
    accept_license: bool = False,
    progress: Progress = SILENT,
) -> EmbedderSpec | DetectorSpec:
    """Fetch a published model and install it; with an embedder, the detector that it is usually used with.

    Args:
        model_id: Its name in `PUBLISHED` or `PUBLISHED_DETECTORS`.
        urls: Where to fetch it; the published places if empty.
        accept_license: Whether its license is accepted, where it forbids commercial use; that is remembered.
        progress: Told how far it is, and what is odd about the model.

    Raises:
        LicenseNotAccepted: Its license forbids commercial use; nothing was fetched.
        WeightsError: It is unknown or cannot be had, read or kept.
    """
    if model_id in EMBEDDERS or model_id in DETECTORS:
        raise WeightsError(f"{model_id} came with Kith; there is nothing to pull")
    model = PUBLISHED.get(model_id) or PUBLISHED_DETECTORS.get(model_id)
    if model is None:
        known = ", ".join([*PUBLISHED, *PUBLISHED_DETECTORS])
        raise WeightsError(f"no published model {model_id!r}; known: {known}")
    require_accepted(model.license, model_id, Remedy.ACCEPT_AND_PULL, accept=accept_license)
    brings_detector = bool(model.files[0].members) and not is_here(model_id)
    if isinstance(model, PublishedModel) and not (brings_detector or is_at_hand(model.detector)):
        pull(model.detector, accept_license=accept_license, progress=progress)
    with only_one(model_id, progress):
        if is_here(model_id):
            return read_card(model_id)
        return _fetch(model, urls, progress)


def _fetch(
    model: PublishedModel | PublishedDetector, urls: tuple[str, ...], progress: Progress
) -> EmbedderSpec | DetectorSpec:
    file = model.files[0]
    path = download(file, urls or file.urls, progress)
    spec: EmbedderSpec | DetectorSpec
    try:
        if isinstance(model, PublishedDetector):
            spec = install_published_detector(model, read_regular(path), model.id)
        else:
            if file.members:
                install_packed_detector(path, model, file, progress)
            spec = install_found(read_embedder(path, model.id, published=(model, file)), progress)
    except OSError as error:
        raise WeightsError(f"cannot read {path}: {error.strerror or error}") from None
    path.unlink(missing_ok=True)  # not before: after a break it need not be fetched again
    return spec
