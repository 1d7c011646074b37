import numpy as np
import pytest

from kith.decisions.inflation import Inflation


def test_between_measured_numbers_lie_lines_over_the_logarithm() -> None:
    inflation = Inflation((1, 3, 9), (0.0, 0.1, 0.3))
    found = inflation.of(np.array([1, 3, 9, 27, 5]))
    expected = [0, 0.1, 0.3, 0.3, 0.1 + 0.2 * np.log(5 / 3) / np.log(3)]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert inflation.most == 9


@pytest.mark.parametrize(
    ("references", "gains"),
    [
        ((), ()),
        ((2, 3), (0.0, 0.1)),
        ((1, 3, 3), (0.0, 0.1, 0.1)),
        ((1,), (0.1,)),
        ((1, 3), (0.0,)),
        ((1, 3), (0.0, float("nan"))),
    ],
)
def test_what_is_none_is_refused(references: tuple[int, ...], gains: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="needs"):
        Inflation(references, gains)
