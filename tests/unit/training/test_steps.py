import jax.numpy as jnp
import keras
import numpy as np
import pytest

from kith.catalogue.preprocessing import MTCNN_PIXELS
from kith.training.losses import AdaFace, ArcFace, TripletLoss
from kith.training.mining import BatchAll
from kith.training.steps import Seen, State, Stepper

LABELS = jnp.array([0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3], jnp.int32)


def network() -> keras.Model:
    keras.utils.set_random_seed(3)
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(5, 3, activation="relu")(inputs)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, keras.layers.Dense(4)(x))


def stepper(model: keras.Model, loss: keras.layers.Layer, **options) -> Stepper:
    return Stepper(model, loss, keras.optimizers.SGD(0.5), pixels=MTCNN_PIXELS, **options)


def images() -> jnp.ndarray:
    return jnp.asarray(np.random.default_rng(0).integers(0, 256, (12, 8, 8, 3), np.uint8))


MADE = {
    "triplet": lambda: TripletLoss(BatchAll(0.4)),
    "arcface": lambda: ArcFace(4, 4),
    "adaface": lambda: AdaFace(4, 4),
}


@pytest.fixture(scope="module", params=MADE)
def at_once(request: pytest.FixtureRequest) -> tuple[str, State, Seen]:
    """A loss, and what a step of a whole batch makes of it."""
    whole = stepper(network(), MADE[request.param]())
    return request.param, *whole.step(whole.start(), images(), LABELS)


@pytest.mark.parametrize(("chunk", "devices"), [(6, 1), (4, 1), (3, 1), (4, 2), (6, 3)])
def test_a_step_in_chunks_is_the_step_at_once(
    at_once: tuple[str, State, Seen], chunk: int, devices: int
) -> None:
    loss, first, seen = at_once
    parts = stepper(network(), MADE[loss](), chunk=chunk, devices=devices)
    second, seen_too = parts.step(parts.start(), images(), LABELS)
    assert seen.loss > 0
    np.testing.assert_allclose(seen_too.loss, seen.loss, rtol=1e-5)
    np.testing.assert_allclose(seen_too.gradient, seen.gradient, rtol=1e-4)
    np.testing.assert_allclose(seen_too.spread, seen.spread, rtol=1e-5)
    for one, other in zip(
        [*first.weights, *first.loss_weights], [*second.weights, *second.loss_weights], strict=True
    ):
        np.testing.assert_allclose(other, one, atol=1e-5)
    for one, other in zip(first.loss_statistics, second.loss_statistics, strict=True):
        np.testing.assert_allclose(other, one, atol=1e-5)


def test_statistics_of_batch_normalization_see_every_chunk_once() -> None:
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.BatchNormalization(momentum=0.0)(inputs)
    model = keras.Model(inputs, keras.layers.Dense(4)(keras.layers.GlobalAveragePooling2D()(x)))
    made = stepper(model, ArcFace(4, 4), chunk=4)
    state, _ = made.step(made.start(), images(), LABELS)
    last = (np.asarray(images()[8:], np.float32) - 127.5) / 128
    np.testing.assert_allclose(state.statistics[0], last.mean(axis=(0, 1, 2)), atol=1e-4)


def test_a_batch_that_does_not_divide_is_refused() -> None:
    made = stepper(network(), ArcFace(4, 4), chunk=5)
    with pytest.raises(ValueError, match="does not divide"):
        made.step(made.start(), images(), LABELS)


def test_active_triplets_are_counted() -> None:
    miner = BatchAll(0.4)
    model = network()
    made = stepper(model, TripletLoss(miner))
    embeddings = made.embed(made.start(), images())
    expected = float(miner(embeddings, LABELS).active)
    _, seen = made.step(made.start(), images(), LABELS)
    assert seen.active == expected > 0


def test_embeddings_have_unit_length_and_come_from_the_average() -> None:
    model = network()
    made = stepper(model, ArcFace(4, 4), decay=0.9)
    state = made.start()
    before = [np.asarray(weight) for weight in state.weights]
    state, _ = made.step(state, images(), LABELS)
    # after no step the average forgets all but a tenth: (1 + t) / (10 + t), and t is 1 after the first
    for old, new, average in zip(before, state.weights, state.average, strict=True):
        np.testing.assert_allclose(average, 2 / 11 * old + 9 / 11 * np.asarray(new), atol=1e-6)
    embeddings = made.embed(state, images())
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)
    made.finish(state)
    raw = np.asarray(model((np.asarray(images(), np.float32) - 127.5) / 128))
    np.testing.assert_allclose(embeddings, raw / np.linalg.norm(raw, axis=1, keepdims=True), atol=1e-5)


def test_frozen_layers_keep_their_weights() -> None:
    model = network()
    model.layers[1].trainable = False
    kept = np.asarray(model.layers[1].kernel)
    made = stepper(model, ArcFace(4, 4))
    state, _ = made.step(made.start(), images(), LABELS)
    made.finish(state)
    np.testing.assert_array_equal(model.layers[1].kernel, kept)
