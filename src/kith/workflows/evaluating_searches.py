"""How often searches are wrong (1:N, open set): some people are enrolled, everyone is searched."""

from dataclasses import dataclass

import numpy as np

from kith.decisions.calibration import Calibration, Scorer
from kith.decisions.scoring import ClassifierKind, Rule, rule_for
from kith.decisions.svm import LinearSVM
from kith.errors import EvaluationError, InvalidArgument
from kith.evaluation.identification import (
    GALLERY_SIZES,
    Growth,
    IdentificationResult,
    Searches,
    evaluate_searches,
    grow,
)
from kith.evaluation.labelled import LabelledPhotos
from kith.evaluation.open_set import OpenSetProtocol, draw_open_set
from kith.records import FloatArray
from kith.search.people import People
from kith.search.ranking import find, search
from kith.workflows.acquiring import Acquired

_LISTED = 50  # candidates of each search: a person who comes later was not found
_NEVER = np.float32(-3)  # below all evidence: no threshold lets it through


@dataclass(frozen=True, slots=True, eq=False)
class Identified:
    """An evaluation of searches, with all it was made of.

    Attributes:
        people: The photos, and whom each shows.
        acquired: Their embeddings.
        protocol: Who is enrolled and who is searched.
        rule: How was searched and decided.
        result: The figures.
        growth: What becomes of a fixed threshold as the gallery grows.
    """

    people: LabelledPhotos
    acquired: Acquired
    protocol: OpenSetProtocol
    rule: Rule
    result: IdentificationResult
    growth: tuple[Growth, ...]


def draw_searches(
    labelled: LabelledPhotos,
    *,
    people: int | None = None,
    references: int = 1,
    strangers: int | None = None,
    seed: int = 0,
) -> OpenSetProtocol:
    """Who is enrolled and who is searched.

    Args:
        labelled: The photos.
        people: How many to enroll; half of those with enough photos by default.
        references: Photos to enroll of each.
        strangers: How many strangers at most, one photo each; all photos of all others by default.
        seed: Of the draws.

    Raises:
        EvaluationError: Too few people have enough photos, or nobody is left as a stranger.
        InvalidArgument: Fewer than two people, one reference or one stranger are asked for.
    """
    asked = {"people": (people, 2), "references": (references, 1), "strangers": (strangers, 1)}
    for name, (number, least) in asked.items():
        if number is not None and number < least:
            raise InvalidArgument(f"{name} must be {least} or more, got {number}")
    able = int(np.sum(np.bincount(labelled.subjects) > references))
    if able < 2:
        raise EvaluationError(
            f"{able} people have more than {references} photos; at least two must, to be enrolled "
            "and searched"
        )
    wanted = people or (able + 1) // 2
    return draw_open_set(
        labelled.subjects, people=wanted, references=references, strangers=strangers, seed=seed
    )


def evaluate_identification(
    calibration: Calibration,
    labelled: LabelledPhotos,
    acquired: Acquired,
    protocol: OpenSetProtocol,
    classifier: ClassifierKind | str = ClassifierKind.NORMALIZED,
) -> Identified:
    """Enroll and search as `Recognizer.identify` does, and measure.

    Args:
        calibration: Of the model.
        labelled: The photos.
        acquired: What the model made of them.
        protocol: Who is enrolled and who is searched.
        classifier: Who decides.

    Raises:
        EvaluationError: Fewer than two of the enrolled gave a face.
    """
    embeddings, subjects = acquired.embeddings, labelled.subjects
    rule, searches = search_protocol(calibration, embeddings, subjects, protocol, classifier)
    result = evaluate_searches(
        searches,
        people=len(np.unique(subjects[protocol.references])),
        references=len(protocol.references),
        threshold=rule.policy.threshold,
    )
    growth = growth_of_fpir(calibration, embeddings, subjects, protocol)
    return Identified(labelled, acquired, protocol, rule, result, growth)


def search_protocol(
    calibration: Calibration,
    embeddings: FloatArray,
    subjects: np.ndarray,
    protocol: OpenSetProtocol,
    classifier: ClassifierKind | str = ClassifierKind.NORMALIZED,
) -> tuple[Rule, Searches]:
    """Enroll and search by a protocol; a row of zeros is a photo without a face: never found, never named.

    Args:
        calibration: Of the model.
        embeddings: (n, d) of unit length, or zero.
        subjects: (n,) int, whom each shows.
        protocol: Who is enrolled and who is searched.
        classifier: Who decides.

    Raises:
        EvaluationError: Fewer than two of the enrolled gave a face.
    """
    people = _enroll(embeddings, subjects, protocol)
    rule = rule_for(calibration, classifier, people=len(people), references=len(people.references))
    svm = LinearSVM().fit(people.references, people.owners) if rule.classifier is ClassifierKind.SVM else None
    acquired = np.any(embeddings, axis=1)
    mated, strangers = (
        search(embeddings[rows], people, rule, svm=svm, count=_LISTED)
        for rows in (protocol.mated, protocol.strangers)
    )
    is_own = people.ids[mated.positions] == subjects[protocol.mated][:, np.newaxis]
    return rule, Searches(
        best=np.where(acquired[protocol.mated], mated.evidence[:, 0], _NEVER),
        rank=np.where(is_own.any(axis=1) & acquired[protocol.mated], is_own.argmax(axis=1) + 1, 0),
        subjects=subjects[protocol.mated],
        strangers=np.where(acquired[protocol.strangers], strangers.evidence[:, 0], _NEVER),
        stranger_subjects=subjects[protocol.strangers],
    )


def growth_of_fpir(
    calibration: Calibration,
    embeddings: FloatArray,
    subjects: np.ndarray,
    protocol: OpenSetProtocol,
    *,
    seed: int = 0,
) -> tuple[Growth, ...]:
    """How many strangers a fixed threshold of plain cosines names as more people are enrolled.

    Args:
        calibration: Of the model; the threshold is the one for all who are enrolled.
        embeddings: (n, d) of unit length, or zero.
        subjects: (n,) int.
        protocol: With all the people to enroll.
        seed: Of the order in which people are enrolled.
    """
    everyone = _enroll(embeddings, subjects, protocol)
    threshold = rule_for(
        calibration, ClassifierKind.CENTROID, people=len(everyone), references=len(everyone.references)
    ).policy.threshold
    strangers = embeddings[protocol.strangers]
    strangers = strangers[np.any(strangers, axis=1)]
    order = np.random.default_rng(seed).permutation(everyone.ids)
    sizes = [size for size in GALLERY_SIZES if size < len(order)] + [len(order)]
    fpirs = []
    for size in sizes:
        inside = np.isin(everyone.owners, order[:size])
        some = People.of(everyone.references[inside], everyone.owners[inside])
        best = find(strangers, some, Scorer.CENTROID, count=1).cosines
        fpirs.append(float(np.mean(best >= threshold)) if len(best) else 0.0)
    return grow(sizes, fpirs)


def _enroll(embeddings: FloatArray, subjects: np.ndarray, protocol: OpenSetProtocol) -> People:
    """The enrolled of a protocol whose photos gave a face."""
    references = protocol.references[np.any(embeddings[protocol.references], axis=1)]
    people = People.of(embeddings[references], subjects[references])
    if len(people) < 2:
        raise EvaluationError("needs at least two enrolled people whose photos have a face")
    return people
