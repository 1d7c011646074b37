"""The tutorial's linear support vector machine, with scikit-learn's contract.

It always names someone; whether a face belongs to anyone at all is decided before, see
`kith.decisions.decide`. What is learned is arrays and is stored as arrays.
"""

import warnings
from typing import Self

import numpy as np

from kith.records import FloatArray, require_shape

Arrays = dict[str, np.ndarray]


class LinearSVM:
    """The tutorial's linear support vector machine, one class against the rest.

    Its margins are calibrated by one temperature for all classes (cross-validated; Guo et al.
    2017, https://arxiv.org/abs/1706.04599), so `predict_proba` sums to one over the enrolled. It
    says nothing about strangers.

    Args:
        C: Weight of errors against the width of the margin.
    """

    def __init__(self, C: float = 1.0) -> None:
        self.C = C

    def fit(self, X: FloatArray, y: np.ndarray) -> Self:
        """Learn from embeddings (n, d) and their labels (n,); at least two classes."""
        _check(X, y)
        # here: an SVM that is fitted already needs no scikit-learn, which takes a second to import
        from sklearn.model_selection import cross_val_predict
        from sklearn.svm import LinearSVC

        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("an SVM needs at least two people")
        svm = LinearSVC(C=self.C, random_state=0)
        fewest = int(np.bincount(labels).min())
        self.temperature_ = 1.0  # a person with a single reference leaves nothing to calibrate on
        with warnings.catch_warnings():  # many people with few photos each are no regression problem
            warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
            if fewest >= 2:
                held_out = cross_val_predict(svm, X, labels, cv=min(fewest, 5), method="decision_function")
                self.temperature_ = _best_temperature(_one_column_a_class(held_out), labels)
            svm.fit(X, labels)
        self.coefficients_ = np.asarray(_one_column_a_class(svm.coef_.T).T, np.float32)
        self.intercepts_ = np.asarray(_one_column_a_class(svm.intercept_[np.newaxis])[0], np.float32)
        return self

    def decision_function(self, X: FloatArray) -> FloatArray:
        """Signed distance from each class's boundary: (n, k)."""
        return np.asarray(X @ self.coefficients_.T + self.intercepts_, np.float32)

    def predict(self, X: FloatArray) -> np.ndarray:
        """The likeliest label of each embedding: (n,)."""
        return np.asarray(self.classes_[np.argmax(self.decision_function(X), axis=1)])

    def predict_proba(self, X: FloatArray) -> FloatArray:
        """Share of each class among the enrolled: (n, k), rows sum to one."""
        return np.asarray(_softmax(self.decision_function(X) / self.temperature_), np.float32)

    def tells_apart(self, labels: np.ndarray, size: int) -> bool:
        """Whether it was fitted on exactly these labels (k,), sorted, and embeddings of this size."""
        return np.array_equal(self.classes_, labels) and self.coefficients_.shape[1] == size

    def to_arrays(self) -> Arrays:
        """What was learned."""
        return {
            "coefficients": self.coefficients_,
            "intercepts": self.intercepts_,
            "temperature": np.array(self.temperature_),
            "classes": self.classes_,
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """The classifier that `to_arrays` described.

        Raises:
            ValueError: The arrays are no SVM's.
        """
        _require_svm(arrays)
        self = cls()
        self.coefficients_, self.intercepts_ = arrays["coefficients"], arrays["intercepts"]
        self.temperature_, self.classes_ = float(arrays["temperature"]), arrays["classes"]
        return self


def _one_column_a_class(margins: np.ndarray) -> np.ndarray:
    """scikit-learn keeps one column for two classes: the second's; the first's is its negative."""
    margins = margins.reshape(len(margins), -1)
    return np.concatenate([-margins, margins], axis=1) if margins.shape[1] == 1 else margins


def _best_temperature(margins: np.ndarray, labels: np.ndarray) -> float:
    """Of a grid of temperatures, the one under which the true classes are likeliest."""
    rows = np.arange(len(labels))

    def surprise(temperature: float) -> float:
        shares = _softmax(margins / temperature)[rows, labels]
        return -float(np.log(np.maximum(shares, 1e-12)).mean())

    return float(min(np.logspace(-2, 1, 61), key=surprise))


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _check(X: FloatArray, y: np.ndarray) -> None:
    require_shape("X", X, (None, None))
    require_shape("y", y, (len(X),))
    if not len(X):
        raise ValueError("a classifier needs at least one embedding")


def _require_svm(arrays: Arrays) -> None:
    """Raise ValueError unless arrays can be those of `LinearSVM.to_arrays`; they come from a file."""
    names = {"coefficients", "intercepts", "temperature", "classes"}
    if arrays.keys() != names:
        raise ValueError(f"an SVM's arrays are {sorted(names)}, got {sorted(arrays)}")
    count, size = arrays["intercepts"].size, arrays["coefficients"].shape[-1:]
    shapes: dict[str, tuple[int, ...]] = {
        "coefficients": (count, *size),
        "intercepts": (count,),
        "classes": (count,),
    }
    for name, array in arrays.items():
        if array.shape != shapes.get(name, ()):
            raise ValueError(f"an SVM's {name} cannot have the shape {array.shape}")
        if array.dtype.kind not in "iuf" or not np.isfinite(array).all():
            raise ValueError(f"an SVM's {name} are not finite numbers")
    if count < 2 or arrays["temperature"] <= 0:
        raise ValueError("an SVM tells at least two people apart, at a temperature above 0")
