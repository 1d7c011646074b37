"""The signs of a collapse, and that each is told once and only when it lasts."""

import numpy as np
import pytest
from plain_triplets import equal_batch, random_batch

from kith.training.mining.collapse import CollapseWatch, spread


def test_spread() -> None:
    embeddings = random_batch(200, seed=0)
    mean = embeddings.mean(axis=0)
    assert float(spread(embeddings)) == pytest.approx(np.mean([((x - mean) ** 2).sum() for x in embeddings]))
    assert float(spread(equal_batch(9))) == 0.0
    assert float(spread(np.concatenate([equal_batch(4), -equal_batch(4)]))) == 1.0


def warnings_of(watch: CollapseWatch, steps: list[tuple[float, float]]) -> list[tuple[int, str]]:
    told = [(at, watch.see(loss, spread)) for at, (loss, spread) in enumerate(steps)]
    return [(at, line) for at, line in told if line]


def test_squeezed_embeddings_are_told_once() -> None:
    ((at, line),) = warnings_of(CollapseWatch(patience=5), [(1.0, 0.5)] * 3 + [(1.0, 0.001)] * 20)
    assert at == 3 + 4
    assert "all faces are embedded nearly alike" in line


def test_a_loss_at_the_margin_is_told() -> None:
    ((at, line),) = warnings_of(CollapseWatch(margin=0.2, patience=5), [(0.20001, 0.5)] * 20)
    assert at == 4
    assert "stands at the margin, 0.2" in line


def test_what_passes_is_not_told() -> None:
    steps = ([(0.2, 0.001)] * 4 + [(0.19, 0.5)]) * 5
    assert warnings_of(CollapseWatch(margin=0.2, patience=5), steps) == []


def test_a_healthy_semi_hard_loss_is_not_told() -> None:
    """In a large batch the nearest farther negative is hardly farther: the loss comes near the margin."""
    assert warnings_of(CollapseWatch(margin=0.2, patience=5), [(0.199, 0.7)] * 50) == []


def test_other_losses_have_no_margin_to_stand_at() -> None:
    assert warnings_of(CollapseWatch(patience=5), [(0.2, 0.5)] * 50) == []
