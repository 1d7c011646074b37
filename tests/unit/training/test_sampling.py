"""Batches of people: what is in them, and that they depend on (seed, epoch, step) alone."""

from collections import Counter

import numpy as np
import pytest

from kith.training.sampling import PeopleSampler, share

# eight people: five with many images, two with two, one with three; and four with one
LABELS = np.random.default_rng(0).permutation(np.repeat(np.arange(12), [9, 6, 7, 20, 5, 2, 2, 3, 1, 1, 1, 1]))
MATED = 12 - 4


def everything(sampler: PeopleSampler, epochs: int) -> list[list[int]]:
    return [batch.tolist() for epoch in range(epochs) for batch in sampler.batches(epoch)]


def test_people_with_enough_images_come_as_people_times_images() -> None:
    labels = np.repeat(np.arange(10), 6)
    sampler = PeopleSampler(labels, people=5, images=4)
    assert sampler.steps_per_epoch == 2
    for epoch in range(3):
        seen = Counter()
        for batch in sampler.batches(epoch):
            assert len(set(batch)) == 20
            assert sorted(Counter(labels[batch]).values()) == [4] * 5
            seen.update(labels[batch].tolist())
        assert set(seen.values()) == {4}  # everybody once
        assert len(seen) == 10


def test_who_has_few_images_gives_all_and_nothing_twice() -> None:
    sampler = PeopleSampler(LABELS, people=3, images=4)
    assert sampler.steps_per_epoch == (5 * 4 + 2 + 2 + 3) // 12
    shown = Counter(LABELS[image] for batch in everything(sampler, 40) for image in batch)
    assert set(shown) == set(range(MATED))
    for epoch in range(20):
        epochs_images = [image for batch in sampler.batches(epoch) for image in batch]
        assert len(epochs_images) == len(set(epochs_images)) == 24
    for batch in everything(sampler, 20):
        assert len(batch) == 12
        assert max(Counter(LABELS[batch].tolist()).values()) <= 4


def test_repeats_fill_up_to_k() -> None:
    sampler = PeopleSampler(LABELS, people=4, images=6, repeats=True)
    assert sampler.steps_per_epoch == 2
    for batch in everything(sampler, 5):
        assert list(Counter(LABELS[batch].tolist()).values()) == [6] * 4
    for label, own in ((5, 2), (7, 3)):
        images = [image for batch in sampler.batches(0) for image in batch if LABELS[image] == label]
        assert sorted(Counter(images).values()) == [6 // own] * own


def test_all_images_are_seen_in_time() -> None:
    seen = {image for batch in everything(PeopleSampler(LABELS, people=3, images=4), 60) for image in batch}
    assert seen == set(np.flatnonzero(LABELS < MATED).tolist())


def test_single_images_are_skipped_or_keep_their_part() -> None:
    sampler = PeopleSampler(LABELS, people=3, images=4, singles=2)
    seen = set()
    for batch in everything(sampler, 30):
        lone = [image for image in batch if LABELS[image] >= MATED]
        assert len(batch) == 12
        assert len(set(lone)) == len(lone) == 2
        seen.update(lone)
    assert len(seen) == 4


@pytest.mark.parametrize("options", [{}, {"singles": 2}, {"repeats": True}])
def test_a_batch_depends_on_seed_epoch_and_step_alone(options: dict) -> None:
    def make(seed: int) -> PeopleSampler:
        return PeopleSampler(LABELS, people=2, images=4, seed=seed, **options)

    whole = everything(make(3), 4)
    steps = make(3).steps_per_epoch
    for start in range(len(whole)):  # a new run that begins here, as after a kill
        epoch, step = divmod(start, steps)
        resumed = make(3)
        rest = [batch.tolist() for batch in resumed.batches(epoch, step)]
        rest += [batch.tolist() for later in range(epoch + 1, 4) for batch in resumed.batches(later)]
        assert rest == whole[start:]
    backwards = make(3)
    assert [backwards.batch(*divmod(at, steps)).tolist() for at in reversed(range(len(whole)))] == whole[::-1]
    assert everything(make(4), 4) != whole
    assert whole[:steps] != whole[steps : 2 * steps]


def test_labels_need_not_be_consecutive() -> None:
    sparse = PeopleSampler(LABELS * 1000 - 7, people=3, images=4, seed=5)
    assert everything(sparse, 2) == everything(PeopleSampler(LABELS, people=3, images=4, seed=5), 2)


@pytest.mark.parametrize("processes", [1, 2, 4])
def test_processes_share_a_batch(processes: int) -> None:
    batch = PeopleSampler(LABELS, people=3, images=4).batch(0, 0)
    parts = [share(batch, process, processes) for process in range(processes)]
    np.testing.assert_array_equal(np.concatenate(parts), batch)
    assert {len(part) for part in parts} == {12 // processes}


def test_a_batch_that_does_not_divide_is_refused() -> None:
    with pytest.raises(ValueError, match="12 images does not divide by 5"):
        share(np.arange(12), 0, 5)


@pytest.mark.parametrize(
    ("labels", "options", "text"),
    [
        (np.zeros(3, int), {"people": 2, "images": 3}, "1 people with two images or more"),
        (np.arange(50), {"people": 2, "images": 3}, "0 people with two images or more"),
        (np.array([], int), {"people": 2, "images": 3}, "0 people with two images or more"),
        (LABELS, {"people": 3, "images": 4, "singles": 5}, "and 4 with one"),
        (LABELS, {"people": 3, "images": 1}, "two images of each"),
        (LABELS, {"people": 0, "images": 4}, "one person or more"),
        (LABELS, {"people": 1, "images": 4, "singles": 3}, "singles=3"),
    ],
)
def test_too_little_data_is_refused(labels: np.ndarray, options: dict, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        PeopleSampler(labels, **options)


def test_a_step_beyond_the_epoch_is_refused() -> None:
    with pytest.raises(ValueError, match="step must be in 0 to 1, got 2"):
        PeopleSampler(LABELS, people=3, images=4).batch(0, 2)
