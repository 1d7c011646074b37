"""From batches to a trained network: steps, logs, validation, checkpoints, and what ends it."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import jax
import numpy as np
from jax.experimental.multihost_utils import broadcast_one_to_all

from kith.errors import TrainingError
from kith.progress import Progress
from kith.training.checkpoints import Checkpoint, Checkpoints
from kith.training.loading import Batch
from kith.training.logs import Log
from kith.training.mining.collapse import CollapseWatch
from kith.training.steps import Seen, State, Stepper


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long a run is, and what happens when.

    Attributes:
        steps: In all.
        steps_per_epoch: A validation follows each epoch.
        checkpoint_every: Steps.
        patience: After how many validations without a better score it stops; 0 for never.
    """

    steps: int
    steps_per_epoch: int
    checkpoint_every: int
    patience: int = 0


Place = Callable[[np.ndarray], jax.Array]
"""Brings this process's part of a batch to the devices."""


def fit(
    stepper: Stepper,
    load: Callable[[int], Iterator[Batch]],
    schedule: Schedule,
    *,
    checkpoints: Checkpoints,
    settings: str,
    log: Log,
    progress: Progress,
    validate: Callable[[State], float],
    place: Place = jax.numpy.asarray,
    watch: CollapseWatch | None = None,
    leads: bool = True,
) -> State:
    """Train until the schedule's end, or until it gets no better.

    It goes on from the last checkpoint, where there is one.

    Args:
        stepper: Makes the steps.
        load: The batches from a step on.
        schedule: How long.
        checkpoints: Where its state is kept.
        settings: What the run was started with, as text; a checkpoint of other settings is refused.
        log: Where figures go.
        progress: Told how far it is.
        validate: The score of a state; higher is better.
        place: Brings a batch to the devices.
        watch: Looks for a collapse.
        leads: Whether this process writes; of several, one does.

    Returns:
        The state with the best score; the last where there was no validation.

    Raises:
        TrainingError: A loss is no number; the checkpoint before it is kept.
    """
    start = stepper.start()
    step, state = _resume(start, checkpoints, settings)
    log.rewind(step)
    batches = load(step)
    progress.begin("training", schedule.steps, done=step)
    pending: tuple[int, Seen] | None = None
    clock = _Clock()
    while step < schedule.steps and not _is_exhausted(schedule, log):
        with clock.waiting():
            batch = next(batches)
        state, seen = stepper.step(state, place(batch.inputs), place(batch.targets))
        step += 1
        if pending:  # looked at one step late: the device need not wait for us
            _record(*pending, clock, len(batch.inputs), log, progress, watch)
        pending = step, seen
        ends_epoch = step % schedule.steps_per_epoch == 0 or step == schedule.steps
        if ends_epoch or step % schedule.checkpoint_every == 0:
            _record(*pending, clock, len(batch.inputs), log, progress, watch)
            pending = None
            score = validate(state) if ends_epoch else None
            if score is not None:
                log.validation(step, score)
                progress.say(f"epoch {math.ceil(step / schedule.steps_per_epoch)}: validation {score:.4f}")
            if leads:
                checkpoints.save(Checkpoint(step, _to_arrays(state), settings), score)
            clock.restart()
    if not log.validations:
        return state
    return _from_arrays(_best(state, checkpoints, settings, leads=leads), start)


def _best(state: State, checkpoints: Checkpoints, settings: str, *, leads: bool) -> dict[str, np.ndarray]:
    """The arrays of the best checkpoint, from the process that writes, in all of them.

    All must have the same at the same time: what is put on the devices of several is compared first.
    """
    arrays = _to_arrays(state)
    best = checkpoints.best() if leads else None
    if best is not None:
        arrays = checkpoints.load(best[0], settings).arrays
    if jax.process_count() == 1:
        return arrays
    return {name: np.asarray(value) for name, value in broadcast_one_to_all(arrays, is_source=leads).items()}


def _resume(start: State, checkpoints: Checkpoints, settings: str) -> tuple[int, State]:
    steps = checkpoints.steps()
    if not steps:
        return 0, start
    checkpoint = checkpoints.load(steps[-1], settings)
    return checkpoint.step, _from_arrays(checkpoint.arrays, start)


def _is_exhausted(schedule: Schedule, log: Log) -> bool:
    """Told from the log, which all processes have alike, and not from a file that one writes."""
    scores = [score for _, score in log.validations]
    if not schedule.patience or not scores:
        return False
    return len(scores) - 1 - int(np.argmax(scores)) >= schedule.patience


def _record(
    step: int,
    seen: Seen,
    clock: "_Clock",
    images: int,
    log: Log,
    progress: Progress,
    watch: CollapseWatch | None,
) -> None:
    figures = {name: float(value) for name, value in seen._asdict().items()}
    if not math.isfinite(figures["loss"]) or not math.isfinite(figures["gradient"]):
        raise TrainingError(
            f"step {step}: the loss is {figures['loss']}, its gradient's length {figures['gradient']}; "
            "the last checkpoint is kept. Lower the learning rate, or lengthen the warm-up"
        )
    rate, idle = clock.tick(images)
    log.step(step, {**figures, "images_per_second": rate, "waiting": idle})
    progress.advance(1, f"loss {figures['loss']:.4f}  {rate:.0f} images/s")
    warning = watch.see(figures["loss"], figures["spread"]) if watch else None
    if warning:
        progress.say(f"step {step}: {warning}")


def _to_arrays(state: State) -> dict[str, np.ndarray]:
    return {
        f"{part}/{index}": np.asarray(value)
        for part, values in state._asdict().items()
        for index, value in enumerate(values)
    }


def _from_arrays(arrays: dict[str, np.ndarray], like: State) -> State:
    """The state of a checkpoint, with the types and the placement of another."""

    def restored(part: str, values: Sequence[jax.Array]) -> list[jax.Array]:
        return [
            jax.device_put(arrays[f"{part}/{index}"].astype(value.dtype), value.sharding)
            for index, value in enumerate(values)
        ]

    return State(**{part: restored(part, values) for part, values in like._asdict().items()})


class _Clock:
    """Images a second, and the share of the time that was spent waiting for them."""

    def __init__(self) -> None:
        self._last, self._waited = time.monotonic(), 0.0

    def waiting(self) -> "_Clock":
        return self

    def __enter__(self) -> None:
        self._since = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self._waited += time.monotonic() - self._since

    def restart(self) -> None:
        self._last, self._waited = time.monotonic(), 0.0

    def tick(self, images: int) -> tuple[float, float]:
        now = time.monotonic()
        passed, waited = max(now - self._last, 1e-9), self._waited
        self._last, self._waited = now, 0.0
        return images / passed, min(waited / passed, 1.0)
