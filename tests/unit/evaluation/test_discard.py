import numpy as np
import pytest

from kith.evaluation.discard import SHARES, discard_curve


def test_the_curve_equals_a_plain_loop() -> None:
    random = np.random.default_rng(0)
    quality = random.random(50)
    pairs = random.integers(0, 50, (200, 2))
    matches = random.random(200) < 0.7
    curve = discard_curve("size", quality, pairs, matches)
    worst_first = sorted(range(200), key=lambda pair: min(quality[pairs[pair]]))
    for share, fnmr in zip(SHARES, curve.fnmr, strict=True):
        kept = worst_first[int(share * 200) :]
        assert fnmr == pytest.approx(np.mean([not matches[pair] for pair in kept]))


def test_a_perfect_measure_leaves_no_error() -> None:
    matches = np.arange(100) >= 10
    curve = discard_curve("oracle", np.arange(100), np.stack([np.arange(100)] * 2, axis=1), matches)
    assert curve.fnmr[SHARES.index(0.1)] == 0
    assert curve.fnmr[0] == pytest.approx(0.1)
