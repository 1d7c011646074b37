import numpy as np

from kith.training.augmentation import Augmentation
from kith.training.loading import Batches, ShuffledSampler, load
from kith.training.sampling import PeopleSampler

CROPS = np.random.default_rng(0).integers(0, 256, (23, 12, 12, 3), np.uint8)


def batches(part: tuple[int, int] = (0, 1), front=None) -> Batches:
    sampler = ShuffledSampler(len(CROPS), 6, seed=1)
    return Batches(
        CROPS,
        np.arange(len(CROPS)),
        sampler,
        Augmentation(),
        size=10,
        steps=9,
        seed=2,
        part=part,
        front=front,
    )


def test_an_epoch_shows_every_image_at_most_once_and_the_next_in_another_order() -> None:
    sampler = ShuffledSampler(23, 6)
    epochs = [np.concatenate([sampler.batch(epoch, step) for step in range(3)]) for epoch in (0, 1)]
    assert all(len(set(epoch)) == 18 for epoch in epochs)
    assert (epochs[0] != epochs[1]).any()


def test_few_images_make_one_small_batch() -> None:
    sampler = ShuffledSampler(4, 6)
    assert (sampler.batch_size, sampler.steps_per_epoch) == (4, 1)
    assert sorted(sampler.batch(0, 0)) == [0, 1, 2, 3]


def test_batches_come_in_order_and_a_run_that_goes_on_meets_the_same() -> None:
    everything = list(load(batches()))
    assert len(everything) == 9
    for step, batch in enumerate(everything):
        np.testing.assert_array_equal(batch.inputs, batches()[step].inputs)
        np.testing.assert_array_equal(batch.targets, batches()[step].targets)
    later = list(load(batches(), 5, threads=3))
    assert len(later) == 4
    for first, second in zip(everything[5:], later, strict=True):
        np.testing.assert_array_equal(first.inputs, second.inputs)


def test_processes_make_the_parts_of_what_one_makes() -> None:
    whole = batches()[4]
    parts = [batches((index, 3))[4] for index in range(3)]
    np.testing.assert_array_equal(np.concatenate([part.inputs for part in parts]), whole.inputs)
    np.testing.assert_array_equal(np.concatenate([part.targets for part in parts]), whole.targets)


def test_the_front_sees_whole_batches_last() -> None:
    seen = batches(front=lambda inputs: inputs.astype(np.float32).mean(axis=(1, 2)))[0]
    np.testing.assert_allclose(seen.inputs, batches()[0].inputs.astype(np.float32).mean(axis=(1, 2)))


def test_a_sampler_of_people_fills_batches_too() -> None:
    labels = np.repeat(np.arange(6), 4)[:23]
    sampler = PeopleSampler(labels, people=2, images=3)
    made = Batches(CROPS, labels, sampler, Augmentation(), size=10, steps=sampler.steps_per_epoch)
    for batch in load(made):
        assert len(batch.inputs) == 6
        assert len(set(batch.targets)) >= 2
