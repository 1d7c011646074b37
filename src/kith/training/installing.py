"""A trained network -> a model of the catalogue: compiled, quantized, calibrated, with a card."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from kith.comparison import score_all, threshold_at_fmr
from kith.errors import TrainingError, WeightsError
from kith.recognizer import Recognizer
from kith.records import DecisionPolicy
from kith.runtime.prepare import Notify, Precision
from kith.training.faces import FaceSet
from kith.training.recipes import Recipe
from kith.weights.catalogue import EMBEDDERS, EmbedderSpec, InstalledFile, WeightsSpec
from kith.weights.installed import CARD, discard, install, is_id, models_folder, write_card
from kith.weights.readers.safetensors import EXTENSION, write_safetensors

_MOST_FACES = 4000  # of which all pairs calibrate: 8 million
_UNMEASURED = DecisionPolicy(threshold=1.0, fmr=0.0, measured_on="nothing yet")


@dataclass(frozen=True, slots=True)
class Card:
    """What a model's card says of where it comes from.

    Attributes:
        summary: One line for a person.
        training_data: What it was trained on.
        licence: Of the weights.
        lfw: Measured LFW accuracy, if any.
    """

    summary: str
    training_data: str
    licence: str
    lfw: str = "not measured"


def require_free(model_id: str) -> None:
    """Make sure, before hours of training, that a model of this name can be installed.

    Raises:
        WeightsError: The name is none, or is taken.
    """
    if not is_id(model_id):
        raise WeightsError(f"{model_id!r} cannot be a model's name: letters, digits and hyphens only")
    if model_id in EMBEDDERS or (models_folder() / model_id / CARD).exists():
        raise WeightsError(f"a model {model_id} is here already; choose another name with --id")


def install_trained(
    model_id: str, model: keras.Model, recipe: Recipe, card: Card, held_out: FaceSet, notify: Notify
) -> EmbedderSpec:
    """Install a trained network.

    Args:
        model_id: Its name from now on.
        model: With its weights.
        recipe: What is done to a face before it.
        card: Where it comes from.
        held_out: Faces of people it did not learn from: the thresholds are measured on them.
        notify: Told what is being done.

    Raises:
        WeightsError: It cannot be written; nothing is installed.
    """
    content = write_safetensors({variable.path: _array(variable) for variable in model.weights})
    size = int(model.output.shape[1])
    spec = EmbedderSpec(
        id=model_id,
        summary=card.summary,
        weights=WeightsSpec(
            network=recipe.network,
            reader=EXTENSION,
            file=InstalledFile(Path()),
            sha256=hashlib.sha256(content).hexdigest(),
            size=len(content),
            embedding_size=size,
            input_size=recipe.input_size,
        ),
        embedding_size=size,
        crop=recipe.crop,
        pixels=recipe.pixels,
        input_size=recipe.input_size,
        looks=recipe.looks,
        policy=_UNMEASURED,
        identification_policy=_UNMEASURED,
        licence=card.licence,
        training_data=card.training_data,
        lfw=card.lfw,
        int8=False,
    )
    spec = install(spec, content, f"weights.{EXTENSION}")
    try:
        recognizer, spec = _quantized(spec, notify)
        notify("measuring thresholds on the people held out")
        policies = calibrate(recognizer, held_out)
        spec = replace(spec, policy=policies[0], identification_policy=policies[1])
        write_card(spec)
    except BaseException as error:
        discard(model_id)
        if isinstance(error, OSError):
            raise WeightsError(
                f"{models_folder()}: {error.strerror or error}; nothing was installed"
            ) from None
        raise
    return spec


def calibrate(recognizer: Recognizer, faces: FaceSet) -> tuple[DecisionPolicy, DecisionPolicy]:
    """Thresholds for 1:1 and 1:N, from all non-mated pairs of these faces.

    Raises:
        TrainingError: There are too few pairs.
    """
    positions = np.arange(len(faces.crops))[:_MOST_FACES]
    embeddings = recognizer.embed(np.stack([faces.crops[i] for i in positions]))
    labels = faces.labels[positions]
    first, second = np.triu_indices(len(positions), 1)
    strangers = labels[first] != labels[second]
    scores = score_all(embeddings, embeddings)[first[strangers], second[strangers]]
    people = len(np.unique(labels))
    measured_on = f"{len(scores):,} non-mated pairs of {people:,} people held out of its training"
    policies = []
    for fmr, margin in ((1e-3, 0.0), (5e-5, 0.005)):
        fmr = max(fmr, 10 / max(len(scores), 1))  # fewer than ten pairs show no rate
        try:
            threshold = threshold_at_fmr(scores, fmr)
        except ValueError as error:
            raise TrainingError(f"{error}: hold out more people") from None
        policies.append(DecisionPolicy(min(threshold, 1.0), fmr, measured_on, margin))
    return policies[0], policies[1]


def _quantized(spec: EmbedderSpec, notify: Callable[[str], None]) -> tuple[Recognizer, EmbedderSpec]:
    """In int8 where that keeps the embeddings."""
    try:
        return Recognizer.from_spec(spec, precision=Precision.INT8, notify=notify), replace(spec, int8=True)
    except WeightsError as error:
        notify(str(error))
        return Recognizer.from_spec(spec, precision=Precision.FLOAT32, notify=notify), spec


def _array(variable: Any) -> np.ndarray:
    return np.asarray(ops.convert_to_numpy(variable.value), np.float32)
