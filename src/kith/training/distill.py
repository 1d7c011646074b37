"""`kith distill`: a compact network learns a model's embeddings from photos of anybody."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

from kith.detection import load_detector
from kith.embedding import scale_pixels, shrink
from kith.errors import TrainingError
from kith.files import write_atomically
from kith.progress import SILENT, Progress
from kith.recognizer import Recognizer
from kith.records import FloatArray
from kith.runtime.keras_models import build, keras_model
from kith.training.building import new_model, set_precision
from kith.training.config import Config
from kith.training.distribution import Hosts
from kith.training.faces import FaceSet, describe, prepare_faces, tell_unusable
from kith.training.installing import Card
from kith.training.loading import ShuffledSampler, require_grain
from kith.training.photos import Source, photos_of
from kith.training.recipes import Recipe, find_recipe, recipe_of
from kith.training.runs import Result, Task, run, run_folder
from kith.training.slimming import slim
from kith.training.teaching import Distillation, agreement, teach, widen_cone
from kith.training.validation import hold_out
from kith.weights.safetensors import read_safetensors, write_safetensors
from kith.workflows.importing import require_free

_SLIMMED_FROM = 1200  # photos
_WIDENED_BY = 400


def distill(
    teacher_id: str,
    photos: Source,
    config: Config | None = None,
    *,
    model_id: str = "distilled",
    folder: Path | None = None,
    hosts: Hosts | None = None,
    progress: Progress = SILENT,
) -> Result:
    """Let a slim network learn a teacher's embeddings; whose photos they are plays no part.

    A slim ResNet-29 that is taught by a ResNet-29 begins as its teacher, slimmed down by least squares.
    Any other network begins with nothing.

    Args:
        teacher_id: The model to learn from.
        photos: To learn on; or a folder with one folder per person, or a gallery's file. The names serve to
            hold out some people for validation, and for nothing else.
        config: How; as `Config` says if None.
        model_id: The new model's name.
        folder: Of the run: checkpoints and logs; runs/ID if None. Where there are checkpoints it goes on.
        hosts: The processes that train together; None for this one alone.
        progress: Told how far it is, and what a person should know of it.

    Raises:
        KithError: The photos, the settings or the disk do not allow it.
    """
    require_grain()
    require_free(model_id)
    hosts = hosts or Hosts()
    hosts.join()
    config, folder = config or Config(), folder or run_folder(model_id)
    photos = photos_of(photos, progress=progress)
    teacher = Recognizer.from_pretrained(teacher_id)
    recipe = replace(recipe_of(teacher_id), network=find_recipe(config.network).network)
    config = replace(config, embedding_size=teacher.spec.embedding_size)
    faces = prepare_faces(photos, recipe.crop, load_detector(threads=1), progress)
    tell_unusable(faces, progress)
    taught = teach(faces, teacher, progress)
    kept = hold_out(faces.labels, config.hold_out, config.seed)
    learned, held_out = faces.subset(np.flatnonzero(~kept)), faces.subset(np.flatnonzero(kept))
    if not len(learned.crops) or not len(held_out.crops):
        raise TrainingError("too few people: some are held out for validation, and some must be left")
    center = taught[~kept].mean(axis=0)
    hosts.spread()
    set_precision(config.precision)
    keras.utils.set_random_seed(config.seed)

    def inputs() -> FloatArray:
        return _some_inputs(learned, recipe, config.seed)

    def finish(model: keras.Model) -> None:
        last = model.layers[-1]
        if isinstance(last, keras.layers.Dense) and not last.use_bias:
            raw = model(inputs()[:_WIDENED_BY], training=False)
            widen_cone(last.kernel, np.asarray(raw, np.float32), center)

    if (recipe.network, teacher.spec.weights.network) == ("slim_resnet29", "resnet29"):
        model = _slimmed(teacher_id, inputs, folder, config.seed, progress)
    else:
        model = new_model(recipe, config)
    task = Task(
        model=model,
        loss=Distillation(center),
        recipe=recipe,
        sampler=ShuffledSampler(len(learned.crops), config.people * config.images, config.seed),
        targets=taught[~kept],
        learned=learned,
        held_out=held_out,
        finish=finish,
        score=lambda ours: agreement(ours, taught[kept]),
        card=Card(
            summary=f"{recipe.network} taught by {teacher_id} for {config.epochs} epochs",
            training_data=f"{describe(learned)}, embedded by {teacher_id}; names were not used",
            license=teacher.spec.license,
        ),
    )
    return run(task, config, model_id, folder, hosts, progress)


def _slimmed(
    teacher_id: str, inputs: Callable[[], FloatArray], folder: Path, seed: int, progress: Progress
) -> keras.Model:
    """The teacher slimmed down; kept in the run's folder, for a run that goes on is to begin alike."""
    path = folder / "slimmed.safetensors"
    if path.is_file():
        model = build("slim_resnet29", read_safetensors(path.read_bytes()))
    else:
        progress.say(f"slimming {teacher_id}")
        model = slim(keras_model(teacher_id), inputs(), seed=seed)
        arrays = {weight.path: keras.ops.convert_to_numpy(weight.value) for weight in model.weights}
        try:
            write_atomically(path, write_safetensors(arrays))
        except OSError as error:
            raise TrainingError(f"cannot write {path}: {error.strerror or error}") from None
    return model


def _some_inputs(faces: FaceSet, recipe: Recipe, seed: int) -> FloatArray:
    """Scaled crops, half of them mirrored."""
    chosen = np.random.default_rng(seed).permutation(len(faces.crops))[:_SLIMMED_FROM]
    crops = np.stack([faces.crops[i] for i in np.sort(chosen)])
    inputs = scale_pixels(shrink(crops, recipe.input_size), recipe.pixels)
    inputs[1::2] = inputs[1::2, :, ::-1].copy()
    return inputs
