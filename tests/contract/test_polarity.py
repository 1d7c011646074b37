"""A score is a similarity: larger means more alike, everywhere."""

import ast
from pathlib import Path

import numpy as np
import pytest

import kith
from kith.decisions.cosine import score_all, score_pairs
from kith.decisions.decide import compare
from kith.decisions.scoring import CLASSIFIERS
from kith.records import DecisionPolicy, Template

SOURCE = Path(kith.__file__).parent


def unit(*values: float) -> np.ndarray:
    vector = np.array(values, np.float32)
    return vector / np.linalg.norm(vector)


def test_nearer_scores_higher() -> None:
    probe, near, far = unit(1, 0), unit(1, 0.1), unit(1, 1)
    assert score_pairs(probe[None], near[None])[0] > score_pairs(probe[None], far[None])[0]
    near_score, far_score = score_all(probe[None], np.stack([near, far]))[0]
    assert near_score > far_score
    policy = DecisionPolicy(0.9, 0.0, "a test")
    assert compare(Template(probe, "m"), Template(near, "m"), policy).is_match
    assert not compare(Template(probe, "m"), Template(far, "m"), policy).is_match


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_classifiers_rank_the_nearer_class_higher(kind: str) -> None:
    X = np.stack([unit(1, 0.0), unit(1, 0.1), unit(0, 1), unit(0.1, 1)])
    scores = CLASSIFIERS[kind]().fit(X, np.array([7, 7, 9, 9])).decision_function(unit(1, 0.05)[None])
    assert scores[0, 0] > scores[0, 1]


def test_the_word_distance_names_no_score() -> None:
    for path in SOURCE.rglob("*.py"):
        if "training" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.name] if isinstance(node, ast.FunctionDef | ast.ClassDef) else []
            assert not [name for name in names if "distance" in name.lower()], path
