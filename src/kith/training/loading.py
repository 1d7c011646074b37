"""Batches of augmented crops, made in threads while the network computes.

The loader is Grain (https://google-grain.readthedocs.io): it asks for elements by their position, so a
batch is a function of (seed, step) alone, and a run that goes on in mid-epoch meets the same batches.
"""

from collections.abc import Callable, Iterator, Sequence
from threading import Lock
from types import ModuleType
from typing import NamedTuple, Protocol

import numpy as np

from kith.errors import MissingExtra
from kith.training.augmentation import Augmentation
from kith.training.sampling import Indices, share

_AHEAD = 4  # batches that wait ready for each thread


class Sampler(Protocol):
    """Which images are in which batch."""

    batch_size: int
    steps_per_epoch: int

    def batch(self, epoch: int, step: int) -> Indices:
        """The images of a step of an epoch."""
        ...


class ShuffledSampler:
    """Every image once an epoch, in an order that depends on (seed, epoch); what fills no batch is left out.

    Args:
        count: How many images there are.
        batch_size: Of these, or of all where there are fewer.
        seed: Of the order.
    """

    def __init__(self, count: int, batch_size: int, seed: int = 0) -> None:
        self.batch_size = min(batch_size, count)
        self.steps_per_epoch = count // self.batch_size
        self._count, self._seed = count, seed
        self._epoch, self._order = -1, np.empty(0, np.int64)

    def batch(self, epoch: int, step: int) -> Indices:
        """The images (n,) of a step of an epoch."""
        if epoch != self._epoch:
            self._order = np.random.default_rng([self._seed, epoch]).permutation(self._count)
            self._epoch = epoch
        return self._order[step * self.batch_size : (step + 1) * self.batch_size]


class Batch(NamedTuple):
    """What one step learns from: inputs (n, ...) and targets (n, ...)."""

    inputs: np.ndarray
    targets: np.ndarray


class Batches:
    """The batches of a run by their step, as Grain wants a source.

    Args:
        crops: The crops (s, s, 3) uint8 by position.
        targets: (n, ...) what the loss is to be told of each.
        sampler: Which crops are in which batch.
        augmentation: What is done to each.
        size: Side of what the network sees.
        steps: How many there are in all.
        seed: Of the augmentation.
        front: Done to a whole batch at last.
        part: This process's number and how many there are; each makes its part of every batch.
    """

    def __init__(
        self,
        crops: Sequence[np.ndarray],
        targets: np.ndarray,
        sampler: Sampler,
        augmentation: Augmentation,
        *,
        size: int,
        steps: int,
        seed: int = 0,
        front: Callable[[np.ndarray], np.ndarray] | None = None,
        part: tuple[int, int] = (0, 1),
    ) -> None:
        self._crops, self._targets, self._sampler = crops, targets, sampler
        self._augmentation, self._size, self._steps, self._seed = augmentation, size, steps, seed
        self._front, self._part = front, part
        self._lock = Lock()  # a sampler plans one epoch at a time

    def __len__(self) -> int:
        return self._steps

    def __getitem__(self, step: int) -> Batch:
        with self._lock:
            whole = self._sampler.batch(*divmod(step, self._sampler.steps_per_epoch))
        chosen = share(whole, *self._part)
        first_row = len(chosen) * self._part[0]
        inputs = np.stack(
            [
                self._augmentation(
                    self._crops[index], self._size, np.random.default_rng([self._seed, step, first_row + row])
                )
                for row, index in enumerate(chosen)
            ]
        )
        return Batch(self._front(inputs) if self._front else inputs, self._targets[chosen])


def require_grain() -> ModuleType:
    """The loader's package.

    Raises:
        MissingExtra: It is not installed.
    """
    try:
        import grain  # here: it takes a second, and belongs to the extra `train`
    except ImportError:
        raise MissingExtra("grain", "train") from None
    module: ModuleType = grain
    return module


def load(batches: Batches, start: int = 0, *, threads: int = 2) -> Iterator[Batch]:
    """The batches from a step on, in order, some of them made ahead.

    Args:
        batches: Where they come from.
        start: The first step.
        threads: How many batches are made at a time.
    """
    grain = require_grain()
    options = grain.ReadOptions(num_threads=threads, prefetch_buffer_size=_AHEAD * threads)
    return iter(grain.MapDataset.source(batches)[start:].to_iter_dataset(options))
