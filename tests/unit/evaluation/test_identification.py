import numpy as np
import pytest

from kith.errors import EvaluationError
from kith.evaluation.identification import Searches, evaluate_searches
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


def test_nothing_to_search_is_told() -> None:
    empty = np.empty(0)
    with pytest.raises(EvaluationError, match="got 0 and 1"):
        evaluate_searches(
            Searches(empty, empty, empty.astype(int), np.ones(1), np.ones(1, int)), people=1, references=1
        )
