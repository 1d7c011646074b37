"""The models there are: which, whether their files are whole, and deleting one."""

from contextlib import suppress
from dataclasses import dataclass

from kith.catalogue import installed
from kith.catalogue.builtin import DETECTORS, EMBEDDERS
from kith.catalogue.files import read_weights
from kith.catalogue.installed import is_here, models_folder, read_card
from kith.catalogue.pair import find_pair
from kith.catalogue.published import PUBLISHED, PUBLISHED_DETECTORS
from kith.catalogue.published.entries import PublishedDetector, PublishedModel
from kith.catalogue.spec import DetectorSpec, EmbedderSpec, WeightsSpec
from kith.errors import UnsupportedFile, WeightsError
from kith.runtime.prepare import forget

ModelSpec = EmbedderSpec | DetectorSpec | PublishedModel | PublishedDetector


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A model of the list.

    Attributes:
        id: Its name.
        spec: What is known of it; None where that cannot be read.
        error: Why not; None otherwise.
    """

    id: str
    spec: ModelSpec | None
    error: WeightsError | None = None


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A file of weights that was read again.

    Attributes:
        id: The model's name.
        file: The file.
        error: What is wrong with it; None if it is as it was published or installed.
    """

    id: str
    file: str
    error: WeightsError | None


def find_model(model_id: str) -> ModelSpec:
    """What is known of a model: one that works at once, one that was brought here, one that can be had; or of
    an embedder with a detector that is not its usual one.

    Raises:
        WeightsError: There is none of this name, or its card cannot be read.
    """
    if model_id in DETECTORS:
        return DETECTORS[model_id]
    if not is_here(model_id) and (published := PUBLISHED.get(model_id) or PUBLISHED_DETECTORS.get(model_id)):
        return published
    return read_card(model_id) if is_here(model_id) else find_pair(model_id).spec


def list_models() -> list[ListedModel]:
    """All models: those that work at once, those that were brought here, those that can be had.

    What cannot be read does not hide the others: a model, nor the folder of those that were brought here,
    which is then listed as a model of its path.
    """
    found, here = [], list[str]()
    try:
        here = installed.installed_ids()
    except WeightsError as error:
        found.append(ListedModel(str(models_folder()), None, error))
    for model_id in dict.fromkeys([*EMBEDDERS, *DETECTORS, *here, *PUBLISHED, *PUBLISHED_DETECTORS]):
        try:
            found.append(ListedModel(model_id, find_model(model_id)))
        except WeightsError as error:
            found.append(ListedModel(model_id, None, error))
    return found


def check_weights() -> list[CheckedFile]:
    """Read the weights of all models on this machine again and compare their hashes."""
    checked = []
    for model in list_models():
        if model.spec is None:
            checked.append(CheckedFile(model.id, str(models_folder() / model.id), model.error))
        else:
            checked += [
                CheckedFile(model.id, str(weights.file), _error_of(weights))
                for weights in weights_of(model.spec)
            ]
    return checked


def remove_model(model_id: str) -> int:
    """Delete a model that was brought here, and all that was compiled of it.

    Returns:
        How many bytes it took.

    Raises:
        WeightsError: There is none, or it came with Kith, or it cannot be deleted.
    """
    if model_id in EMBEDDERS or model_id in DETECTORS:
        raise WeightsError(f"{model_id} came with Kith and cannot be removed")
    if is_here(model_id):
        with suppress(UnsupportedFile):  # of a damaged card; what was compiled is not known then
            for weights in weights_of(read_card(model_id)):
                forget(weights)
    return installed.remove(model_id)


def weights_of(spec: ModelSpec) -> list[WeightsSpec]:
    """The files of a model's weights; none of one that is not here."""
    if isinstance(spec, EmbedderSpec):
        return [spec.weights]
    return list(spec.weights.values()) if isinstance(spec, DetectorSpec) else []


def _error_of(weights: WeightsSpec) -> WeightsError | None:
    try:
        read_weights(weights)
    except WeightsError as error:
        return error
    return None
