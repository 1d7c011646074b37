import numpy as np
import pytest

from kith.catalogue.preprocessing import FixedScaling, Whitening
from kith.decisions.cosine import normalize
from kith.embedding import Embedder, scale_pixels, shrink

PIXELS = FixedScaling(mean=(10.0, 20.0, 30.0), divisor=2.0)


class MeanOfLeftHalf:
    """A network simple enough to check by hand: mean colour of the left half."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def run(self, *inputs: np.ndarray) -> list[np.ndarray]:
        (crops,) = inputs
        self.batches.append(len(crops))
        return [crops[:, :, :2].mean(axis=(1, 2))]


def embedder(network: MeanOfLeftHalf, *, flip: bool) -> Embedder:
    return Embedder(network, crop_size=4, input_size=4, embedding_size=3, pixels=PIXELS, mirrored=flip)


def test_pixels_are_scaled_per_colour() -> None:
    scaled = scale_pixels(np.array([[[[12, 20, 50]]]], np.uint8), PIXELS)
    assert scaled.dtype == np.float32
    assert scaled.tolist() == [[[[1, 0, 10]]]]


def test_whitening_takes_each_crop_by_itself() -> None:
    """As Sandberg's prewhiten, written plainly; a crop of one colour gives zeros, not a division by 0."""
    crops = np.random.default_rng(5).integers(0, 256, (3, 8, 8, 3)).astype(np.uint8)
    crops[1] = 77
    for crop, found in zip(crops, scale_pixels(crops, Whitening()), strict=True):
        deviation = max(float(np.std(crop.astype(np.float64))), 1 / np.sqrt(crop.size))
        np.testing.assert_allclose(found, (crop - np.mean(crop)) / deviation, atol=1e-5)
    assert scale_pixels(crops[:0], Whitening()).shape == (0, 8, 8, 3)


def test_rows_have_unit_length_and_crops_keep_their_order() -> None:
    crops = np.random.default_rng(0).integers(0, 256, (70, 4, 4, 3)).astype(np.uint8)
    network = MeanOfLeftHalf()
    embeddings = embedder(network, flip=False).embed(crops)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-6)
    expected = scale_pixels(crops, PIXELS)[:, :, :2].mean(axis=(1, 2))
    np.testing.assert_allclose(
        embeddings, expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-5
    )
    assert sum(network.batches) == 70
    assert max(network.batches) <= 32


def test_the_mirror_image_is_summed() -> None:
    crops = np.random.default_rng(1).integers(0, 256, (3, 4, 4, 3)).astype(np.uint8)
    both = embedder(MeanOfLeftHalf(), flip=True)
    np.testing.assert_allclose(both.embed(crops), both.embed(crops[:, :, ::-1].copy()), atol=1e-6)


def test_no_crops_give_no_embeddings() -> None:
    assert embedder(MeanOfLeftHalf(), flip=True).embed(np.zeros((0, 4, 4, 3), np.uint8)).shape == (0, 3)


def test_zeros_stay_zeros() -> None:
    assert normalize(np.zeros((1, 3))).tolist() == [[0, 0, 0]]


def test_crops_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match=r"crops must have shape \(n, 4, 4, 3\), got \(1, 5, 5, 3\)"):
        embedder(MeanOfLeftHalf(), flip=False).embed(np.zeros((1, 5, 5, 3), np.uint8))


def test_crops_are_shrunk_by_their_means() -> None:
    crops = np.random.default_rng(2).integers(0, 256, (2, 6, 6, 3)).astype(np.uint8)
    assert (shrink(crops, 6) == crops).all()
    means = crops.reshape(2, 3, 2, 3, 2, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(shrink(crops, 3), means, atol=0.51)


def test_crops_larger_than_the_input_are_shown_whole() -> None:
    crops = np.random.default_rng(3).integers(0, 256, (3, 8, 8, 3)).astype(np.uint8)
    both = Embedder(
        MeanOfLeftHalf(), crop_size=8, input_size=4, embedding_size=3, pixels=PIXELS, mirrored=True
    )
    whole = scale_pixels(shrink(crops, 4), PIXELS).mean(axis=(1, 2))
    np.testing.assert_allclose(both.embed(crops), normalize(whole), atol=1e-6)
