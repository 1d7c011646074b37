from dataclasses import replace

import numpy as np
import pytest
from made_up_calibration import TAIL, calibration_of, measured_up_to, typical_faces

from kith.decisions.calibration import Scorer
from kith.decisions.cohort import NEAREST
from kith.decisions.inflation import Inflation
from kith.decisions.scoring import SHARE, ClassifierKind, evidence, near_others, rule_for
from kith.decisions.tail import SearchTails
from kith.errors import InvalidArgument
from kith.records import Measure


def test_evidence_equals_a_plain_loop() -> None:
    random = np.random.default_rng(0)
    cosines = random.uniform(-1, 1, (4, 9)).astype(np.float32)
    of_people = random.uniform(-1, 1, (4, 9)).astype(np.float32)
    typical = random.uniform(-1, 1, (4, 5)).astype(np.float32)
    of_faces = near_others(cosines, np.concatenate([cosines, typical], axis=1))
    found = evidence(cosines, of_faces, of_people, 0.3)
    for row in range(4):
        for column in range(9):
            others = [float(s) for place, s in enumerate(cosines[row]) if place != column]
            nearest = sorted([*others, *map(float, typical[row])], reverse=True)[:NEAREST]
            near = (sum(nearest) / NEAREST + float(of_people[row, column])) / 2
            expected = float(cosines[row, column]) - SHARE * (near - 0.3)
            assert found[row, column] == pytest.approx(expected, abs=1e-5)


def test_a_rule_is_read_at_the_size_of_the_gallery() -> None:
    calibration = measured_up_to(400)
    for people in (1, 50, 400):
        policy = rule_for(calibration, people=people, references=3 * people, fpir=0.01).policy
        assert (policy.measure, policy.rate, policy.people) == (Measure.FPIR, 0.01, people)
        assert policy.threshold == pytest.approx(TAIL.threshold(1 - 0.99 ** (1 / people)), abs=0.02)
        assert not policy.extrapolated


def test_people_are_counted_not_their_photos_unless_each_photo_is_compared() -> None:
    calibration = measured_up_to(400)

    def threshold(kind: str, references: int) -> float:
        return rule_for(calibration, kind, people=10, references=references).policy.threshold

    for kind in ("normalized", "centroid", "svm"):
        assert threshold(kind, 10) == threshold(kind, 300)
    assert threshold("nearest", 10) < threshold("nearest", 300)


def test_beyond_the_largest_gallery_that_was_measured_a_rate_is_extrapolated() -> None:
    calibration = measured_up_to(400)
    within, beyond = (
        rule_for(calibration, people=people, references=people, fpir=0.01).policy for people in (400, 401)
    )
    assert (within.extrapolated, beyond.extrapolated) == (False, True)
    assert within.lowest == pytest.approx(1 - (1 - 1e-5) ** 400)
    assert beyond.lowest == 1.0, "nothing was measured there"
    huge = rule_for(calibration, people=100_000, references=100_000, fpir=0.01).policy
    assert huge.extrapolated
    assert huge.threshold > beyond.threshold > within.threshold


def test_a_rate_lower_than_the_data_can_show_is_extrapolated() -> None:
    policy = rule_for(measured_up_to(10), people=1, references=1, fpir=1e-6).policy
    assert (policy.extrapolated, policy.lowest) == (True, pytest.approx(1e-5))


def test_where_searches_were_never_measured_comparisons_count() -> None:
    rule = rule_for(calibration_of(), people=5000, references=5000, fpir=0.01)
    assert rule.policy.extrapolated
    assert rule.policy.threshold == pytest.approx(TAIL.of_many(5000).threshold(0.01))


def test_only_for_the_normalized_scorer_it_counts_who_else_is_near() -> None:
    calibration = measured_up_to(400, cohort=typical_faces(8))
    cohorts = {
        kind: len(rule_for(calibration, kind, people=9, references=9).cohort) for kind in ClassifierKind
    }
    assert cohorts == {"normalized": 20, "centroid": 0, "nearest": 0, "svm": 20}


def test_what_nobody_was_measured_for_is_extrapolated() -> None:
    """As a threshold that was published, which is of somebody else's people."""
    for people, expected in ((9, False), (0, True)):
        calibration = replace(measured_up_to(400), people=people)
        assert calibration.verification_policy().extrapolated is expected
        assert rule_for(calibration, people=10, references=10, fpir=0.01).policy.extrapolated is expected


def test_more_references_than_were_measured_are_extrapolated() -> None:
    measured = dict.fromkeys(Scorer, Inflation((1, 3), (0.0, 0.1)))
    calibration = replace(measured_up_to(400), inflation=measured)
    said = [
        rule_for(calibration, people=10, references=10 * each, fpir=0.01).policy.extrapolated
        for each in (1, 3, 4)
    ]
    assert said == [False, False, True]


def test_each_scorer_has_the_rates_that_were_measured_of_it() -> None:
    higher = replace(TAIL, thresholds=tuple(one + 0.05 for one in TAIL.thresholds))
    calibration = calibration_of(
        searches={
            Scorer.NORMALIZED: SearchTails((1,), (TAIL,)),
            Scorer.CENTROID: SearchTails((1,), (higher,)),
            Scorer.NEAREST: SearchTails((1,), (higher,)),
        }
    )
    found = [rule_for(calibration, kind, people=1, references=1).policy.threshold for kind in ClassifierKind]
    plain = TAIL.threshold(0.003)
    assert found == pytest.approx([plain, plain + 0.05, plain + 0.05, plain])


@pytest.mark.parametrize("fpir", [0, 1, -0.5, 2, float("nan"), float("inf")])
def test_what_is_no_rate_is_refused(fpir: float) -> None:
    with pytest.raises(InvalidArgument, match="fpir must lie between 0 and 1"):
        rule_for(calibration_of(), people=1, references=1, fpir=fpir)
