"""The people of a gallery whom an embedding may be of, the likeliest first."""

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from kith.decisions.scoring import CLASSIFIERS, GATES, Classifier, ClassifierKind, LinearSVM
from kith.gallery import Gallery, References
from kith.records import Candidate, FloatArray, Subject


def rank(
    embeddings: FloatArray,
    gallery: Gallery,
    *,
    threshold: float,
    kind: ClassifierKind = ClassifierKind.NORMALIZED,
    limit: int = 5,
) -> list[list[Candidate]]:
    """The likeliest subjects of each embedding, each with its search score.

    Args:
        embeddings: (n, d) float32 of unit length.
        gallery: Of the same model.
        threshold: Subjects whose score reaches it come first; the classifier orders within.
        kind: The classifier.
        limit: How many candidates at most.
    """
    references = gallery.references()
    if not len(embeddings) or not len(references):
        return [[] for _ in embeddings]
    gate = _fitted(GATES[kind], gallery, references)
    scores = gate.decision_function(embeddings)
    classifier = gate if GATES[kind] is kind else _fitted(kind, gallery, references)
    likelihoods = classifier.decision_function(embeddings)
    shares = classifier.predict_proba(embeddings) if isinstance(classifier, LinearSVM) else None
    ranked = []
    for row in range(len(embeddings)):
        order = np.lexsort((-likelihoods[row], scores[row] < threshold))  # last key first
        ranked.append(
            [
                Candidate(
                    references.subjects[int(gate.classes_[column])],
                    float(scores[row, column]),
                    None if shares is None else float(shares[row, column]),
                )
                for column in order[:limit]
            ]
        )
    return ranked


@dataclass(frozen=True, slots=True)
class Lookalike:
    """Two enrolled people who may be one.

    Attributes:
        subject: One of them.
        other: The other.
        score: Mean search score of the first one's references for the other.
    """

    subject: Subject
    other: Subject
    score: float


def lookalikes(gallery: Gallery, subjects: set[int], threshold: float) -> list[Lookalike]:
    """People whose references would, on the whole, be taken for another enrolled person's; each two once.

    Args:
        gallery: Of one model.
        subjects: Ids of the people to look at, the newly enrolled for example.
        threshold: Of plain centroid scores.
    """
    references = gallery.references()
    if len(np.unique(references.subject_ids)) < 2:
        return []
    centroids = _fitted(ClassifierKind.CENTROID, gallery, references)
    found: list[Lookalike] = []
    for subject in sorted(subjects & set(references.subject_ids.tolist())):
        own = references.embeddings[references.subject_ids == subject]
        scores = centroids.decision_function(own).mean(axis=0)
        scores[centroids.classes_ == subject] = -1
        best = int(np.argmax(scores))
        other = references.subjects[int(centroids.classes_[best])]
        is_told = any(one.subject == other and one.other.id == subject for one in found)
        if scores[best] >= threshold and not is_told:
            found.append(Lookalike(references.subjects[subject], other, float(scores[best])))
    return found


_fitted_on: "WeakKeyDictionary[References, dict[ClassifierKind, Classifier]]" = WeakKeyDictionary()


def _fitted(kind: ClassifierKind, gallery: Gallery, references: References) -> Classifier:
    """A classifier fitted on the gallery as it is now; kept until that changes."""
    known = _fitted_on.setdefault(references, {})
    if kind not in known:
        known[kind] = _load_or_fit(kind, gallery, references)
    return known[kind]


def _load_or_fit(kind: ClassifierKind, gallery: Gallery, references: References) -> Classifier:
    if kind is not ClassifierKind.SVM:
        return CLASSIFIERS[kind]().fit(references.embeddings, references.subject_ids)
    if len(np.unique(references.subject_ids)) < 2:  # one person: nothing for an SVM to separate
        return _load_or_fit(GATES[kind], gallery, references)
    arrays = gallery.load_classifier(kind, references.references_revision)  # it takes long to fit
    if arrays is not None and _fits(arrays, references):
        return LinearSVM.from_arrays(arrays)
    svm = LinearSVM().fit(references.embeddings, references.subject_ids)
    gallery.save_classifier(kind, references.references_revision, svm.to_arrays())
    return svm


def _fits(arrays: dict[str, np.ndarray], references: References) -> bool:
    """Whether arrays can be an SVM's that was fitted on these references; they come from a file."""
    classes, size = np.unique(references.subject_ids), references.embeddings.shape[1]
    shapes = {
        "coefficients": (len(classes), size),
        "intercepts": (len(classes),),
        "temperature": (),
        "classes": (len(classes),),
    }
    return (
        {name: array.shape for name, array in arrays.items()} == shapes
        and all(array.dtype.kind in "iuf" and bool(np.isfinite(array).all()) for array in arrays.values())
        and bool(arrays["temperature"] > 0)
        and np.array_equal(arrays["classes"], classes)
    )
