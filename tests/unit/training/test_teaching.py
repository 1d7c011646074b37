import keras
import numpy as np
import pytest

from kith.decisions.cosine import normalize
from kith.training.teaching import Distillation, agreement, widen_cone


def rows(seed: int, count: int = 12) -> np.ndarray:
    return normalize(np.random.default_rng(seed).standard_normal((count, 6)) + 2)


@pytest.mark.parametrize("relation", [0.0, 1.0, 3.0])
def test_the_loss_is_that_of_a_plain_loop(relation: float) -> None:
    ours, theirs, center = rows(0), rows(1), rows(2).mean(axis=0)
    mean = ours.mean(axis=0)
    x = [(row - mean) / np.linalg.norm(row - mean) for row in ours]
    t = [(row - center) / np.linalg.norm(row - center) for row in theirs]
    cosine = np.mean([1 - a @ b for a, b in zip(x, t, strict=True)])
    apart = [(x[i] @ x[j] - t[i] @ t[j]) ** 2 for i in range(12) for j in range(12) if i != j]
    loss = Distillation(center, relation=relation)(ours, theirs)
    assert float(loss) == pytest.approx(cosine + relation * np.mean(apart), abs=1e-5)


def test_a_student_elsewhere_on_the_sphere_is_as_good() -> None:
    theirs = rows(1)
    moved = theirs * 0.5 + 3
    loss = Distillation(theirs.mean(axis=0))
    assert float(loss(moved, theirs)) == pytest.approx(0, abs=1e-5)
    assert agreement(moved, theirs) == pytest.approx(1, abs=1e-5)


def test_strangers_do_not_agree() -> None:
    assert abs(agreement(rows(0, 500), rows(1, 500))) < 0.2


@pytest.mark.parametrize("width", [0.1, 1.0, 3.0])
def test_a_cone_becomes_as_wide_as_the_teachers_and_faces_keep_their_places(width: float) -> None:
    chance = np.random.default_rng(0)
    features = chance.standard_normal((300, 9)) + 1
    kernel = keras.Variable(chance.standard_normal((9, 6)) * 0.2 + width)
    before = features @ np.asarray(kernel)
    center = rows(1, 300).mean(axis=0)
    widen_cone(kernel, before.astype(np.float32), center)
    after = features @ np.asarray(kernel)
    assert np.linalg.norm(normalize(after).mean(axis=0)) == pytest.approx(np.linalg.norm(center), abs=1e-3)
    axis = before.mean(axis=0) / np.linalg.norm(before.mean(axis=0))
    for some in (before, after):
        some -= np.outer(some @ axis, axis)
    np.testing.assert_allclose(after, before, atol=1e-4)
