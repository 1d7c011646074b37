"""Calibrations as files, those of the version before included."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_up_calibration import calibration_of, measured_up_to

from kith.catalogue.calibrations import read_calibration
from kith.decisions.calibration import VERSION, Calibration, Scorer
from kith.decisions.scoring import rule_for
from kith.errors import InvalidArgument, UnsupportedFile

BEFORE = Path(__file__).parents[2] / "data" / "of-version-1"


def threshold(calibration: Calibration, people: int, fpir: float = 0.003) -> float:
    return rule_for(calibration, people=people, references=3 * people, fpir=fpir).policy.threshold


@pytest.mark.parametrize("calibration", [calibration_of(), measured_up_to(400)])
def test_what_is_written_is_read(calibration: Calibration) -> None:
    content = json.loads(calibration.to_json())
    assert content["version"] == VERSION
    found = Calibration.from_json(content)
    assert (
        rule_for(found, people=50, references=50).policy
        == rule_for(calibration, people=50, references=50).policy
    )
    assert found.to_json() == calibration.to_json()


def test_the_models_calibration_of_before_says_what_it_said() -> None:
    """The figures are those that the version before printed of the same file."""
    found = read_calibration(BEFORE / "default-calibration.json")
    assert found.verification_policy().threshold == pytest.approx(0.92765)
    assert [threshold(found, people) for people in (1, 100, 400)] == pytest.approx(
        [0.92924, 0.95415, 0.95924], abs=1e-5
    )
    assert threshold(found, 1, fpir=0.01) == pytest.approx(0.92, abs=1e-5)
    assert threshold(found, 20) == pytest.approx(0.94688, abs=0.002), "between measured sizes lie lines"
    assert 0.95415 < threshold(found, 200) < 0.95924, "where another lead counted, cosines are compared"
    assert threshold(found, 1000) > 0.95924
    assert found.probability(0.93) == pytest.approx(0.9794775878699379)
    assert found.recognizability(np.eye(128, dtype=np.float32)[0]) == pytest.approx(11.07910848455848)


def test_a_users_own_calibration_of_before_says_what_it_said() -> None:
    found = read_calibration(BEFORE / "own-calibration.json")
    assert found.searches == {}
    assert (found.verification_policy().threshold, found.verification_policy().rate) == (
        pytest.approx(0.91495),
        0.01,
    )
    said = [threshold(found, people) for people in (1, 20, 100, 1000)]
    assert said == pytest.approx([0.92042, 0.93403, 0.94134, 0.95181], abs=1e-5)
    assert found.probability(0.93) == pytest.approx(0.7133231369008908)
    assert rule_for(found, people=20, references=20).policy.extrapolated


def damaged(**changed: Any) -> dict[str, Any]:
    return json.loads(measured_up_to(10).to_json()) | changed


@pytest.mark.parametrize(
    "content",
    [
        damaged(version=99),
        damaged(version="2"),
        damaged(scores=[0.5]),
        damaged(searches={"normalized": []}),
        damaged(searches={"unheard of": []}),
        damaged(searches={"normalized": [{"size": 2, "rates": [0.1, 0.01], "thresholds": [0.1, 0.2]}]}),
        damaged(comparisons={"rates": [0.1, 0.2], "thresholds": [0.1, 0.2]}),
        damaged(comparisons=None),
        [],
        "calibration",
    ],
)
def test_what_is_damaged_or_of_a_later_version_is_refused_in_one_line(
    content: object, tmp_path: Path
) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(json.dumps(content))
    with pytest.raises(UnsupportedFile) as told:
        read_calibration(path)
    assert str(path) in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("prior", [0, 1, -1, float("nan")])
def test_a_prior_is_a_probability(prior: float) -> None:
    with pytest.raises(InvalidArgument, match="prior must lie between 0 and 1"):
        calibration_of().probability(0.5, prior)


def test_a_scorer_has_a_name_in_the_file() -> None:
    assert set(json.loads(measured_up_to(10).to_json())["searches"]) == {str(scorer) for scorer in Scorer}
