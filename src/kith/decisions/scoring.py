"""Which of the enrolled a face is likeliest to be.

Four classifiers with scikit-learn's contract: `fit(X, y)`, `decision_function(X)`, `predict(X)`,
`classes_`. A classifier always names someone; whether the face belongs to anyone at all is decided
before, by the gate in `kith.decisions.decide`, from the scores of one of the first three. What is learned is
arrays and is stored as arrays.
"""

import warnings
from enum import StrEnum
from typing import Protocol, Self

import numpy as np

from kith.decisions.calibration import CROWD
from kith.decisions.cosine import normalize
from kith.records import FloatArray, require_shape

RIVALS = 3
_AT_ONCE = 512

Arrays = dict[str, np.ndarray]


class ClassifierKind(StrEnum):
    """The classifiers there are."""

    NORMALIZED = "normalized"
    CENTROID = "centroid"
    NEAREST = "nearest"
    SVM = "svm"


class Classifier(Protocol):
    """scikit-learn's contract, and arrays in and out.

    Attributes:
        classes_: (k,) the labels seen in `fit`, sorted.
    """

    classes_: np.ndarray

    def fit(self, X: FloatArray, y: np.ndarray) -> Self:
        """Learn from embeddings (n, d) and their labels (n,)."""
        ...

    def decision_function(self, X: FloatArray) -> FloatArray:
        """How likely each class is, for embeddings (n, d): (n, k), larger is likelier."""
        ...

    def predict(self, X: FloatArray) -> np.ndarray:
        """The likeliest label of each embedding: (n,)."""
        ...

    def to_arrays(self) -> Arrays:
        """What was learned."""
        ...

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """The classifier that `to_arrays` described."""
        ...


class _Argmax:
    classes_: np.ndarray

    def decision_function(self, X: FloatArray) -> FloatArray:
        raise NotImplementedError

    def predict(self, X: FloatArray) -> np.ndarray:
        """The likeliest label of each embedding: (n,)."""
        return np.asarray(self.classes_[np.argmax(self.decision_function(X), axis=1)])


class NearestReference(_Argmax):
    """A class is as likely as its most similar reference."""

    def fit(self, X: FloatArray, y: np.ndarray) -> Self:
        """Keep embeddings (n, d) and their labels (n,)."""
        _check(X, y)
        order = np.argsort(y, kind="stable")
        self.references_ = np.asarray(X[order], np.float32)
        self.classes_, self.starts_ = np.unique(y[order], return_index=True)
        return self

    def decision_function(self, X: FloatArray) -> FloatArray:
        """Cosine to each class's most similar reference: (n, k)."""
        scores = X @ self.references_.T
        return np.asarray(np.maximum.reduceat(scores, self.starts_, axis=1), np.float32)

    def to_arrays(self) -> Arrays:
        """What was learned."""
        return {"references": self.references_, "classes": self.classes_, "starts": self.starts_}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """The classifier that `to_arrays` described."""
        self = cls()
        self.references_, self.classes_ = arrays["references"], arrays["classes"]
        self.starts_ = arrays["starts"]
        return self


class Centroid(_Argmax):
    """A class is as likely as the mean of its references is similar."""

    def fit(self, X: FloatArray, y: np.ndarray) -> Self:
        """Learn from embeddings (n, d) and their labels (n,)."""
        _check(X, y)
        self.classes_, members = np.unique(y, return_inverse=True)
        sums = np.zeros((len(self.classes_), X.shape[1]), np.float64)
        np.add.at(sums, members, X)
        self.centroids_ = normalize(sums)
        return self

    def decision_function(self, X: FloatArray) -> FloatArray:
        """Cosine to each class's centroid: (n, k)."""
        return np.asarray(X @ self.centroids_.T, np.float32)

    def to_arrays(self) -> Arrays:
        """What was learned."""
        return {"centroids": self.centroids_, "classes": self.classes_}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """The classifier that `to_arrays` described."""
        self = cls()
        self.centroids_, self.classes_ = arrays["centroids"], arrays["classes"]
        return self


class NormalizedCentroid(_Argmax):
    """The centroid's cosine plus its lead over the people who are next most alike; for a crowd.

    Some faces resemble many people, and some people many faces; in a large gallery they are the ones
    that strangers are taken for. So a person's cosine s counts together with its lead,

        s + (s - (r_face + r_person) / 2)

    where r_face is the mean cosine of the face to the `RIVALS` others most like it, and r_person that
    of the person to theirs: the adaptive symmetric normalization of speaker recognition (Matejka et
    al. 2017, https://doi.org/10.21437/Interspeech.2017-1430) without its division by the deviation,
    which lost accuracy here, and with the gallery itself as cohort, so that no stranger's data are kept.

    A gallery of fewer than `CROWD` people is no crowd: there it is `Centroid`.
    """

    def fit(self, X: FloatArray, y: np.ndarray) -> Self:
        """Learn from embeddings (n, d) and their labels (n,)."""
        plain = Centroid().fit(X, y)
        self.classes_, self.centroids_ = plain.classes_, plain.centroids_
        self.rivals_ = self._rivals_of_people()
        return self

    def decision_function(self, X: FloatArray) -> FloatArray:
        """Cosine to each class's centroid, plus its lead in a crowd: (n, k)."""
        scores = np.asarray(X @ self.centroids_.T, np.float32)
        if len(self.classes_) < CROWD:
            return scores
        return np.asarray(2 * scores - (_mean_of_rivals(scores) + self.rivals_) / 2, np.float32)

    def _rivals_of_people(self) -> FloatArray:
        """Mean cosine of each centroid to the others most like it: (k,)."""
        rivals = np.zeros(len(self.classes_), np.float32)
        if len(self.classes_) < CROWD:
            return rivals
        for start in range(0, len(rivals), _AT_ONCE):
            scores = self.centroids_[start : start + _AT_ONCE] @ self.centroids_.T
            rows = np.arange(len(scores))
            own = start + rows
            rivals[own] = _mean_of_rivals(scores)[rows, own]
        return rivals

    def to_arrays(self) -> Arrays:
        """What was learned."""
        return {"centroids": self.centroids_, "rivals": self.rivals_, "classes": self.classes_}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """The classifier that `to_arrays` described."""
        self = cls()
        self.centroids_, self.classes_ = arrays["centroids"], arrays["classes"]
        self.rivals_ = arrays["rivals"]
        return self


class LinearSVM(_Argmax):
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

    def predict_proba(self, X: FloatArray) -> FloatArray:
        """Share of each class among the enrolled: (n, k), rows sum to one."""
        return np.asarray(_softmax(self.decision_function(X) / self.temperature_), np.float32)

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
        """The classifier that `to_arrays` described."""
        self = cls()
        self.coefficients_, self.intercepts_ = arrays["coefficients"], arrays["intercepts"]
        self.temperature_, self.classes_ = float(arrays["temperature"]), arrays["classes"]
        return self


CLASSIFIERS: dict[ClassifierKind, type[Classifier]] = {
    ClassifierKind.NORMALIZED: NormalizedCentroid,
    ClassifierKind.CENTROID: Centroid,
    ClassifierKind.NEAREST: NearestReference,
    ClassifierKind.SVM: LinearSVM,
}

GATES: dict[ClassifierKind, ClassifierKind] = {
    kind: ClassifierKind.CENTROID if kind is ClassifierKind.SVM else kind for kind in ClassifierKind
}
"""Whose scores say whether a face is anyone's: an SVM's margins cannot, so another's do."""


def _mean_of_rivals(scores: np.ndarray) -> np.ndarray:
    """For each row and class, the mean of the `RIVALS` largest scores of other classes: (n, k)."""
    largest = -np.partition(-scores, RIVALS, axis=1)[:, : RIVALS + 1]
    least = largest.min(axis=1, keepdims=True)
    total = largest.sum(axis=1, keepdims=True)
    return np.asarray(np.where(scores >= least, total - scores, total - least) / RIVALS)


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
