"""A published model, fetched from wherever it can be had, and installed."""

from kith.catalogue.acceptance import require_accepted
from kith.catalogue.builtin import EMBEDDERS
from kith.catalogue.download import download
from kith.catalogue.installed import CARD, models_folder, read_card
from kith.catalogue.lock import only_one
from kith.catalogue.published import PUBLISHED
from kith.catalogue.spec import EmbedderSpec
from kith.errors import Remedy, WeightsError
from kith.progress import SILENT, Progress
from kith.workflows.importing import install_found, read_embedder


def pull(
    model_id: str,
    *,
    urls: tuple[str, ...] = (),
    accept_license: bool = False,
    progress: Progress = SILENT,
) -> EmbedderSpec:
    """Fetch a published model and install it.

    Args:
        model_id: Its name in `PUBLISHED`.
        urls: Where to fetch it; the published places if empty.
        accept_license: Whether its license is accepted, where it forbids commercial use; that is remembered.
        progress: Told how far it is, and what is odd about the model.

    Raises:
        LicenseNotAccepted: Its license forbids commercial use; nothing was fetched.
        WeightsError: It is unknown or cannot be had, read or kept.
    """
    if model_id in EMBEDDERS:
        raise WeightsError(f"{model_id} came with Kith; there is nothing to pull")
    if model_id not in PUBLISHED:
        raise WeightsError(f"no published model {model_id!r}; known: {', '.join(PUBLISHED)}")
    model = PUBLISHED[model_id]
    require_accepted(model.license, model_id, Remedy.ACCEPT_AND_PULL, accept=accept_license)
    with only_one(model_id, progress):
        if (models_folder() / model_id / CARD).exists():
            return read_card(model_id)
        file = model.files[0]
        path = download(file, urls or file.urls, progress)
        spec = install_found(read_embedder(path, model_id, published=(model, file)), progress)
        path.unlink(missing_ok=True)  # not before: after a break it need not be fetched again
    return spec
