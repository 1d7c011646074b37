import numpy as np
import pytest

from kith.decisions.scoring import Centroid
from kith.errors import EvaluationError
from kith.evaluation.identification import Searches, evaluate_searches, growth_of_fpir, search
from kith.evaluation.open_set import draw_open_set


def faces(people: int, photos: int, noise: float = 0.25, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    centres = random.standard_normal((people, 16))
    X = np.repeat(centres, photos, axis=0) + noise * 4 * random.standard_normal((people * photos, 16))
    return (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float32), np.repeat(
        np.arange(people), photos
    )


def test_the_protocol_shares_no_photo_and_no_stranger() -> None:
    _, subjects = faces(30, 4)
    protocol = draw_open_set(subjects, people=12, references=2, strangers=10, seed=3)
    enrolled = set(subjects[protocol.references].tolist())
    assert len(enrolled) == 12
    assert (np.bincount(subjects[protocol.references])[sorted(enrolled)] == 2).all()
    assert set(subjects[protocol.mated].tolist()) == enrolled
    assert len(protocol.mated) == 12 * 2
    assert not set(protocol.mated.tolist()) & set(protocol.references.tolist())
    strangers = subjects[protocol.strangers].tolist()
    assert len(strangers) == len(set(strangers)) == 10
    assert not enrolled & set(strangers)


def test_too_few_people_are_told() -> None:
    _, subjects = faces(5, 2)
    with pytest.raises(EvaluationError, match="5 people have more than 1 photos with a face; 6 were"):
        draw_open_set(subjects, people=6, references=1)
    with pytest.raises(EvaluationError, match="no one is left as a stranger"):
        draw_open_set(subjects, people=5, references=1)


def test_rates_equal_a_plain_loop() -> None:
    X, subjects = faces(40, 5, noise=0.35)
    protocol = draw_open_set(subjects, people=20, references=2)
    searches = search(Centroid(), X, subjects, protocol)
    result = evaluate_searches(searches, people=20, references=40, fpirs=(0.1, 0.02, 0.001), replicates=5)
    classifier = Centroid().fit(X[protocol.references], subjects[protocol.references])
    of_strangers = classifier.decision_function(
        X[protocol.strangers]
    )  # at once: one by one differs in the last digit
    best_of_strangers = sorted((max(row) for row in of_strangers), reverse=True)
    ranks, best = [], []
    of_mated = classifier.decision_function(X[protocol.mated])
    for one, scores in zip(protocol.mated, of_mated, strict=True):
        own = scores[classifier.classes_.tolist().index(subjects[one])]
        ranks.append(sum(score >= own for score in scores))
        best.append(max(scores))
    for rank, found in result.ranks.items():
        assert found.value == pytest.approx(np.mean([r <= rank for r in ranks]))
    assert result.cmc.tolist() == pytest.approx([np.mean([r <= k for r in ranks]) for k in range(1, 21)])
    assert set(result.fnir_at_fpir) == {0.1, 0.02}
    assert result.too_low == (0.001,)
    for fpir, fnir in result.fnir_at_fpir.items():
        limit = best_of_strangers[int(fpir * len(best_of_strangers))]
        missed = [rank != 1 or score <= limit for rank, score in zip(ranks, best, strict=True)]
        assert fnir.value == pytest.approx(np.mean(missed))
        assert fnir.low <= fnir.value <= fnir.high
        named = np.mean([score >= result.threshold_at_fpir[fpir] for score in best_of_strangers])
        assert named <= fpir


def test_ties_count_against_us() -> None:
    X = np.eye(4, dtype=np.float32)
    same = np.stack([X[0], X[1], X[0] + X[1], X[2]])
    same /= np.linalg.norm(same, axis=1, keepdims=True)
    subjects = np.array([0, 1, 0, 2])
    from kith.evaluation.open_set import OpenSetProtocol

    protocol = OpenSetProtocol(np.array([0, 1]), np.array([2]), np.array([3]))
    assert search(Centroid(), same, subjects, protocol).rank.tolist() == [2]


def test_a_photo_without_a_face_is_an_error_for_the_enrolled_and_none_for_a_stranger() -> None:
    X, subjects = faces(20, 3, noise=0.05)
    protocol = draw_open_set(subjects, people=10, references=1)
    X[protocol.mated[:5]] = 0
    X[protocol.strangers] = 0
    searches = search(Centroid(), X, subjects, protocol)
    assert (searches.rank[:5] == 0).all()
    result = evaluate_searches(searches, people=10, references=10, threshold=0.5, replicates=5)
    assert result.ranks[1].value == pytest.approx(15 / 20)
    assert result.at_policy is not None
    assert result.at_policy.fpir.value == 0


def test_growth_is_measured_and_predicted() -> None:
    X, subjects = faces(120, 2, noise=0.3)
    protocol = draw_open_set(subjects, people=60, references=1)
    growth = growth_of_fpir(Centroid, X, subjects, protocol, 0.6)
    sizes = [point.people for point in growth]
    assert sizes[:4] == [10, 20, 50, 60]
    measured = [point.fpir for point in growth[:4]]
    assert measured == sorted(measured)
    assert growth[3].predicted == pytest.approx(measured[-1])
    assert np.isnan(growth[-1].fpir)
    assert growth[-1].predicted > growth[3].predicted


def test_nothing_to_search_is_told() -> None:
    empty = np.empty(0)
    with pytest.raises(EvaluationError, match="got 0 and 1"):
        evaluate_searches(
            Searches(empty, empty, empty.astype(int), np.ones(1), np.ones(1, int)), people=1, references=1
        )
