"""A model's name is that of a pair: an embedder, and the detector that finds faces for it.

An embedder with its usual detector has the embedder's name, with another one EMBEDDER+DETECTOR, such as
dlib-resnet29+yunet-s. That name is in templates and galleries, and finds what was measured of the pair: faces
that two detectors found are cut out differently, and their embeddings do not compare as well.
"""

from dataclasses import dataclass, replace

from kith.catalogue.installed import find_detector, find_embedder
from kith.catalogue.landmarks import crop_for
from kith.catalogue.spec import DetectorSpec, EmbedderSpec
from kith.errors import WeightsError

AND = "+"
"""Between the names of an embedder and a detector, in a pair's."""


@dataclass(frozen=True, slots=True)
class Pair:
    """An embedder, and the detector that finds faces for it."""

    embedder: EmbedderSpec
    detector: DetectorSpec

    @property
    def id(self) -> str:
        """The pair's name."""
        if self.detector.id == self.embedder.detector:
            return self.embedder.id
        return f"{self.embedder.id}{AND}{self.detector.id}"

    @property
    def spec(self) -> EmbedderSpec:
        """The embedder as it is used with this detector: under the pair's name, with its crop rule."""
        crop = crop_for(self.embedder.crop, self.detector.kind)
        return replace(self.embedder, id=self.id, detector=self.detector.id, crop=crop)


def find_pair(model: str | EmbedderSpec, detector_id: str = "") -> Pair:
    """The pair that is meant.

    Args:
        model: A pair's name, or an embedder that need not be installed.
        detector_id: The detector; empty for the one that the name names, or else for the embedder's usual.

    Raises:
        WeightsError: There is no such embedder or detector here, or two detectors are named.
    """
    name = model if isinstance(model, str) else model.id
    embedder_id, both, named = name.partition(AND)
    if both and detector_id not in ("", named):
        raise WeightsError(f"{name} names the detector {named}, but {detector_id} is asked for too")
    embedder = find_embedder(embedder_id) if isinstance(model, str) else model
    return Pair(embedder, find_detector(named if both else detector_id or embedder.detector))


def embedder_of(model_id: str) -> str:
    """The name of the embedder in a pair's name."""
    return model_id.partition(AND)[0]
