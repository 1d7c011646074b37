"""A whole run: photos in, a model of the catalogue out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import keras
import numpy as np

from kith import networks
from kith.detection import MTCNN
from kith.embedding import look, scale_pixels, views_of
from kith.errors import TrainingError
from kith.files import write_atomically
from kith.recognizer import Recognizer
from kith.runtime.prepare import build, keras_model
from kith.training.checkpoints import Checkpoints
from kith.training.config import Config
from kith.training.distillation import Distillation, agreement, teach
from kith.training.distribution import Hosts
from kith.training.faces import FaceSet, Track, prepare_faces
from kith.training.front import split
from kith.training.installing import Card, install_trained, require_free
from kith.training.loading import Batches, Sampler, ShuffledSampler, load
from kith.training.logs import Log
from kith.training.loop import Observer, Schedule, fit
from kith.training.losses import LOSSES, TripletLoss
from kith.training.mining import MINERS
from kith.training.mining.collapse import CollapseWatch
from kith.training.photos import PersonPhoto
from kith.training.recipes import Recipe, find_recipe
from kith.training.sampling import PeopleSampler
from kith.training.slimming import slim
from kith.training.steps import State, Stepper
from kith.training.validation import hold_out, tar_at_fmr
from kith.weights.catalogue import EmbedderSpec
from kith.weights.installed import find_embedder
from kith.weights.readers.safetensors import read_safetensors, write_safetensors

_SLIMMED_FROM = 1200  # photos
_EMBED_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a run.

    Attributes:
        spec: The model.
        score: Of its best validation.
        epochs: How many were made.
    """

    spec: EmbedderSpec
    score: float
    steps: int


@dataclass(frozen=True, slots=True)
class _Task:
    """What the two kinds of run differ in."""

    model: keras.Model
    loss: keras.layers.Layer
    recipe: Recipe
    sampler: Sampler
    targets: np.ndarray
    learned: FaceSet
    held_out: FaceSet
    card: Card
    watch: CollapseWatch | None = None
    theirs: np.ndarray | None = None


def train(
    photos: Sequence[PersonPhoto],
    config: Config,
    *,
    model_id: str,
    folder: Path,
    start_from: str = "",
    hosts: Hosts | None = None,
    track: Track,
    observer: Observer,
) -> Result:
    """Train a network on photos of known people.

    Args:
        photos: Of whom.
        config: How.
        model_id: The new model's name.
        folder: Of the run: checkpoints and logs. Where there are checkpoints the run goes on.
        start_from: A model whose weights it starts from.
        hosts: The processes that train together; None for this one alone.
        track: Shows how far the preparation is.
        observer: Watches the training.

    Raises:
        KithError: The photos, the settings or the disk do not allow it.
    """
    require_free(model_id)
    hosts = hosts or Hosts()
    recipe = _recipe_of(start_from) if start_from else find_recipe(config.network, config.input_size)
    faces = prepare_faces(photos, recipe.crop, MTCNN.from_pretrained(), track)
    _tell_unusable(faces, observer)
    learned, held_out = _divide(faces, config)
    labels = learned.labels
    try:
        sampler = PeopleSampler(labels, people=config.people, images=config.images, seed=config.seed)
    except ValueError as error:
        raise TrainingError(f"{error}; more photos of each person are needed, or smaller batches") from None
    hosts.begin()
    _set_precision(config.precision)
    keras.utils.set_random_seed(config.seed)
    model = keras_model(start_from) if start_from else _new_model(recipe, config)
    task = _Task(
        model=model,
        loss=_make_loss(config, int(labels.max()) + 1, int(model.output.shape[1])),
        recipe=recipe,
        sampler=sampler,
        targets=labels.astype(np.int32),
        learned=learned,
        held_out=held_out,
        card=Card(
            summary=f"{recipe.network} trained by {config.loss} for {config.epochs} epochs",
            training_data=_describe(learned),
            licence="of whoever trained it",
        ),
        watch=CollapseWatch(config.margin if config.loss == "triplet" else None),
    )
    return _run(task, config, model_id, folder, hosts, observer)


def distill(
    teacher_id: str,
    photos: Sequence[PersonPhoto],
    config: Config,
    *,
    model_id: str,
    folder: Path,
    hosts: Hosts | None = None,
    track: Track,
    observer: Observer,
) -> Result:
    """Let a slim network learn a teacher's embeddings; whose photos they are plays no part.

    A slim ResNet-29 that is taught by a ResNet-29 begins as its teacher, slimmed down by least squares.
    Any other network begins with nothing.

    Args:
        teacher_id: The model to learn from.
        photos: To learn on. The names serve to hold out some people for validation, and for nothing else.
        config: How.
        model_id: The new model's name.
        folder: Of the run: checkpoints and logs. Where there are checkpoints the run goes on.
        hosts: The processes that train together; None for this one alone.
        track: Shows how far the preparation is.
        observer: Watches the training.

    Raises:
        KithError: The photos, the settings or the disk do not allow it.
    """
    require_free(model_id)
    hosts = hosts or Hosts()
    teacher = Recognizer.from_pretrained(teacher_id)
    recipe = replace(_recipe_of(teacher_id), network=find_recipe(config.network).network)
    config = replace(config, embedding_size=teacher.spec.embedding_size)
    faces = prepare_faces(photos, recipe.crop, MTCNN.from_pretrained(), track)
    _tell_unusable(faces, observer)
    taught = teach(faces, teacher, track)
    kept = hold_out(faces.labels, config.hold_out, config.seed)
    learned, held_out = faces.subset(np.flatnonzero(~kept)), faces.subset(np.flatnonzero(kept))
    if not len(learned.crops) or not len(held_out.crops):
        raise TrainingError("too few people: some are held out for validation, and some must be left")
    center = taught[~kept].mean(axis=0)
    hosts.begin()
    _set_precision(config.precision)
    keras.utils.set_random_seed(config.seed)
    if (recipe.network, teacher.spec.weights.network) == ("slim_resnet29", "resnet29"):
        inputs = lambda: _some_inputs(learned, recipe, config.seed)  # noqa: E731
        model = _slimmed(teacher_id, inputs, folder, config.seed, observer)
    else:
        model = _new_model(recipe, config)
    task = _Task(
        model=model,
        loss=Distillation(center),
        recipe=recipe,
        sampler=ShuffledSampler(len(learned.crops), config.people * config.images, config.seed),
        targets=taught[~kept],
        learned=learned,
        held_out=held_out,
        card=Card(
            summary=f"{recipe.network} taught by {teacher_id} for {config.epochs} epochs",
            training_data=f"{_describe(learned)}, embedded by {teacher_id}; names were not used",
            licence=teacher.spec.licence,
        ),
        theirs=taught[kept],
    )
    return _run(task, config, model_id, folder, hosts, observer)


def _run(
    task: _Task, config: Config, model_id: str, folder: Path, hosts: Hosts, observer: Observer
) -> Result:
    trained, front = task.model, None
    if config.freeze:
        run_front, trained = split(task.model, config.freeze)
        front = lambda crops: run_front(scale_pixels(crops, task.recipe.pixels))  # noqa: E731
    per_epoch = task.sampler.steps_per_epoch
    steps = per_epoch * config.epochs
    stepper = Stepper(
        trained,
        task.loss,
        _make_optimizer(config, steps, round(config.warmup * per_epoch), trained),
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

    def embed(state: State) -> np.ndarray:
        return _embed(stepper, state, task.held_out, task.recipe, front)

    def validate(state: State) -> float:
        ours = embed(state)
        if task.theirs is not None:
            return agreement(ours, task.theirs, task.theirs.mean(axis=0))
        return tar_at_fmr(ours, task.held_out.labels, config.fmr)

    checkpoints = Checkpoints(folder)
    state = fit(
        stepper,
        lambda step: load(batches, step, threads=config.threads),
        Schedule(steps, per_epoch, config.checkpoint_every, config.patience),
        checkpoints=checkpoints,
        settings=f"{config.describe()}\nphotos = {task.learned.key}",
        log=Log(folder, writes=hosts.leads),
        observer=observer,
        validate=validate,
        place=hosts.place,
        watch=task.watch,
        leads=hosts.leads,
    )
    stepper.finish(state)
    best = checkpoints.best()
    step, score = best if best else (steps, float("nan"))
    spec = install_trained(model_id, task.model, task.recipe, task.card, task.held_out, observer.say)
    return Result(spec, score, step)


def _embed(stepper: Stepper, state: State, faces: FaceSet, recipe: Recipe, front: Any) -> np.ndarray:
    """Embeddings (n, d) of faces at one look, in batches of one size: each size is compiled anew."""
    parts = []
    for start in range(0, len(faces.crops), _EMBED_AT_ONCE):
        wanted = np.arange(start, start + _EMBED_AT_ONCE).clip(max=len(faces.crops) - 1)
        crops = np.stack([faces.crops[i] for i in wanted])
        inputs = look(crops, recipe.crop.size, recipe.input_size)
        parts.append(np.asarray(stepper.embed(state, jnp.asarray(front(inputs) if front else inputs))))
    return np.concatenate(parts)[: len(faces.crops)]


def _recipe_of(model_id: str) -> Recipe:
    spec = find_embedder(model_id)
    return Recipe(spec.weights.network, spec.crop, spec.pixels, spec.input_size)


def _divide(faces: FaceSet, config: Config) -> tuple[FaceSet, FaceSet]:
    """Faces to learn from and faces to validate on, of other people."""
    labels = faces.labels
    people, counts = np.unique(labels, return_counts=True)
    if len(people) < 2:
        raise TrainingError("photos of one person only: it takes others to learn who is who")
    if counts.max() < 2:
        raise TrainingError("one photo of each person only: it takes two or more to learn who is who")
    kept = hold_out(labels, config.hold_out, config.seed)
    return faces.subset(np.flatnonzero(~kept)), faces.subset(np.flatnonzero(kept))


def _new_model(recipe: Recipe, config: Config) -> keras.Model:
    build = getattr(networks, recipe.network)
    model: keras.Model = build(crop_size=recipe.input_size, embedding_size=config.embedding_size)
    return model


def _slimmed(
    teacher_id: str, inputs: Callable[[], np.ndarray], folder: Path, seed: int, observer: Observer
) -> keras.Model:
    """The teacher slimmed down; kept in the run's folder, for a run that goes on is to begin alike."""
    path = folder / "slimmed.safetensors"
    if path.is_file():
        model = build("slim_resnet29", read_safetensors(path.read_bytes()))
    else:
        observer.say(f"slimming {teacher_id}")
        model = slim(keras_model(teacher_id), inputs(), seed=seed)
        arrays = {weight.path: np.asarray(weight) for weight in model.weights}
        try:
            write_atomically(path, write_safetensors(arrays))
        except OSError as error:
            raise TrainingError(f"cannot write {path}: {error.strerror or error}") from None
    for layer in model.layers:
        layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
    return model


def _make_loss(config: Config, people: int, embedding_size: int) -> keras.layers.Layer:
    if config.loss == "triplet":
        if config.miner not in MINERS:
            raise TrainingError(f"unknown miner {config.miner!r}; known miners: {', '.join(MINERS)}")
        return TripletLoss(MINERS[config.miner](config.margin))
    if config.loss not in LOSSES:
        raise TrainingError(f"unknown loss {config.loss!r}; known losses: {', '.join(LOSSES)}")
    kind = LOSSES[config.loss]
    return kind() if config.loss == "n-pair" else kind(people, embedding_size)


def _make_optimizer(config: Config, steps: int, warmup: int, model: keras.Model) -> Any:
    rate = keras.optimizers.schedules.CosineDecay(
        0.0 if warmup else config.learning_rate,
        max(steps - warmup, 1),
        warmup_target=config.learning_rate if warmup else None,
        warmup_steps=warmup,
    )
    optimizer = keras.optimizers.AdamW(
        rate, weight_decay=config.weight_decay, global_clipnorm=config.clip or None
    )
    optimizer.exclude_from_weight_decay(
        var_list=[weight for weight in model.trainable_variables if len(weight.shape) < 2]
    )
    return optimizer


def _set_precision(wanted: str) -> None:
    if wanted == "auto":
        wanted = "float32" if keras.distribution.list_devices()[0].startswith("cpu") else "bfloat16"
    keras.config.set_dtype_policy("mixed_bfloat16" if wanted == "bfloat16" else "float32")


def _some_inputs(faces: FaceSet, recipe: Recipe, seed: int) -> np.ndarray:
    """Scaled crops, half of them mirrored."""
    chosen = np.random.default_rng(seed).permutation(len(faces.crops))[:_SLIMMED_FROM]
    crops = np.stack([faces.crops[i] for i in np.sort(chosen)])
    straight, mirrored = views_of(crops, recipe.looks, recipe.input_size, recipe.pixels)
    return np.where((np.arange(len(crops)) % 2 == 0)[:, None, None, None], straight, mirrored)


def _tell_unusable(faces: FaceSet, observer: Observer) -> None:
    for _, reason in faces.unusable[:5]:
        observer.say(f"left out: {reason}")
    if len(faces.unusable) > 5:
        observer.say(f"left out: {len(faces.unusable) - 5} more photos without a usable face")


def _describe(faces: FaceSet) -> str:
    return f"{len(faces.crops):,} photos of {len(np.unique(faces.labels)):,} people"
