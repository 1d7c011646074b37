import tracemalloc

import numpy as np
import pytest

from kith.errors import TrainingError
from kith.training import validation
from kith.training.validation import hold_out, require_measurable, tar_at_fmr


def slow(embeddings: np.ndarray, labels: np.ndarray, fmr: float) -> float:
    mated, others = [], []
    for i in range(len(labels)):
        for j in range(i + 1, len(labels)):
            (mated if labels[i] == labels[j] else others).append(float(embeddings[i] @ embeddings[j]))
    allowed = int(fmr * len(others) + 1e-9)
    best = 0.0
    for threshold in [*mated, 2.0]:
        if sum(score >= threshold for score in others) <= allowed:
            best = max(best, sum(score >= threshold for score in mated) / len(mated))
    return best


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("at_once", [1 << 22, 7 * 40, 1])
def test_it_is_the_share_of_mated_pairs_above_the_threshold(
    seed: int, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(validation, "_AT_ONCE", at_once)
    chance = np.random.default_rng(seed)
    labels = chance.integers(0, 8, 40)
    embeddings = chance.standard_normal((8, 6))[labels] + chance.standard_normal((40, 6))
    embeddings = (embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)).astype(np.float32)
    assert tar_at_fmr(embeddings, labels, 0.05) == pytest.approx(slow(embeddings, labels, 0.05), abs=1e-9)


def test_it_needs_no_memory_for_each_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validation, "_AT_ONCE", 1 << 18)
    embeddings = np.random.default_rng(0).standard_normal((6000, 4)).astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    tracemalloc.start()
    tar_at_fmr(embeddings, np.arange(6000) // 4, 0.01)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 6000 * 5999 / 2 * 4 * 0.75  # the scores of all pairs, in float32


def test_people_with_one_photo_only_cannot_validate() -> None:
    with pytest.raises(TrainingError, match="two photos"):
        tar_at_fmr(np.eye(5, dtype=np.float32), np.arange(5), 0.5)


def test_too_low_a_rate_is_told() -> None:
    with pytest.raises(TrainingError, match="higher rate"):
        tar_at_fmr(np.eye(4, dtype=np.float32), np.array([0, 0, 1, 1]), 0.001)


@pytest.mark.parametrize("seed", range(20))
def test_what_cannot_be_measured_is_known_beforehand(seed: int) -> None:
    chance = np.random.default_rng(seed)
    labels = chance.integers(0, 4, chance.integers(2, 9))
    embeddings = np.eye(len(labels), dtype=np.float32)
    pairs = [(a == b) for i, a in enumerate(labels) for b in labels[:i]]
    if any(pairs) and pairs.count(False) * 0.1 >= 1:
        tar_at_fmr(embeddings, labels, 0.1)
        require_measurable(labels, 0.1)
    else:
        with pytest.raises(TrainingError, match="hold out more people"):
            require_measurable(labels, 0.1)


def test_people_are_held_out_whole() -> None:
    labels = np.random.default_rng(0).integers(0, 50, 400)
    kept = hold_out(labels, 0.2, seed=3)
    assert len(np.unique(labels[kept])) == 10
    assert not set(labels[kept]) & set(labels[~kept])
    assert (hold_out(labels, 0.2, seed=4) != kept).any()
