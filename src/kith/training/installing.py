"""A trained network -> a model of the catalogue: compiled, quantized, calibrated, with a card."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from kith.assembly import RecognizerSettings
from kith.catalogue.calibrations import IMPORTED, keep_calibration
from kith.catalogue.installed import install, whole_or_not_at_all, write_card
from kith.catalogue.spec import EmbedderSpec, InstalledFile, WeightsSpec
from kith.decisions.calibration import Calibration
from kith.errors import EvaluationError, WeightsError
from kith.progress import Progress
from kith.recognizer import Recognizer
from kith.runtime.prepare import Precision
from kith.training.faces import FaceSet
from kith.training.recipes import Recipe
from kith.weights.safetensors import EXTENSION, write_safetensors
from kith.workflows.calibrating import fit_calibration
from kith.workflows.first_calibration import calibrate_on_sample_people, embed_unrecognizable

_MOST_FACES = 4000  # of which all pairs calibrate: 8 million


@dataclass(frozen=True, slots=True)
class Card:
    """What a model's card says of where it comes from.

    Attributes:
        summary: One line for a person.
        training_data: What it was trained on.
        license: Of the weights.
        lfw: Measured LFW accuracy, if any.
    """

    summary: str
    training_data: str
    license: str
    lfw: str = "not measured"


def install_trained(
    model_id: str, model: keras.Model, recipe: Recipe, card: Card, held_out: FaceSet, progress: Progress
) -> EmbedderSpec:
    """Install a trained network.

    Args:
        model_id: Its name from now on.
        model: With its weights.
        recipe: What is done to a face before it.
        card: Where it comes from.
        held_out: Faces of people it did not learn from: the thresholds are measured on them.
        progress: Told what is being done.

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
        mirrored=True,
        license=card.license,
        training_data=card.training_data,
        lfw=card.lfw,
        int8=False,
    )
    spec = install(spec, content, f"weights.{EXTENSION}")
    with whole_or_not_at_all(model_id):
        recognizer, spec = _quantized(spec, progress)
        progress.begin("measuring thresholds on the people held out")
        keep_calibration(spec.id, calibrate(recognizer, held_out), IMPORTED)
        write_card(spec)
    return spec


def calibrate(recognizer: Recognizer, faces: FaceSet) -> Calibration:
    """What the scores mean, measured on these faces; on the sample people where these are too few."""
    positions = np.arange(len(faces.crops))[:_MOST_FACES]
    embeddings = recognizer.embed(np.stack([faces.crops[i] for i in positions]))
    try:
        return fit_calibration(
            embeddings,
            faces.labels[positions],
            "people held out of its training",
            unrecognizable=embed_unrecognizable(recognizer),
        )
    except EvaluationError:
        return calibrate_on_sample_people(recognizer)


def _quantized(spec: EmbedderSpec, progress: Progress) -> tuple[Recognizer, EmbedderSpec]:
    """In int8 where that keeps the embeddings."""
    try:
        return _recognizer(spec, Precision.INT8, progress), replace(spec, int8=True)
    except WeightsError as error:
        progress.say(str(error))
        return _recognizer(spec, Precision.FLOAT32, progress), spec


def _recognizer(spec: EmbedderSpec, precision: Precision, progress: Progress) -> Recognizer:
    return Recognizer.from_settings(RecognizerSettings(spec, precision=precision), progress=progress)


def _array(variable: Any) -> np.ndarray:
    return np.asarray(ops.convert_to_numpy(variable.value), np.float32)
