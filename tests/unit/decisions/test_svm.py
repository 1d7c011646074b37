import numpy as np
import pytest
from sklearn.svm import LinearSVC

from kith.decisions.svm import LinearSVM


def people(count: int, photos: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings around one direction per person, in shuffled order, with labels that have gaps."""
    random = np.random.default_rng(seed)
    centres = random.standard_normal((count, 16))
    X = np.repeat(centres, photos, axis=0) + 0.3 * random.standard_normal((count * photos, 16))
    X = (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float32)
    y = np.repeat(np.arange(count) * 3 + 5, photos)
    order = random.permutation(len(y))
    return X[order], y[order]


@pytest.mark.parametrize(("count", "photos"), [(2, 1), (2, 6), (7, 1), (7, 4)])
def test_contract(count: int, photos: int) -> None:
    X, y = people(count, photos)
    svm = LinearSVM()
    assert svm.fit(X, y) is svm
    assert svm.classes_.tolist() == sorted(set(y.tolist()))
    scores = svm.decision_function(X)
    assert scores.shape == (len(X), count)
    assert (svm.predict(X) == svm.classes_[scores.argmax(axis=1)]).all()
    assert np.mean(svm.predict(X) == y) > 0.95


def test_it_decides_like_scikit_learns() -> None:
    X, y = people(4, 5)
    expected = LinearSVC(random_state=0).fit(X, y).decision_function(X)
    np.testing.assert_allclose(LinearSVM().fit(X, y).decision_function(X), expected, atol=1e-5)


@pytest.mark.parametrize("count", [2, 5])
def test_shares_sum_to_one_and_follow_the_decision(count: int) -> None:
    X, y = people(count, 6)
    svm = LinearSVM().fit(X, y)
    shares = svm.predict_proba(X)
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-5)
    assert (shares.argmax(axis=1) == svm.decision_function(X).argmax(axis=1)).all()


def test_one_person_is_refused() -> None:
    with pytest.raises(ValueError, match="at least two people"):
        LinearSVM().fit(np.eye(3, dtype=np.float32), np.array([1, 1, 1]))


def test_nothing_to_learn_from_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one embedding"):
        LinearSVM().fit(np.zeros((0, 3), np.float32), np.zeros(0))


def test_labels_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match=r"y must have shape \(3\)"):
        LinearSVM().fit(np.eye(3, dtype=np.float32), np.array([1, 2]))


def test_arrays_are_all_that_is_learned() -> None:
    X, y = people(5, 3)
    svm = LinearSVM().fit(X, y)
    arrays = svm.to_arrays()
    assert all(array.dtype != object for array in arrays.values())
    again = LinearSVM.from_arrays(arrays)
    assert (again.decision_function(X) == svm.decision_function(X)).all()
    assert (again.predict_proba(X) == svm.predict_proba(X)).all()
    assert again.tells_apart(np.unique(y), 16)
    assert not again.tells_apart(np.unique(y), 17)
    assert not again.tells_apart(np.unique(y) + 1, 16)


@pytest.mark.parametrize(
    "changed",
    [
        {"coefficients": None},
        {"more": np.zeros(1)},
        {"coefficients": np.zeros((5, 16, 2))},
        {"coefficients": np.zeros(())},
        {"coefficients": np.zeros((4, 16))},
        {"classes": np.arange(4)},
        {"intercepts": np.full(5, np.nan)},
        {"intercepts": np.array(list("abcde"))},
        {"temperature": np.array(0.0)},
        {"temperature": np.ones(2)},
    ],
)
def test_arrays_of_another_layout_are_refused(changed: dict[str, np.ndarray | None]) -> None:
    arrays = LinearSVM().fit(*people(5, 3)).to_arrays() | changed
    with pytest.raises(ValueError, match="an SVM"):
        LinearSVM.from_arrays({name: array for name, array in arrays.items() if array is not None})
