"""Embeddings -> decisions: who is near in a gallery, is it anyone, and who?"""

from collections.abc import Mapping

from kith.decisions.calibration import IDENTIFICATION_FPIR, Calibration
from kith.decisions.decide import decide_photo
from kith.decisions.scoring import ClassifierKind, rule_for
from kith.gallery import Gallery
from kith.records import Decision, FloatArray
from kith.search.ranking import CONSIDERED, rank
from kith.search.view import view_of


def identify(
    embeddings: FloatArray,
    gallery: Gallery,
    calibration: Calibration,
    *,
    classifier: ClassifierKind | str = ClassifierKind.NORMALIZED,
    fpir: float = IDENTIFICATION_FPIR,
    unfit: Mapping[int, str] | None = None,
    limit: int = 5,
) -> list[Decision]:
    """Decide whose the faces of one photo are (1:N, open set); nobody is there twice.

    Args:
        embeddings: (n, d) float32 of unit length.
        gallery: Of the same model.
        calibration: Of that model.
        classifier: Who orders those who are alike enough.
        fpir: Share of strangers who may get a name.
        unfit: Faces, by position, that are not good enough to decide on, and why.
        limit: How many candidates a decision lists at most.

    Returns:
        One decision a face.

    Raises:
        InvalidArgument: The rate is none.
        GalleryError: The gallery cannot be read.
    """
    view = view_of(gallery)
    kind = ClassifierKind(classifier)
    people, svm = view.svm() if kind is ClassifierKind.SVM else (view.people(), None)
    rule = rule_for(calibration, kind, people=len(people), references=len(people.references), fpir=fpir)
    candidates = rank(embeddings, people, rule, svm=svm, count=max(limit, CONSIDERED))
    return decide_photo(candidates, rule.policy, unfit, limit=limit)
