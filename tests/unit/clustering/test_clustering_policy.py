import pytest
from made_up_calibration import calibration_of

from kith.clustering import clustering_policy
from kith.decisions.groups import EVERYONE, GroupTails
from kith.decisions.tail import Tail

EASY = Tail((0.5, 1e-1, 1e-2, 1e-3, 1e-4), (0.5, 0.6, 0.7, 0.8, 0.9))
HARD = Tail((0.5, 1e-1, 1e-2, 1e-3, 1e-4), (0.6, 0.7, 0.8, 0.9, 0.95))


@pytest.mark.parametrize(
    ("faces", "rate"), [(0, 3e-3), (100, 3e-3), (200, 2e-3), (400, 1e-3), (10_000, 1e-3)]
)
def test_few_faces_need_to_be_less_alike(faces: int, rate: float) -> None:
    policy = clustering_policy(calibration_of(EASY), faces)
    assert policy.rate == pytest.approx(rate)
    assert policy.threshold == pytest.approx(EASY.threshold(rate))


def test_the_rate_is_over_everyone_and_not_within_a_group() -> None:
    calibration = calibration_of(EASY)
    object.__setattr__(calibration, "comparisons", GroupTails({EVERYONE: EASY, "women": HARD}))
    assert calibration.verification_policy().threshold == pytest.approx(0.9)
    assert clustering_policy(calibration, 1000).threshold == pytest.approx(0.8)


def test_no_lower_rate_is_taken_than_was_measured() -> None:
    coarse = Tail((0.5, 1e-1, 2e-2), (0.5, 0.6, 0.7))
    policy = clustering_policy(calibration_of(coarse), 10_000)
    assert (policy.rate, policy.threshold) == (0.02, 0.7)
