"""What every kind of run has in common: from a network and faces to a model of the catalogue."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from kith.embedding import scale_pixels, shrink
from kith.errors import TrainingError
from kith.progress import Progress
from kith.records import FloatArray
from kith.training.building import make_optimizer
from kith.training.checkpoints import Checkpoints
from kith.training.config import Config
from kith.training.distribution import Hosts
from kith.training.faces import FaceSet
from kith.training.front import Front, split
from kith.training.installing import Card, install_trained
from kith.training.loading import Batches, Sampler, load
from kith.training.logs import Log
from kith.training.loop import Schedule, fit
from kith.training.mining.collapse import CollapseWatch
from kith.training.recipes import Recipe
from kith.training.steps import State, Stepper

_EMBED_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a run.

    Attributes:
        model_id: The model.
        score: Of its best validation.
        steps: After how many steps that was.
        int8: Whether it keeps its embeddings in int8.
    """

    model_id: str
    score: float
    steps: int
    int8: bool


@dataclass(frozen=True, slots=True)
class Task:
    """What the kinds of run differ in.

    Attributes:
        model: The network, with the weights it starts from.
        loss: What is minimized.
        recipe: How a face is brought to the network.
        sampler: Which faces are in which batch.
        targets: (n, ...) what the loss is told of each face.
        learned: The n faces to learn from.
        held_out: Faces of other people, to validate on.
        score: Of embeddings of those (m, d); higher is better.
        card: What the model's card will say.
        watch: Looks for a collapse.
        finish: Done to the trained model before it is installed.
    """

    model: keras.Model
    loss: keras.layers.Layer
    recipe: Recipe
    sampler: Sampler
    targets: np.ndarray
    learned: FaceSet
    held_out: FaceSet
    score: Callable[[FloatArray], float]
    card: Card
    watch: CollapseWatch | None = None
    finish: Callable[[keras.Model], None] | None = None


def run_folder(model_id: str) -> Path:
    """Where a run keeps its checkpoints and logs, unless it is told another folder."""
    return Path("runs") / model_id


def run(task: Task, config: Config, model_id: str, folder: Path, hosts: Hosts, progress: Progress) -> Result:
    """Train, keep the best, install it; of several processes the first installs.

    Raises:
        KithError: The numbers or the disk do not allow it; checkpoints stay.
    """
    if task.sampler.batch_size % hosts.devices:
        raise TrainingError(
            f"a batch of {task.sampler.batch_size} faces does not divide by {hosts.devices} devices; "
            "change people or images"
        )
    trained, front = task.model, None
    if config.freeze:
        run_front, trained = split(task.model, config.freeze)
        front = lambda crops: run_front(scale_pixels(crops, task.recipe.pixels))  # noqa: E731
    per_epoch = task.sampler.steps_per_epoch
    steps = per_epoch * config.epochs
    stepper = Stepper(
        trained,
        task.loss,
        make_optimizer(config, steps, round(config.warmup * per_epoch), trained),
        pixels=None if front else task.recipe.pixels,
        chunk=config.chunk,
        decay=config.average,
        devices=hosts.devices,
    )
    batches = Batches(
        task.learned.crops,
        task.targets,
        task.sampler,
        config.augmentation,
        size=task.recipe.input_size,
        steps=steps,
        seed=config.seed,
        front=front,
        part=hosts.part,
    )

    def validate(state: State) -> float:
        return task.score(_embed(stepper, state, task.held_out, task.recipe, front))

    checkpoints = Checkpoints(folder)
    state = fit(
        stepper,
        lambda step: load(batches, step, threads=config.threads),
        Schedule(steps, per_epoch, config.checkpoint_every, config.patience),
        checkpoints=checkpoints,
        settings=f"{config.describe()}\nphotos = {task.learned.key}",
        log=Log(folder, writes=hosts.leads),
        progress=progress,
        validate=validate,
        place=hosts.place,
        watch=task.watch,
        leads=hosts.leads,
    )
    stepper.finish(state)
    if task.finish:
        task.finish(task.model)
    if not hosts.leads:
        return Result(model_id, float("nan"), steps, int8=False)
    step, score = checkpoints.best() or (steps, float("nan"))
    spec = install_trained(model_id, task.model, task.recipe, task.card, task.held_out, progress)
    return Result(model_id, score, step, spec.int8)


def _embed(stepper: Stepper, state: State, faces: FaceSet, recipe: Recipe, front: Front | None) -> FloatArray:
    """Embeddings (n, d) of faces at one look, in batches of one size: each size is compiled anew."""
    parts = []
    for start in range(0, len(faces.crops), _EMBED_AT_ONCE):
        wanted = np.arange(start, start + _EMBED_AT_ONCE).clip(max=len(faces.crops) - 1)
        crops = np.stack([faces.crops[i] for i in wanted])
        inputs = shrink(crops, recipe.input_size)
        parts.append(np.asarray(stepper.embed(state, front(inputs) if front else inputs)))
    return np.concatenate(parts)[: len(faces.crops)]
