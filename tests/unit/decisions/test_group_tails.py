import numpy as np
import pytest
from made_up_calibration import TAIL

from kith.decisions.groups import EVERYONE, GroupSearchTails, GroupTails
from kith.decisions.tail import SearchTails, Tail

HARDER = Tail(TAIL.rates, tuple(one + 0.03 for one in TAIL.thresholds))
CROSSING = Tail((0.1, 1e-3), (0.4, 0.95))
GROUPS = GroupTails({EVERYONE: TAIL, "alike": HARDER, "crossing": CROSSING})


def test_the_threshold_is_that_of_the_hardest_group_at_each_rate() -> None:
    for rate in (0.1, 0.03, 0.01, 1e-3, 1e-4):
        thresholds = {name: tail.threshold(rate) for name, tail in GROUPS.tails.items()}
        assert GROUPS.threshold(rate) == max(thresholds.values())
        assert thresholds[GROUPS.hardest(rate)] == max(thresholds.values())
    assert (GROUPS.hardest(0.1), GROUPS.hardest(1e-3)) == ("alike", "crossing")


def test_rate_and_threshold_are_inverse() -> None:
    for rate in (0.1, 0.03, 0.01, 1e-3, 1e-4):
        assert GROUPS.rate(GROUPS.threshold(rate)) == pytest.approx(rate)
    assert dict(GROUPS.rates(0.8)) == {name: tail.rate(0.8) for name, tail in GROUPS.tails.items()}


def test_only_what_every_group_carries_is_carried() -> None:
    assert (TAIL.carries(1e-4), GROUPS.carries(1e-4), GROUPS.lowest) == (True, False, 1e-3)


def test_of_groups_alike_everyone_is_not_named_as_the_hardest() -> None:
    assert GroupTails({EVERYONE: TAIL, "women": TAIL}).hardest(0.01) == "women"


def test_a_gallery_larger_than_one_group_was_measured_in_counts_as_several() -> None:
    searches = GroupSearchTails(
        {EVERYONE: SearchTails((1, 400), (TAIL, HARDER)), "few": SearchTails((1, 100), (TAIL, TAIL))}
    )
    assert searches.largest == 100
    tails = searches.at(300).tails
    assert tails["few"].threshold(0.01) == TAIL.of_many(3).threshold(0.01)
    within = searches.at(100).tails[EVERYONE]
    assert tails[EVERYONE].threshold(0.01) == pytest.approx(within.of_many(3).threshold(0.01))


@pytest.mark.parametrize("tails", [{}, {"women": TAIL}])
def test_everyone_is_always_there(tails: dict[str, Tail]) -> None:
    with pytest.raises(ValueError, match="everyone"):
        GroupTails(tails)


def test_rates_fall_with_the_score() -> None:
    rates = [GROUPS.rate(score) for score in np.linspace(0, 1.2, 60)]
    assert rates == sorted(rates, reverse=True)
