"""Thresholds in a detector's own terms."""

import pytest

from kith.detection import DetectionSettings
from kith.errors import InvalidArgument


@pytest.mark.parametrize(
    ("settings", "hold"),
    [
        (DetectionSettings(), (0.6, 0.7)),
        (DetectionSettings(thresholds=(0.1, 0.2)), (0.1, 0.2)),
        (DetectionSettings(min_score=0.5), (0.6, 0.5)),
        (DetectionSettings(thresholds=(0.1, 0.2), min_score=0.5), (0.1, 0.5)),
    ],
)
def test_what_is_not_chosen_is_the_detectors_own(
    settings: DetectionSettings, hold: tuple[float, ...]
) -> None:
    assert settings.thresholds_or((0.6, 0.7)) == hold


def test_another_number_of_thresholds() -> None:
    with pytest.raises(InvalidArgument, match="2 thresholds, got"):
        DetectionSettings(thresholds=(0.5,)).thresholds_or((0.6, 0.7))
