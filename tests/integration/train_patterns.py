"""Trains a small network on noise patterns of made-up people, as `kith train` does on faces.

It is given folder, loss, epochs, die_at (the step at whose report it kills itself as kill -9 would), chunk,
and coordinator, processes and index where several processes train together.
"""

import os
import signal
from pathlib import Path

import numpy as np
import quick_keras  # before Keras is imported

from kith import networks
from kith.catalogue.preprocessing import FixedScaling
from kith.training.augmentation import Augmentation
from kith.training.checkpoints import Checkpoints
from kith.training.distribution import Hosts
from kith.training.loading import Batches, load
from kith.training.logs import Log
from kith.training.loop import Schedule, fit
from kith.training.losses import LOSSES, TripletLoss
from kith.training.sampling import PeopleSampler
from kith.training.steps import State, Stepper
from kith.training.validation import tar_at_fmr

import keras  # isort: skip  # after Kith has chosen the backend

assert networks
assert quick_keras
PEOPLE, IMAGES, SIDE = 16, 6, 24
PIXELS = FixedScaling(mean=(127.5, 127.5, 127.5), divisor=128.0)


class Mortal:
    """Is told of the training, and kills the process at a step."""

    def __init__(self, die_at: int) -> None:
        self._die_at = die_at
        self._step = 0

    def begin(self, what: str, total: int = 0, *, done: int = 0, unit: str = "") -> None:
        self._step = done

    def advance(self, count: int = 1, how: str = "") -> None:
        self._step += count
        if self._step == self._die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def say(self, text: str) -> None:
        print(text)


def patterns(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Crops (n, s, s, 3) uint8 and whose they are."""
    chance = np.random.default_rng(seed)
    labels = np.repeat(np.arange(PEOPLE), IMAGES)
    own = chance.uniform(0, 255, (PEOPLE, SIDE, SIDE, 3))
    return np.clip(own[labels] + chance.normal(0, 40, (len(labels), SIDE, SIDE, 3)), 0, 255).astype(
        np.uint8
    ), labels


def small_network() -> keras.Model:
    inputs = keras.Input((SIDE, SIDE, 3))
    x = keras.layers.Conv2D(8, 5, 3)(inputs)
    x = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
    return keras.Model(inputs, keras.layers.Dense(16)(keras.layers.Flatten()(x)))


def main(folder: str, loss: str, epochs: int, die_at: int, chunk: int, **processes: object) -> None:
    hosts = Hosts(**processes)
    hosts.begin()
    keras.utils.set_random_seed(7)
    crops, labels = patterns(seed=1)
    others, their_labels = patterns(seed=2)
    sampler = PeopleSampler(labels, people=4, images=4, seed=7)
    per_epoch, steps = sampler.steps_per_epoch, sampler.steps_per_epoch * epochs
    stepper = Stepper(
        small_network(),
        TripletLoss() if loss == "triplet" else LOSSES[loss](PEOPLE, 16),
        keras.optimizers.AdamW(keras.optimizers.schedules.CosineDecay(1e-3, steps)),
        pixels=PIXELS,
        chunk=chunk,
        decay=0.9,
        devices=hosts.devices,
    )
    batches = Batches(
        crops,
        labels.astype(np.int32),
        sampler,
        Augmentation(),
        size=SIDE,
        steps=steps,
        seed=7,
        part=hosts.part,
    )

    def validate(state: State) -> float:
        return tar_at_fmr(np.asarray(stepper.embed(state, others)), their_labels, 0.1)

    fit(
        stepper,
        lambda step: load(batches, step),
        Schedule(steps, per_epoch, checkpoint_every=3),
        checkpoints=Checkpoints(Path(folder)),
        settings="of a test",
        log=Log(Path(folder), writes=hosts.leads),
        progress=Mortal(die_at),
        validate=validate,
        place=hosts.place,
        leads=hosts.leads,
    )
