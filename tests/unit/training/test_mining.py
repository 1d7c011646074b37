"""Every miner picks what plain loops pick, and the triplet loss of it has the loops' value and slope."""

import jax
import numpy as np
import pytest
from plain_triplets import (
    LABELS,
    PLAIN_MINERS,
    equal_batch,
    random_batch,
    slope,
    tables,
    tied_batch,
    triplet_loss,
)

from kith.training.losses import TripletLoss
from kith.training.mining import MINERS

BATCHES = {
    "random": lambda labels: random_batch(len(labels), seed=1),
    "random, two dimensions": lambda labels: random_batch(len(labels), seed=2, size=3),
    "tied": lambda labels: tied_batch(len(labels), seed=3),
    "equal": lambda labels: equal_batch(len(labels)),
}


@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("of", LABELS)
@pytest.mark.parametrize("name", MINERS)
def test_miner_equals_loops(name: str, of: str, batch: str) -> None:
    labels, margin = LABELS[of], 1.0 if batch == "tied" else 0.2  # 1.0: hinges that are just closed
    embeddings = BATCHES[batch](labels)
    expected = PLAIN_MINERS[name](embeddings, labels, margin)
    miner = MINERS[name](margin)
    found = miner(embeddings, labels)
    pull, push = tables(expected, len(labels))
    np.testing.assert_allclose(found.pull, pull, atol=2e-5)
    np.testing.assert_allclose(found.push, push, atol=2e-5)
    assert float(found.active) == len(expected)
    loss = TripletLoss(miner)(embeddings, labels)
    assert float(loss) == pytest.approx(triplet_loss(embeddings, expected, margin), abs=2e-5)


@pytest.mark.parametrize("of", ["even", "uneven", "one person", "no positives"])
@pytest.mark.parametrize("name", MINERS)
def test_gradient_equals_finite_differences(name: str, of: str) -> None:
    labels, margin = LABELS[of], 0.5
    embeddings = random_batch(len(labels), seed=5)
    loss = TripletLoss(MINERS[name](margin))
    found = jax.jit(jax.grad(loss))(embeddings, labels)
    triplets = PLAIN_MINERS[name](embeddings, labels, margin)  # the choice itself has no gradient
    expected = slope(lambda moved: triplet_loss(moved, triplets, margin), embeddings)
    np.testing.assert_allclose(found, expected, atol=2e-5)
    assert np.any(expected) == (of in ("even", "uneven"))


@pytest.mark.parametrize("batch", ["tied", "equal"])
@pytest.mark.parametrize("of", ["uneven", "one person", "no positives", "one image"])
@pytest.mark.parametrize("name", MINERS)
def test_gradient_is_finite_at_ties(name: str, of: str, batch: str) -> None:
    labels = LABELS[of]
    loss, gradient = jax.value_and_grad(TripletLoss(MINERS[name]()))(BATCHES[batch](labels), labels)
    assert np.isfinite(loss)
    assert np.isfinite(gradient).all()


def test_equal_embeddings_leave_semi_hard_nothing_and_stop_the_others_at_the_margin() -> None:
    labels = LABELS["even"]
    embeddings = equal_batch(len(labels))
    losses = {name: float(TripletLoss(MINERS[name](0.3))(embeddings, labels)) for name in MINERS}
    assert losses.pop("semi-hard") == 0.0
    assert list(losses.values()) == pytest.approx([0.3] * 3)


def test_semi_hard_negatives_come_from_the_whole_batch() -> None:
    """The one negative within the margin is the last image of the last person."""
    angles = np.radians([0, 20, 90, 100, 110, 25])
    embeddings = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    found = MINERS["semi-hard"](0.2)(embeddings, np.array([0, 0, 1, 1, 2, 2]))
    assert np.argwhere(found.push[0]).ravel().tolist() == [5]


@pytest.mark.parametrize("name", MINERS)
def test_memory_grows_with_the_square_of_the_batch(name: str) -> None:
    """At the paper's 1,800 images a table of all triplets would have 23 GB, one of pairs 13 MB."""
    loss = TripletLoss(MINERS[name]())
    embeddings = jax.ShapeDtypeStruct((1800, 128), np.float32)
    labels = jax.ShapeDtypeStruct((1800,), np.int32)
    compiled = jax.jit(jax.value_and_grad(loss)).lower(embeddings, labels).compile()
    assert compiled.memory_analysis().temp_size_in_bytes < 40 * 1800**2 * 4
