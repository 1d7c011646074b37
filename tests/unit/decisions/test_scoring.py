import numpy as np
import pytest
from sklearn.svm import LinearSVC

from kith.decisions.calibration import CROWD
from kith.decisions.scoring import (
    CLASSIFIERS,
    RIVALS,
    Centroid,
    ClassifierKind,
    LinearSVM,
    NearestReference,
    NormalizedCentroid,
)


def people(count: int, photos: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings around one direction per person, in shuffled order, with labels that have gaps."""
    random = np.random.default_rng(seed)
    centres = random.standard_normal((count, 16))
    X = np.repeat(centres, photos, axis=0) + 0.3 * random.standard_normal((count * photos, 16))
    X = (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float32)
    y = np.repeat(np.arange(count) * 3 + 5, photos)
    order = random.permutation(len(y))
    return X[order], y[order]


@pytest.mark.parametrize("kind", CLASSIFIERS)
@pytest.mark.parametrize(("count", "photos"), [(2, 1), (2, 6), (7, 1), (7, 4)])
def test_contract(kind: ClassifierKind, count: int, photos: int) -> None:
    X, y = people(count, photos)
    classifier = CLASSIFIERS[kind]()
    assert classifier.fit(X, y) is classifier
    assert classifier.classes_.tolist() == sorted(set(y.tolist()))
    scores = classifier.decision_function(X)
    assert scores.shape == (len(X), count)
    assert (classifier.predict(X) == classifier.classes_[scores.argmax(axis=1)]).all()
    assert np.mean(classifier.predict(X) == y) > 0.95


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_arrays_are_all_that_is_learned(kind: ClassifierKind) -> None:
    X, y = people(5, 3)
    classifier = CLASSIFIERS[kind]().fit(X, y)
    arrays = classifier.to_arrays()
    assert all(array.dtype != object for array in arrays.values())
    again = CLASSIFIERS[kind].from_arrays(arrays)
    assert (again.decision_function(X) == classifier.decision_function(X)).all()
    assert (again.predict(X) == classifier.predict(X)).all()


def test_nearest_equals_a_plain_loop() -> None:
    X, y = people(4, 3)
    scores = NearestReference().fit(X, y).decision_function(X)
    for row, probe in enumerate(X):
        for column, label in enumerate(sorted(set(y.tolist()))):
            expected = max(
                float(probe @ reference) for reference, of in zip(X, y, strict=True) if of == label
            )
            assert scores[row, column] == pytest.approx(expected, abs=1e-6)


def test_centroid_is_the_mean_direction() -> None:
    X, y = people(3, 5)
    centroid = X[y == 5].mean(axis=0)
    expected = X @ (centroid / np.linalg.norm(centroid))
    np.testing.assert_allclose(Centroid().fit(X, y).decision_function(X)[:, 0], expected, atol=1e-6)


def test_svm_decides_like_scikit_learns() -> None:
    X, y = people(4, 5)
    expected = LinearSVC(random_state=0).fit(X, y).decision_function(X)
    np.testing.assert_allclose(LinearSVM().fit(X, y).decision_function(X), expected, atol=1e-5)


@pytest.mark.parametrize("count", [2, 5])
def test_svm_shares_sum_to_one_and_follow_the_decision(count: int) -> None:
    X, y = people(count, 6)
    svm = LinearSVM().fit(X, y)
    shares = svm.predict_proba(X)
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-5)
    assert (shares.argmax(axis=1) == svm.decision_function(X).argmax(axis=1)).all()


def test_an_svm_of_one_person_is_refused() -> None:
    with pytest.raises(ValueError, match="at least two people"):
        LinearSVM().fit(np.eye(3, dtype=np.float32), np.array([1, 1, 1]))


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_nothing_to_learn_from_is_refused(kind: ClassifierKind) -> None:
    with pytest.raises(ValueError, match="at least one embedding"):
        CLASSIFIERS[kind]().fit(np.zeros((0, 3), np.float32), np.zeros(0))


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_labels_of_another_length_are_refused(kind: ClassifierKind) -> None:
    with pytest.raises(ValueError, match=r"y must have shape \(3\)"):
        CLASSIFIERS[kind]().fit(np.eye(3, dtype=np.float32), np.array([1, 2]))


def test_in_a_crowd_a_score_is_the_cosine_plus_its_lead() -> None:
    X, y = people(CROWD, 2)
    probes = people(20, 1, seed=9)[0]
    plain = Centroid().fit(X, y)
    scores = NormalizedCentroid().fit(X, y).decision_function(probes)
    cosines = plain.decision_function(probes)
    among = plain.centroids_ @ plain.centroids_.T

    def mean_of_rivals(row: np.ndarray, column: int) -> float:
        others = sorted((float(score) for place, score in enumerate(row) if place != column), reverse=True)
        return sum(others[:RIVALS]) / RIVALS

    for row in range(len(probes)):
        for column in range(0, CROWD, 7):
            rivals = mean_of_rivals(cosines[row], column) + mean_of_rivals(among[column], column)
            expected = cosines[row, column] + cosines[row, column] - rivals / 2
            assert scores[row, column] == pytest.approx(expected, abs=1e-5)


def test_few_people_are_no_crowd() -> None:
    X, y = people(CROWD - 1, 2)
    plain, normalized = (kind().fit(X, y).decision_function(X) for kind in (Centroid, NormalizedCentroid))
    assert (plain == normalized).all()


def test_ties_among_rivals_do_not_matter() -> None:
    X = np.zeros((CROWD, 4), np.float32)
    X[:, 0] = 1
    scores = NormalizedCentroid().fit(X, np.arange(CROWD)).decision_function(X[:3])
    np.testing.assert_allclose(scores, 1, atol=1e-6)
