"""A score is a similarity: larger means more alike, everywhere."""

import ast
from pathlib import Path

import numpy as np
import pytest
from made_up_calibration import calibration_of

import kith
from kith.decisions.cosine import score_all, score_pairs
from kith.decisions.decide import compare
from kith.decisions.scoring import ClassifierKind, rule_for
from kith.decisions.svm import LinearSVM
from kith.records import Template
from kith.search.people import People
from kith.search.ranking import rank

SOURCE = Path(kith.__file__).parent


def unit(*values: float) -> np.ndarray:
    vector = np.array(values, np.float32)
    return vector / np.linalg.norm(vector)


def test_nearer_scores_higher() -> None:
    probe, near, far = unit(1, 0), unit(1, 0.1), unit(1, 1)
    assert score_pairs(probe[None], near[None])[0] > score_pairs(probe[None], far[None])[0]
    near_score, far_score = score_all(probe[None], np.stack([near, far]))[0]
    assert near_score > far_score
    assert compare(Template(probe, "m"), Template(near, "m"), calibration_of(), fmr=1e-4).is_match
    assert not compare(Template(probe, "m"), Template(far, "m"), calibration_of(), fmr=1e-4).is_match


@pytest.mark.parametrize("kind", ClassifierKind)
def test_searches_find_the_nearer_person_first(kind: ClassifierKind) -> None:
    X = np.stack([unit(1, 0.0), unit(1, 0.1), unit(0, 1), unit(0.1, 1)])
    people = People.of(X, np.array([7, 7, 9, 9]))
    svm = LinearSVM().fit(people.references, people.owners) if kind is ClassifierKind.SVM else None
    rule = rule_for(calibration_of(), kind, people=2, references=4)
    (candidates,) = rank(unit(1, 0.05)[None], people, rule, svm=svm)
    assert [candidate.subject.id for candidate in candidates] == [7, 9]
    assert candidates[0].score > candidates[1].score
    assert candidates[0].fpir <= candidates[1].fpir


def test_the_word_distance_names_no_score() -> None:
    for path in SOURCE.rglob("*.py"):
        if "training" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.name] if isinstance(node, ast.FunctionDef | ast.ClassDef) else []
            assert not [name for name in names if "distance" in name.lower()], path
