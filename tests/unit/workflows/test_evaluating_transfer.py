from dataclasses import replace

import numpy as np
import pytest
from made_up_calibration import calibration_of

from kith.decisions.groups import EVERYONE, GroupTails
from kith.errors import EvaluationError
from kith.records import Measure
from kith.workflows.calibrating import fit_calibration
from kith.workflows.evaluating_transfer import Promise, evaluate_transfer


def faces(people: int, photos: int, seed: int, alike: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    X = np.repeat(random.standard_normal((people, 16)) + alike, photos, axis=0)
    X += 0.6 * random.standard_normal(X.shape)
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    return X.astype(np.float32), np.repeat(np.arange(people), photos)


def promises(alike: float) -> dict[tuple[Measure, int], Promise]:
    calibration = fit_calibration(*faces(300, 5, seed=1), "others")
    X, y = faces(200, 5, seed=2, alike=alike)
    found = evaluate_transfer(calibration, X, y, fmr=0.01, fpir=0.02)
    return {(one.policy.measure, one.references): one for one in found}


def test_what_was_measured_on_people_of_the_same_kind_holds() -> None:
    found = promises(alike=0.0)
    assert set(found) == {(Measure.FMR, 1), (Measure.FPIR, 1), (Measure.FPIR, 3)}, "nobody has 11 photos"
    for one in found.values():
        assert one.group == EVERYONE
        assert one.measured.low <= one.policy.rate <= one.measured.high
        assert 0.5 < one.ratio < 2


def test_of_people_who_are_more_alike_it_does_not_and_that_is_seen() -> None:
    for one in promises(alike=0.7).values():
        assert one.measured.low > one.policy.rate
        assert one.ratio > 3


def test_figures_equal_a_plain_count() -> None:
    X, y = faces(40, 3, seed=4)
    (one, *_) = evaluate_transfer(calibration_of(), X, y, fmr=0.1)
    scores = X @ X.T
    wrong = pairs = 0
    for i in range(len(X)):
        for j in range(i):
            if y[i] != y[j]:
                pairs += 1
                wrong += scores[i, j] >= one.policy.threshold
    assert one.measured.value == pytest.approx(wrong / pairs)
    mated = [scores[3 * p + a, 3 * p + b] for p in range(40) for a, b in ((0, 1), (0, 2), (1, 2))]
    assert one.missed.value == pytest.approx(np.mean(np.array(mated) < one.policy.threshold))


def test_each_group_is_measured_within_itself() -> None:
    X, y = faces(60, 3, seed=5)
    labels = np.where(y < 30, "some", "others")
    labels[y == 59] = ""
    found = evaluate_transfer(calibration_of(), X, y, labels, references=(1,))
    assert [(one.group, one.people) for one in found] == [
        ("others", 1),
        ("others", 18),
        ("some", 1),
        ("some", 18),
    ]


def test_the_hardest_groups_threshold_decides() -> None:
    X, y = faces(40, 3, seed=6)
    plain = calibration_of()
    tail = plain.comparisons.tails[EVERYONE]
    harder = replace(tail, thresholds=tuple(one + 0.02 for one in tail.thresholds))
    grouped = replace(plain, comparisons=GroupTails({EVERYONE: tail, "alike": harder}))
    thresholds = [evaluate_transfer(one, X, y)[0].policy.threshold for one in (plain, grouped)]
    assert thresholds[1] == pytest.approx(thresholds[0] + 0.02)


def test_too_few_people_show_nothing() -> None:
    X, y = faces(9, 3, seed=7)
    with pytest.raises(EvaluationError, match="needs 10 people"):
        evaluate_transfer(calibration_of(), X, y)
