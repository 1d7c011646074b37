"""`kith train`: an embedding of one's own from photos of known people."""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from kith.clustering import clustering_policy
from kith.detection import load_detector
from kith.errors import InvalidArgument, TrainingError
from kith.progress import SILENT, Progress
from kith.recognizer import Recognizer
from kith.runtime.keras_models import keras_model
from kith.training.building import make_loss, new_model, set_precision
from kith.training.config import Config
from kith.training.distribution import Hosts
from kith.training.faces import FaceSet, describe, prepare_faces, tell_unusable
from kith.training.imprinting import imprint
from kith.training.installing import Card
from kith.training.label_noise import find_label_noise, write_report
from kith.training.loading import require_grain
from kith.training.losses import TripletLoss
from kith.training.losses.prototypes import PrototypeLoss
from kith.training.mining.collapse import CollapseWatch
from kith.training.photos import Source, photos_of
from kith.training.recipes import find_recipe, recipe_of
from kith.training.runs import Result, Task, run, run_folder
from kith.training.sampling import PeopleSampler
from kith.training.teaching import teach
from kith.training.validation import hold_out, require_measurable, tar_at_fmr
from kith.workflows.importing import require_free
from kith.workflows.people_folders import PersonPhoto


def train(
    photos: Source,
    config: Config | None = None,
    *,
    model_id: str = "trained",
    folder: Path | None = None,
    start_from: str = "",
    check_labels: bool = True,
    hosts: Hosts | None = None,
    progress: Progress = SILENT,
) -> Result:
    """Train a network on photos of known people.

    Args:
        photos: Of known people; or a folder with one folder per person, or a gallery's file.
        config: How; as `Config` says if None.
        model_id: The new model's name.
        folder: Of the run: checkpoints and logs; runs/ID if None. Where there are checkpoints it goes on.
        start_from: A model whose weights it starts from.
        check_labels: Whether the default model first looks for photos in wrong folders.
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
    _, people = np.unique([photo.person for photo in photos], return_inverse=True)
    _require_enough(people, config)  # now, before the hours that follow
    if check_labels and hosts.leads:
        _check_labels(photos, folder, progress)
    recipe = recipe_of(start_from) if start_from else find_recipe(config.network, config.input_size)
    faces = prepare_faces(photos, recipe.crop, load_detector(threads=1), progress)
    tell_unusable(faces, progress)
    learned, held_out = _divide(faces, config)
    labels = learned.labels
    try:
        sampler = PeopleSampler(labels, people=config.people, images=config.images, seed=config.seed)
    except InvalidArgument as error:
        raise TrainingError(f"{error}; more photos of each person are needed, or smaller batches") from None
    hosts.spread()
    set_precision(config.precision)
    keras.utils.set_random_seed(config.seed)
    model = keras_model(start_from) if start_from else new_model(recipe, config)
    steps = config.epochs * sampler.steps_per_epoch
    loss = make_loss(config, int(labels.max()) + 1, int(model.output.shape[1]), steps)
    if isinstance(loss, PrototypeLoss):
        imprint(loss, model, learned, recipe, new=not start_from)
    task = Task(
        model=model,
        loss=loss,
        recipe=recipe,
        sampler=sampler,
        targets=labels.astype(np.int32),
        learned=learned,
        held_out=held_out,
        score=lambda ours: tar_at_fmr(ours, held_out.labels, config.fmr),
        card=Card(
            summary=f"{recipe.network} trained by {config.loss} for {config.epochs} epochs",
            training_data=describe(learned),
            license="of whoever trained it",
        ),
        watch=CollapseWatch(loss.miner.margin if isinstance(loss, TripletLoss) else None),
    )
    return run(task, config, model_id, folder, hosts, progress)


def _divide(faces: FaceSet, config: Config) -> tuple[FaceSet, FaceSet]:
    """Faces to learn from and faces to validate on, of other people."""
    labels = faces.labels
    _require_enough(labels, config)  # again: some photos may have shown no face
    people, counts = np.unique(labels, return_counts=True)
    kept = hold_out(labels, config.hold_out, config.seed)
    several = counts[np.searchsorted(people, labels)] > 1  # who has one photo is never drawn
    return faces.subset(np.flatnonzero(~kept & several)), faces.subset(np.flatnonzero(kept))


def _require_enough(labels: np.ndarray, config: Config) -> None:
    """Refuse photos (n,), by whose they are, that are too few to learn from or to validate on."""
    counts = np.unique(labels, return_counts=True)[1]
    if len(counts) < 2:
        raise TrainingError("photos of one person only: it takes others to learn who is who")
    if counts.max() < 2:
        raise TrainingError("one photo of each person only: it takes two or more to learn who is who")
    require_measurable(labels[hold_out(labels, config.hold_out, config.seed)], config.fmr)


def _check_labels(photos: Sequence[PersonPhoto], folder: Path, progress: Progress) -> None:
    """Tell which photos seem to be in the wrong folder; nothing is left out for it."""
    judge = Recognizer.from_pretrained()
    faces = prepare_faces(photos, judge.spec.crop, load_detector(threads=1), progress)
    noise = find_label_noise(
        faces.photos,
        teach(faces, judge, progress),
        faces.labels,
        clustering_policy(judge.calibration, len(faces.photos)).threshold,
    )
    if noise.outliers or noise.duplicates:
        report = folder / "label_noise.csv"
        write_report(noise, report)
        progress.say(
            f"labels: photos unlike their person's others: {len(noise.outliers)}, pictures with two names: "
            f"{noise.mislabelled}, there twice: {len(noise.duplicates) - noise.mislabelled}; see {report}"
        )
