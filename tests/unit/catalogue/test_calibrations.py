"""Which calibration holds for a model, and what is known of one that nobody measured."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from made_up_calibration import measured_up_to

from kith.catalogue import calibrations
from kith.catalogue.calibrations import (
    IMPORTED,
    OWN,
    UNMEASURED,
    find_calibration,
    keep_calibration,
    shipped_calibration,
    unmeasured,
)
from kith.catalogue.families import FAMILIES, PublishedThreshold
from kith.decisions.calibration import Calibration
from kith.decisions.scoring import rule_for

THRESHOLDS = {name: family.threshold for name, family in FAMILIES.items() if family.threshold}


def named(name: str, people: int = 8) -> Calibration:
    return replace(measured_up_to(100), measured_on=name, people=people)


def test_of_several_the_nearest_to_the_user_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.json").write_text(named("here").to_json())
    monkeypatch.setattr(calibrations, "_shipped", lambda model_id: tmp_path / f"{model_id}.json")
    keep_calibration("mine", named("when it was trained"), IMPORTED)
    assert find_calibration("mine").measured_on == "here"
    keep_calibration("mine", named("my people"), OWN)
    assert find_calibration("mine").measured_on == "my people"
    assert find_calibration("other") == UNMEASURED
    shipped = shipped_calibration("mine")
    assert shipped is not None and shipped.measured_on == "here"
    assert shipped_calibration("other") is None


def test_another_detector_has_only_what_was_published() -> None:
    keep_calibration("mine", named("its own faces"), IMPORTED)
    assert find_calibration("mine+yunet-s") == UNMEASURED
    keep_calibration("mine", unmeasured(THRESHOLDS["arcface"]), IMPORTED)
    assert find_calibration("mine+yunet-s").to_json() == find_calibration("mine").to_json()
    keep_calibration("mine+yunet-s", named("with this detector"), OWN)
    assert find_calibration("mine+yunet-s").measured_on == "with this detector"


@pytest.mark.parametrize("family", THRESHOLDS)
def test_a_published_threshold_is_made_stricter_for_lower_rates(family: str) -> None:
    threshold = THRESHOLDS[family]
    calibration = unmeasured(threshold)
    assert calibration.comparisons.threshold(threshold.rate) == pytest.approx(threshold.score)
    policy = calibration.verification_policy()
    assert threshold.score <= policy.threshold < 0.6
    assert policy.rate == 1e-3
    assert threshold.source in policy.measured_on and policy.measured_on.startswith("no people yet: ")
    assert calibration.verification_policy(1e-6) == policy, "no lower rate is promised"
    before = policy.threshold
    for people in (10, 100, 1000):
        rule = rule_for(calibration, people=people, references=people)
        assert rule.policy.extrapolated
        assert before < rule.policy.threshold < 1
        before = rule.policy.threshold
    assert calibration.probability(0.9) == 0.5, "nothing is known of probabilities"
    written = calibration.to_json()
    assert Calibration.from_json(json.loads(written)).to_json() == written


def test_a_known_rate_of_a_normal_distribution() -> None:
    """Twice as many deviations are two of a hundred and three of a hundred thousand."""
    calibration = unmeasured(PublishedThreshold(0.2, 0.02275, "somebody"))
    assert calibration.comparisons.rate(0.4) == pytest.approx(3.17e-5, rel=0.1)


def test_where_nothing_was_published_only_what_is_equal_matches() -> None:
    assert unmeasured(None) == UNMEASURED
    assert FAMILIES["openface"].threshold is None
    assert UNMEASURED.verification_policy().threshold == 1.0
