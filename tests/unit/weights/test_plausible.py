"""Variables that no training leaves behind are refused by name."""

import numpy as np
import pytest

from kith.errors import UnsupportedFile
from kith.weights.plausible import require_plausible

TRAINED = {
    "conv/kernel": np.float32([[0.5, 0], [-0.25, 0]]),
    "conv/bias": np.zeros(2, np.float32),
    "conv_norm/moving_mean": np.float32([-3, 0]),
    "conv_norm/moving_variance": np.float32([0, 40_000]),
    "dense/kernel": np.float16([[1]]),
}


def test_a_trained_network_passes() -> None:
    require_plausible(TRAINED)


@pytest.mark.parametrize(
    ("name", "values", "complaint"),
    [
        ("conv/bias", [0, np.nan], "'conv/bias' holds values that are not finite numbers"),
        ("conv/kernel", [np.inf, 1], "'conv/kernel' holds values that are not finite numbers"),
        ("conv/kernel", [-np.inf, 1], "'conv/kernel' holds values that are not finite numbers"),
        ("conv/kernel", [-2.5e30, 1], r"'conv/kernel' holds 2e\+30, larger than"),
        ("conv_norm/moving_variance", [1, -1e-3], "'conv_norm/moving_variance' holds a negative variance"),
        ("dense/kernel", [[0, -0.0]], "'dense/kernel' holds nothing but zeros"),
        ("conv/kernel", [], "'conv/kernel' is empty"),
    ],
)
def test_others_are_refused(name: str, values: list[float], complaint: str) -> None:
    with pytest.raises(UnsupportedFile, match=f"^damaged weights: {complaint}"):
        require_plausible(TRAINED | {name: np.float32(values)})


def test_one_bit_of_an_exponent() -> None:
    values = np.float32([0.01, -0.02])
    values.view(np.uint32)[1] ^= 1 << 30
    with pytest.raises(UnsupportedFile, match="larger than training makes it"):
        require_plausible({"dense/kernel": values})
