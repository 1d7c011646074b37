import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_calibration import TAIL

from kith.decisions.tail import SearchTails, Tail
from kith.errors import InvalidArgument
from kith.workflows.measured_tails import RATES

HIGHER = Tail(TAIL.rates, tuple(threshold + 0.04 for threshold in TAIL.thresholds))


@given(st.floats(1e-7, 0.9), st.floats(1, 1e5))
def test_rate_is_the_inverse_of_threshold(rate: float, times: float) -> None:
    tail = TAIL.of_many(times)
    assert tail.rate(tail.threshold(rate)) == pytest.approx(rate, rel=1e-6)


def test_measured_rates_are_met_exactly() -> None:
    for rate, threshold in zip(TAIL.rates, TAIL.thresholds, strict=True):
        assert TAIL.threshold(rate) == pytest.approx(threshold)
        assert TAIL.rate(threshold) == pytest.approx(rate)


def test_between_measured_rates_lie_lines_over_the_logarithm() -> None:
    assert TAIL.threshold(10**-2.5) == pytest.approx(0.75)
    assert TAIL.rate(0.75) == pytest.approx(10**-2.5)


def test_the_rate_falls_with_the_score_and_never_passes_one() -> None:
    rates = [TAIL.rate(score) for score in np.linspace(-1, 1.2, 200)]
    assert rates == sorted(rates, reverse=True)
    assert (rates[0], min(rates) > 0) == (1.0, True)


def test_below_the_lowest_measured_the_line_goes_on_and_is_not_carried() -> None:
    assert TAIL.threshold(1e-6) == pytest.approx(1.0)
    assert (TAIL.carries(1e-5), TAIL.carries(0.9e-5)) == (True, False)


def test_the_best_of_many_scores_is_as_likely_as_if_they_were_independent() -> None:
    scores = np.random.default_rng(0).uniform(0, 1, (200_000, 20))
    one = Tail((0.5, 0.1, 0.01, 0.001), (0.5, 0.9, 0.99, 0.999))
    for score in (0.9, 0.99, 0.999):
        assert one.of_many(20).rate(score) == pytest.approx(np.mean(scores.max(axis=1) >= score), rel=0.05)
    assert one.of_many(20).lowest == pytest.approx(1 - 0.999**20)


def test_equal_thresholds_have_the_lowest_of_their_rates() -> None:
    tail = Tail((0.5, 0.1, 0.01), (0.3, 0.3, 0.6))
    assert (tail.rate(0.3), tail.rate(0.6)) == (pytest.approx(0.1), pytest.approx(0.01))
    nothing_told_apart = Tail((1.0, 0.5), (1.0, 1.0))
    assert [nothing_told_apart.rate(score) for score in (0.999, 1.0)] == [1.0, 0.0]
    assert nothing_told_apart.threshold(0.001) == 1.0


@pytest.mark.parametrize("rate", [0.0, -0.1, 1.0, 1.5, float("nan")])
def test_what_is_no_rate_is_refused(rate: float) -> None:
    with pytest.raises(InvalidArgument, match="rate must lie between 0 and 1"):
        TAIL.threshold(rate)


@pytest.mark.parametrize(
    ("rates", "thresholds"),
    [((0.1,), (0.5,)), ((0.1, 0.01), (0.5,)), ((0.01, 0.1), (0.5, 0.6)), ((0.1, 0.01), (0.6, 0.5)), ((0.1, 0.0), (0.5, 0.6))],
)  # fmt: skip
def test_what_is_no_tail_is_refused(rates: tuple[float, ...], thresholds: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="needs"):
        Tail(rates, thresholds)


def test_a_size_between_two_measured_ones_has_a_threshold_between_theirs() -> None:
    tails = SearchTails((1, 10, 100), (TAIL, HIGHER, HIGHER))
    assert tails.at(1).threshold(0.01) == pytest.approx(0.70)
    assert tails.at(10).threshold(0.01) == pytest.approx(0.74)
    assert tails.at(3).threshold(0.01) == pytest.approx(0.70 + 0.04 * np.log10(3))
    assert tails.at(50).threshold(0.01) == pytest.approx(0.74)


def test_there_is_no_cliff_at_any_size() -> None:
    tails = SearchTails((1, 100, 400), (TAIL, HIGHER, HIGHER.of_many(3)))
    thresholds = [tails.at(size).threshold(0.003) for size in range(1, 1000)]
    assert np.abs(np.diff(thresholds)).max() < 0.01
    assert thresholds == sorted(thresholds)


def test_beyond_the_largest_measured_size_a_search_counts_as_so_many() -> None:
    tails = SearchTails((1, 10), (TAIL, HIGHER))
    assert tails.at(1000).rate(0.84) == pytest.approx(1 - (1 - 1e-3) ** 100)
    assert tails.at(10_000_000).rate(0.5) == 1.0


def test_what_only_one_of_two_sizes_carries_is_not_carried_between() -> None:
    short = Tail(TAIL.rates[:3], TAIL.thresholds[:3])
    tails = SearchTails((1, 10), (TAIL, short))
    assert tails.at(5).lowest == pytest.approx(1e-2)


@pytest.mark.parametrize("sizes", [(), (2, 3), (1, 1), (1, 5, 3)])
def test_sizes_begin_with_one_and_rise(sizes: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="sizes"):
        SearchTails(sizes, (TAIL,) * len(sizes))


def test_every_rate_that_is_measured_can_be_a_tail() -> None:
    Tail(RATES, tuple(np.linspace(0, 1, len(RATES))))
