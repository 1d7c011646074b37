"""Batches of P people with K images each, for losses that compare the images of a batch."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from kith.errors import InvalidArgument

Indices = NDArray[np.int64]


class PeopleSampler:
    """Draws people, and of each person some images.

    An epoch visits everybody with two images or more once, in a new order, and takes K images of each,
    others each epoch. Who has fewer gives all there are; so a batch always has P x K images, and where
    some have few it has more than P people, the last of whom may go on in the next batch. What is left
    over at the end of an epoch is dropped.

    Who has a single image can never be a positive. It is skipped, unless a part of each batch is kept
    for such people, to be negatives: most images of a person are negatives to everybody else anyway.

    A batch depends on (seed, epoch, step) and nothing else: any run may start anywhere.

    Args:
        labels: (n,) integers, whose each image is.
        people: P.
        images: K.
        seed: Of the order.
        singles: How many images of a batch are of people with a single one.
        repeats: Whether who has fewer than K images shows some of them again to give K.

    Raises:
        InvalidArgument: There are too few images for one batch.
    """

    def __init__(
        self,
        labels: np.ndarray,
        *,
        people: int,
        images: int,
        seed: int = 0,
        singles: int = 0,
        repeats: bool = False,
    ) -> None:
        self.batch_size = people * images
        self._images, self._seed, self._singles, self._repeats = images, seed, singles, repeats
        self._planned, self._plan = -1, np.empty((0, self.batch_size), np.int64)
        if images < 2 or people < 1 or not 0 <= singles < self.batch_size - 1:
            raise InvalidArgument(
                f"a batch takes one person or more and two images of each or more, "
                f"got people={people}, images={images}, singles={singles}"
            )
        order = np.argsort(labels, kind="stable")
        _, firsts = np.unique(np.asarray(labels)[order], return_index=True)
        groups = np.split(order.astype(np.int64), firsts[1:])
        self._people = [group for group in groups if len(group) > 1]
        self._lone = np.array([group[0] for group in groups if len(group) == 1], np.int64)
        available = sum(images if repeats else min(len(group), images) for group in self._people)
        self.steps_per_epoch = available // (self.batch_size - singles)
        if self.steps_per_epoch == 0 or len(self._lone) < singles:
            raise InvalidArgument(
                f"a batch of {people} people x {images} images, {singles} of them single ones, needs more "
                f"than these {len(self._people)} people with two images or more ({available} images at "
                f"{images} each) and {len(self._lone)} with one"
            )

    def batch(self, epoch: int, step: int) -> Indices:
        """The images (P x K,) of a step of an epoch, as positions in `labels`.

        Raises:
            ValueError: The epoch has no such step.
        """
        if not 0 <= step < self.steps_per_epoch:
            raise ValueError(f"step must be in 0 to {self.steps_per_epoch - 1}, got {step}")
        if epoch != self._planned:
            self._plan, self._planned = self._epoch(epoch), epoch
        batch: Indices = self._plan[step]
        return batch

    def batches(self, epoch: int, step: int = 0) -> Iterator[Indices]:
        """The batches of an epoch from a step on."""
        for later in range(step, self.steps_per_epoch):
            yield self.batch(epoch, later)

    def _epoch(self, epoch: int) -> Indices:
        """All batches of an epoch: (steps, P x K)."""
        chance = np.random.default_rng([self._seed, epoch])
        mated = [self._draw(self._people[person], chance) for person in chance.permutation(len(self._people))]
        width = self.batch_size - self._singles
        batches = np.concatenate(mated)[: self.steps_per_epoch * width].reshape(-1, width)
        lone = [chance.choice(self._lone, self._singles, replace=False) for _ in range(self.steps_per_epoch)]
        return np.concatenate([batches, lone], axis=1) if self._singles else batches

    def _draw(self, group: Indices, chance: np.random.Generator) -> Indices:
        """K images of a person."""
        drawn = chance.permutation(group)[: self._images]
        return np.resize(drawn, self._images) if self._repeats else drawn


def share(batch: Indices, process: int, processes: int) -> Indices:
    """The part of a global batch that one of several processes loads; all parts are equally large.

    Args:
        batch: (n,) images.
        process: Which process, from 0.
        processes: How many there are.

    Raises:
        ValueError: The batch does not divide.
    """
    if len(batch) % processes:
        raise ValueError(f"a batch of {len(batch)} images does not divide by {processes} processes")
    size = len(batch) // processes
    return batch[process * size : (process + 1) * size]
