"""Every loss has the value and the slope of plain loops over float64."""

import itertools

import jax
import numpy as np
import plain_losses as plain
import pytest
from plain_triplets import LABELS, equal_batch, random_batch, slope, tied_batch, unit

from kith.training import losses
from kith.training.losses import LOSSES

PEOPLE, SIZE = 6, 5
WITH_CLASSES = ("center", "arcface", "cosface", "adaface")
BATCHES = {
    "random": lambda count: random_batch(count, seed=7, size=SIZE),
    "equal": lambda count: np.pad(equal_batch(count), ((0, 0), (0, SIZE - 3))),
    "tied": lambda count: np.pad(tied_batch(count, seed=3), ((0, 0), (0, SIZE - 4))),
}
NORMS = np.random.default_rng(8).uniform(1, 90, 20).astype(np.float32)


def make(name: str, **options: float):
    """A loss, and what to call it with behind the embeddings."""
    return LOSSES[name](PEOPLE, SIZE, **options) if name in WITH_CLASSES else LOSSES[name](**options)


def arguments(name: str, labels: np.ndarray) -> tuple[np.ndarray, ...]:
    return (labels, NORMS[: len(labels)]) if name == "adaface" else (labels,)


def plain_value(name: str, loss, embeddings: np.ndarray, labels: np.ndarray) -> float:
    if name == "n-pair":
        return plain.n_pair(embeddings, labels)
    if name == "center":
        weights = [np.array(weight, float) for weight in (loss.directions, loss.biases, loss.centers)]
        return plain.center(embeddings, labels, *weights, loss.weight, loss.scale)
    prototypes = np.array(loss.prototypes)
    if name == "adaface":
        norms = NORMS[: len(labels)]
        return plain.adaface(
            embeddings, labels, norms, prototypes, loss.margin, loss.concentration, loss.scale
        )
    return {"arcface": plain.arcface, "cosface": plain.cosface}[name](
        embeddings, labels, prototypes, loss.margin, loss.scale
    )


@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("of", LABELS)
@pytest.mark.parametrize("name", ["n-pair", *WITH_CLASSES])
def test_loss_equals_loops(name: str, of: str, batch: str) -> None:
    labels = LABELS[of]
    embeddings, loss = BATCHES[batch](len(labels)), make(name)
    expected = plain_value(name, loss, embeddings, labels)
    assert float(loss(embeddings, *arguments(name, labels))) == pytest.approx(expected, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("of", ["even", "uneven", "one person", "no positives"])
@pytest.mark.parametrize("name", ["n-pair", *WITH_CLASSES])
def test_gradient_equals_finite_differences(name: str, of: str) -> None:
    labels, options = LABELS[of], {} if name == "n-pair" else {"scale": 8.0}
    embeddings, loss = random_batch(len(labels), seed=9, size=SIZE), make(name, **options)
    expected = slope(lambda moved: plain_value(name, loss, moved, labels), embeddings)

    @jax.jit
    def value(embeddings):
        trainable, other = ([weight.value for weight in group] for group in groups(loss))
        return loss.stateless_call(trainable, other, embeddings, *arguments(name, labels))[0]

    np.testing.assert_allclose(jax.grad(value)(embeddings), expected, atol=1e-5)


def groups(loss):
    return loss.trainable_variables, loss.non_trainable_variables


@pytest.mark.parametrize("name", ["arcface", "cosface", "adaface"])
def test_gradient_of_prototypes_equals_finite_differences(name: str) -> None:
    labels = LABELS["uneven"]
    embeddings, loss = random_batch(len(labels), seed=10, size=SIZE), make(name, scale=8.0)
    (prototypes,), other = ([weight.value for weight in group] for group in groups(loss))

    def value(prototypes):
        return loss.stateless_call([prototypes], other, embeddings, *arguments(name, labels))[0]

    class Moved:
        def __init__(self, prototypes: np.ndarray) -> None:
            self.prototypes, self.margin, self.scale = prototypes, loss.margin, loss.scale
            self.concentration = getattr(loss, "concentration", None)

    expected = slope(lambda moved: plain_value(name, Moved(moved), embeddings, labels), np.array(prototypes))
    np.testing.assert_allclose(jax.grad(value)(prototypes), expected, atol=1e-5)


@pytest.mark.parametrize("name", ["arcface", "cosface"])
def test_the_margin_grows_from_zero_over_the_ramp(name: str) -> None:
    labels = LABELS["uneven"]
    embeddings, loss = random_batch(len(labels), seed=11, size=SIZE), make(name, ramp=4)
    whole, prototypes = loss.margin, np.array(loss.prototypes)
    plainly = {"arcface": plain.arcface, "cosface": plain.cosface}[name]
    for call in range(6):
        expected = plainly(embeddings, labels, prototypes, whole * min(call / 4, 1), loss.scale)
        assert float(loss(embeddings, labels)) == pytest.approx(expected, rel=1e-5, abs=1e-5)


def test_what_was_grown_of_the_margin_is_part_of_a_checkpoint() -> None:
    """Stateless: a step returns the count of calls, and the next takes it."""
    labels = LABELS["uneven"]
    embeddings, loss = random_batch(len(labels), seed=12, size=SIZE), make("arcface", ramp=2)
    trainable, other = ([weight.value for weight in group] for group in groups(loss))
    values = []
    for _ in range(3):
        value, other = loss.stateless_call(trainable, other, embeddings, labels)
        values.append(float(value))
    assert values[0] < values[1] < values[2]


@pytest.mark.parametrize("name", ["arcface", "cosface", "adaface"])
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("norm", [0.0, 20.0, 1e9])
def test_gradient_is_finite_on_and_opposite_a_prototype(name: str, sign: int, norm: float) -> None:
    """There the arc cosine has no slope."""
    loss = make(name)
    embeddings = sign * unit(np.array(loss.prototypes))
    more = (np.full(PEOPLE, norm, np.float32),) if name == "adaface" else ()
    value, gradient = jax.value_and_grad(lambda x: loss(x, np.arange(PEOPLE), *more))(embeddings)
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


def test_arcface_never_rewards_a_wider_angle() -> None:
    loss = losses.ArcFace(2, 2, scale=4.0)
    loss.prototypes.assign(np.array([[1, 0], [0, -1]], np.float32))
    theta = np.linspace(0, np.pi, 200)
    values = [float(loss(np.array([[np.cos(t), np.sin(t)]], np.float32), np.array([0]))) for t in theta]
    assert all(later > earlier - 1e-6 for earlier, later in itertools.pairwise(values[100:]))


def test_adaface_of_a_good_photo_is_cosface_and_of_a_poor_one_arcface() -> None:
    """With norms so extreme that z is 1 and -1: cos(theta - m) - 2 m, and cos(theta + m)."""
    labels = np.arange(4)
    ada, arc = make("adaface", concentration=1e4), make("arcface", margin=0.4)
    embeddings = random_batch(4, seed=11, size=SIZE)
    poor = ada(embeddings, labels, np.full(4, 1e-3, np.float32))
    arc.prototypes.assign(ada.prototypes)
    assert float(poor) == pytest.approx(float(arc(embeddings, labels)), rel=1e-5)
    good = ada(embeddings, labels, np.full(4, 100, np.float32))
    theta = plain.angles(embeddings, np.array(ada.prototypes))
    own = [float(np.cos(max(theta[i, i] - 0.4, 0)) - 0.8) for i in labels]
    assert float(good) == pytest.approx(plain.softmax_with_margin(theta, labels, own, 64.0), rel=1e-5)


def test_centers_move_by_the_rule_of_the_paper() -> None:
    labels, loss = LABELS["uneven"], make("center")
    for seed in (12, 13):
        embeddings, before = random_batch(len(labels), seed, SIZE), np.array(loss.centers)
        loss(embeddings, labels)
        np.testing.assert_allclose(
            loss.centers, plain.moved_centers(embeddings, labels, before, 0.95), atol=1e-6
        )
    assert [weight.name for weight in loss.trainable_variables] == ["directions", "biases"]


def test_adaface_remembers_norms() -> None:
    loss, norms = make("adaface"), np.array([30, 50], np.float32)
    for _ in range(3):
        loss(random_batch(2, seed=18, size=SIZE), np.array([0, 1]), norms)
    assert float(loss.mean) == pytest.approx(40 - 20 * 0.99**3)
    assert float(loss.deviation) == pytest.approx(10 + 90 * 0.99**3)


@pytest.mark.parametrize("count", [1, 2, 9])
def test_distillation_equals_loops(count: int) -> None:
    student, teacher = random_batch(count, seed=14), random_batch(count, seed=15)
    narrow = random_batch(count, seed=16, size=4)
    for loss, loops, target in (
        (losses.CosineDistillation(), plain.cosine_distillation, teacher),
        (losses.RelationalDistillation(), plain.relational_distillation, narrow),
    ):
        value, gradient = jax.value_and_grad(loss)(student, target)
        assert float(value) == pytest.approx(loops(student, target), abs=1e-6)
        expected = slope(lambda moved, loops=loops, target=target: loops(moved, target), student)
        np.testing.assert_allclose(gradient, expected, atol=1e-5)


@pytest.mark.parametrize("name", WITH_CLASSES)
def test_first_weights_follow_the_seed(name: str) -> None:
    first, again, other = (LOSSES[name](PEOPLE, SIZE, seed=seed).get_weights()[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("name", LOSSES)
def test_half_precision_embeddings_are_reckoned_in_float32(name: str) -> None:
    labels, loss = LABELS["even"], make(name)
    embeddings = jax.numpy.asarray(random_batch(len(labels), seed=17, size=SIZE), "bfloat16")
    assert loss(embeddings, *arguments(name, labels)).dtype == np.float32
