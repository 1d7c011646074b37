import numpy as np
import pytest

from kith.training.augmentation import NONE, Augmentation


def crop(seed: int = 0, side: int = 40) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8)


@pytest.mark.parametrize("name", ["flip", "photometric", "low_resolution", "jpeg", "erase"])
def test_each_change_alone_changes_a_crop_and_keeps_its_shape(name: str) -> None:
    only = Augmentation(**{one: 0 for one in Augmentation.__slots__} | {name: 1.0})
    changed = only(crop(), 40, np.random.default_rng(1))
    assert changed.shape == (40, 40, 3)
    assert changed.dtype == np.uint8
    assert (changed != crop()).any()


def test_no_change_leaves_a_crop_of_the_same_size_alone() -> None:
    np.testing.assert_array_equal(NONE(crop(), 40, np.random.default_rng(1)), crop())


def test_a_flip_is_the_mirror_image() -> None:
    flipped = Augmentation(1, 0, 0, 0, 0, 0, 0, 0)(crop(), 40, np.random.default_rng(1))
    np.testing.assert_array_equal(flipped, crop()[:, ::-1])


def test_the_same_chance_gives_the_same_crop() -> None:
    everything = Augmentation(0.5, 0.1, 0.1, 10, 1, 1, 1, 1)
    first, second, other = (everything(crop(), 32, np.random.default_rng(seed)) for seed in (7, 7, 8))
    np.testing.assert_array_equal(first, second)
    assert (first != other).any()


def test_the_middle_stays_the_middle_at_another_size() -> None:
    dot = np.zeros((41, 41, 3), np.uint8)
    dot[20, 20] = 255
    shown = NONE(dot, 61, np.random.default_rng(0)).sum(axis=2)
    assert np.unravel_index(shown.argmax(), shown.shape) == (30, 30)


def test_a_shift_moves_a_crop_by_that_share_of_its_side() -> None:
    dot = np.zeros((101, 101, 3), np.uint8)
    dot[48:53, 48:53] = 255
    shifts = []
    for seed in range(200):
        moved = Augmentation(0, 0.05, 0, 0, 0, 0, 0, 0)(dot, 101, np.random.default_rng(seed))
        rows, columns = np.nonzero(moved[..., 0])
        shifts.append((rows.mean() - 50, columns.mean() - 50))
    assert np.std(shifts) == pytest.approx(5, rel=0.15)


def test_an_erased_rectangle_covers_up_to_a_fifth() -> None:
    gray = np.full((50, 50, 3), 128, np.uint8)
    for seed in range(50):
        erased = Augmentation(0, 0, 0, 0, 0, 0, 0, 1)(gray, 50, np.random.default_rng(seed))
        share = (erased != gray).any(axis=2).mean()
        assert 0.005 < share <= 0.21


@pytest.mark.parametrize("settings", [{"flip": 1.5}, {"erase": -0.1}, {"shift": -1}])
def test_impossible_settings_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must"):
        Augmentation(**settings)
