import keras
import numpy as np
import pytest

from kith.embedding import scale_pixels
from kith.images.reading import load_image
from kith.recognizer import Recognizer
from kith.runtime.keras_models import keras_model
from kith.sample_people import photos
from kith.training import slimming
from kith.training.slimming import _plan, _Slimming, slim


def test_every_block_stands_for_some_of_its_own_stage() -> None:
    assert [(block.first, block.last) for block in _plan()] == [
        (1, 1), (2, 3),
        (4, 4), (5, 5), (6, 7),
        (8, 8), (9, 9), (10, 10),
        (11, 11), (12, 13),
        (14, 14),
    ]  # fmt: skip
    assert [block.number for block in _plan() if block.opens] == [1, 3, 6, 9, 11]


@pytest.mark.parametrize(("stride", "padding"), [(1, "same"), (2, "valid")])
def test_a_convolution_is_found_again_from_what_it_says(stride: int, padding: str) -> None:
    chance = np.random.default_rng(0)
    x = chance.standard_normal((5, 9, 9, 3)).astype(np.float32)
    true = keras.layers.Conv2D(4, 3, stride, padding, bias_initializer="normal")
    wanted = np.asarray(true(x))
    ours = keras.layers.Conv2D(4, 3, stride, padding, kernel_initializer="zeros")
    ours.build(x.shape)
    solver = _Slimming.__new__(_Slimming)
    solver._chance = chance
    columns, values = solver._equations(ours, x, wanted)
    solution, *_ = np.linalg.lstsq(columns, values)
    ours.kernel.assign(solution[:-1].reshape(ours.kernel.shape))
    ours.bias.assign(solution[-1])
    np.testing.assert_allclose(np.asarray(ours(x)), wanted, atol=1e-4)


def test_a_slimmed_network_says_nearly_what_its_model_said(
    recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slimming, "_MOST_EQUATIONS", 15_000)  # a quarter is harder to learn from, and quicker
    monkeypatch.setattr(slimming, "_MOST_SAMPLES", 5_000)
    spec = recognizer.spec
    images = [load_image(photo) for photo in photos()]
    crops = np.concatenate([recognizer.align(image, recognizer.detect(image)[:1]) for image in images])
    inputs = scale_pixels(crops[:, 3:-3, 3:-3], spec.pixels)
    trained = keras_model()
    slimmed = slim(trained, inputs)
    assert slimmed.count_params() < 1.2e6
    (ours,), (theirs,) = (slimming._run(model, inputs) for model in (slimmed, trained))
    left = np.sum(np.square(ours - theirs)) / np.sum(np.square(theirs - theirs.mean(axis=0)))
    assert left < 0.1
