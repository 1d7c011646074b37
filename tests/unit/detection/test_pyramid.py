"""All scales of an image on one canvas."""

import cv2
import numpy as np
import pytest

from kith.catalogue.builtin import DETECTORS
from kith.detection.mtcnn import _windows_along
from kith.detection.pyramid import Level, Pyramid, build_pyramid
from kith.runtime.prepare import prepare

SIZES = [(250, 250), (640, 480), (97, 301), (60, 47), (1000, 130), (33, 33)]


def pyramid_of(image: np.ndarray, border: int = 5, *, fast: bool = True) -> Pyramid:
    return build_pyramid(image, scale=0.6, step=0.709, border=border, smallest=12 - border, fast=fast)


def picture(height: int, width: int) -> np.ndarray:
    noise = np.random.default_rng(height).normal(size=(height, width, 3)).astype(np.float32)
    return cv2.GaussianBlur(noise, (0, 0), 3)


def place(level: Level) -> tuple[slice, slice]:
    return (
        slice(level.top, level.top + level.height),
        slice(level.left, level.left + level.width),
    )


@pytest.mark.parametrize("border", [0, 5])
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_levels_lie_apart_at_even_pixels_on_a_canvas_of_little_waste(
    height: int, width: int, border: int
) -> None:
    canvas, levels = pyramid_of(picture(height, width), border)
    taken = np.zeros(canvas.shape[:2], int)
    for level in levels:
        assert level.left % 2 == level.top % 2 == 0
        assert level.left + level.width <= canvas.shape[1]
        assert level.top + level.height <= canvas.shape[0]
        taken[place(level)] += 1
    assert taken.max() == 1
    assert taken.mean() > 0.7


@pytest.mark.parametrize("fast", [True, False])
def test_a_level_is_the_image_scaled_within_its_border(fast: bool) -> None:
    image = picture(90, 70)
    canvas, levels = pyramid_of(image, fast=fast)
    assert len(levels) == 6
    for index, level in enumerate(levels):
        scale = 0.6 * 0.709**index
        size = int(70 * scale), int(90 * scale)
        assert level.scale == pytest.approx(scale)
        assert (level.width, level.height) == (size[0] + 10, size[1] + 10)
        framed = canvas[place(level)]
        plain = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        assert np.abs(framed[5:-5, 5:-5] - plain).mean() < (0.02 if fast else 0.01)
        framed[5:-5, 5:-5] = 0
        assert not framed.any()


def test_an_image_smaller_than_a_window_has_no_level() -> None:
    canvas, levels = pyramid_of(picture(9, 9), border=0)
    assert levels == []
    assert canvas.shape == (0, 0, 3)


def test_pnet_says_of_the_canvas_what_it_says_of_each_level() -> None:
    pnet = prepare(DETECTORS["mtcnn"].weights["pnet"])
    canvas, levels = pyramid_of(picture(240, 200))
    (offsets,), (scores,) = pnet.run(canvas[np.newaxis])
    compared = 0
    for level in levels:
        (own_offsets,), (own_scores,) = pnet.run(canvas[place(level)][np.newaxis])
        assert own_scores.shape[:2] == (_windows_along(level.height), _windows_along(level.width))
        whole = np.s_[: (level.height - 12) // 2 + 1, : (level.width - 12) // 2 + 1]  # none sticks out
        part = np.s_[level.top // 2 :, level.left // 2 :]
        rows, columns = own_scores[whole].shape[:2]
        assert np.abs(scores[part][:rows, :columns] - own_scores[whole]).max() < 1e-5
        assert np.abs(offsets[part][:rows, :columns] - own_offsets[whole]).max() < 1e-5
        compared += rows * columns
    assert compared > 5000
