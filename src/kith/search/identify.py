"""Embeddings -> decisions: who is near in a gallery, is it anyone, and who?"""

from collections.abc import Mapping, Sequence

import numpy as np

from kith.decisions.calibration import IDENTIFICATION_FPIR, Calibration
from kith.decisions.decide import decide_photo
from kith.decisions.scoring import ClassifierKind, rule_for
from kith.errors import InvalidArgument, ModelMismatch
from kith.gallery import Gallery
from kith.records import Decision, Template
from kith.search.ranking import CONSIDERED, rank
from kith.search.view import view_of


def identify(
    templates: Sequence[Template],
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
        templates: Of the faces.
        gallery: Of the same model.
        calibration: Of that model.
        classifier: Who orders those who are alike enough.
        fpir: Share of strangers who may get a name.
        unfit: Faces, by position, that are not good enough to decide on, and why.
        limit: How many candidates a decision lists at most.

    Returns:
        One decision a face.

    Raises:
        ModelMismatch: A template is of another model than the gallery.
        InvalidArgument: The rate is none, or no candidate is to be listed.
        GalleryError: The gallery cannot be read.
    """
    if limit < 1:
        raise InvalidArgument(f"limit must be 1 or more, got {limit}")
    for template in templates:
        if template.model_id != gallery.model_id:
            raise ModelMismatch(
                f"{gallery.path} holds templates of {gallery.model_id}, "
                f"which cannot be compared with {template.model_id}'s"
            )
    view = view_of(gallery)
    kind = ClassifierKind(classifier)
    people, svm = view.svm() if kind is ClassifierKind.SVM else (view.people(), None)
    rule = rule_for(calibration, kind, people=len(people), references=len(people.references), fpir=fpir)
    embeddings = np.array([template.embedding for template in templates], np.float32)
    candidates = rank(embeddings, people, rule, svm=svm, count=max(limit, CONSIDERED))
    return decide_photo(candidates, rule.policy, unfit, limit=limit)
