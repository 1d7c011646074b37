"""READ THIS FIRST: detect, align, embed, compare, and what is made of them.

    image -> detect -> faces -> align -> crops -> embed -> embeddings -> compare -> decision

This is the one file that joins the stages; the stages do not know one another.
"""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from kith.alignment import align
from kith.assembly import RecognizerSettings, assemble, recipe_of_embeddings
from kith.catalogue.builtin import DEFAULT_DETECTOR, DEFAULT_EMBEDDER
from kith.catalogue.spec import EmbedderSpec
from kith.decisions.calibration import IDENTIFICATION_FPIR, VERIFICATION_FMR, Calibration
from kith.decisions.decide import compare
from kith.decisions.scoring import ClassifierKind
from kith.detection import DetectionSettings, Detector, main_face
from kith.embedding import Embedder
from kith.errors import AcquisitionError, InvalidArgument, LowQuality
from kith.gallery import Gallery, NewReference
from kith.images.arrays import require_crops, require_image
from kith.images.reading import content_hash
from kith.progress import SILENT, Progress
from kith.quality import ENROLL_LIMITS, GOOD_LIMITS, IDENTIFY_LIMITS, QualityLimits, assess, why_unfit
from kith.records import (
    Comparison,
    Decision,
    Enrollment,
    Face,
    FloatArray,
    Image,
    Sample,
    Template,
)
from kith.runtime.prepare import Precision
from kith.search.identify import identify


class Recognizer:
    """A detector and an embedder, and what they are used for; safe to use from many threads.

    Make one with `Recognizer.from_pretrained`. Such a one can be used in forked children, and be pickled.

    Args:
        detector: Finds faces.
        embedder: Embeds crops.
        spec: The embedder's preprocessing.
        calibration: What its scores mean.
        precision: How its network computes.
    """

    def __init__(
        self,
        detector: Detector,
        embedder: Embedder,
        spec: EmbedderSpec,
        calibration: Calibration,
        precision: Precision,
    ) -> None:
        self.spec = spec
        self.calibration = calibration
        self.precision = precision
        self._detector = detector
        self._embedder = embedder
        self.settings: RecognizerSettings | None = None  # those it was made of, if it was

    @classmethod
    def from_pretrained(
        cls,
        model_id: str = DEFAULT_EMBEDDER,
        *,
        detector_id: str = DEFAULT_DETECTOR,
        detection: DetectionSettings | None = None,
        precision: Precision | str = Precision.AUTO,
        threads: int = 0,
        progress: Progress = SILENT,
    ) -> Self:
        """Load a detector and an embedder; the first time they are compiled, which takes seconds.

        Args:
            model_id: The embedder, of `kith models list`.
            detector_id: The detector.
            detection: What the detector looks for.
            precision: "float32", "int8", or "auto": int8 where that keeps the embeddings.
            threads: How many threads one run may use; 0 means one per core.
            progress: Told what is being done while models are compiled.

        Raises:
            WeightsError: A model cannot be had or read.
        """
        settings = RecognizerSettings(
            model_id, detector_id, detection or DetectionSettings(), precision, threads
        )
        return cls.from_settings(settings, progress=progress)

    @classmethod
    def from_settings(cls, settings: RecognizerSettings, *, progress: Progress = SILENT) -> Self:
        """The same, of settings."""
        parts = assemble(settings, progress)
        recognizer = cls(parts.detector, parts.embedder, parts.spec, parts.calibration, parts.precision)
        recognizer.settings = parts.settings
        return recognizer

    @property
    def model_id(self) -> str:
        """The embedder's name, stored with every template and every gallery."""
        return self.spec.id

    @property
    def recipe(self) -> str:
        """What makes this recognizer's embeddings: other for other numbers, see `kith.assembly`."""
        return recipe_of_embeddings(self._detector, self.spec, self.precision)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and copy its settings: models are loaded again, from the cache.

        Raises:
            TypeError: It has a detector or an embedder of the program's own.
        """
        if self.settings is None:
            raise TypeError(
                "a Recognizer with a detector or an embedder of your own cannot be pickled or copied; "
                "make one in each process"
            )
        return type(self).from_settings, (self.settings,), {"calibration": self.calibration}

    def detect(self, image: Image) -> list[Face]:
        """Find the faces of an image (h, w, 3) uint8 RGB, the largest first."""
        require_image(image)
        return self._detector.detect(image)

    def align(self, image: Image, faces: Sequence[Face]) -> np.ndarray:
        """Cut faces out of their image: (n, s, s, 3) uint8 crops."""
        require_image(image)
        return align(image, faces, self.spec.crop)

    def embed(self, crops: np.ndarray) -> FloatArray:
        """Embed crops (n, s, s, 3) uint8: (n, d) float32 of unit length."""
        require_crops(crops)
        return self._embedder.embed(crops)

    def analyze(self, image: Image, faces: Sequence[Face] | None = None) -> list[Sample]:
        """Detect, align, embed and assess the faces of an image, the largest first.

        Args:
            image: (h, w, 3) uint8 RGB.
            faces: Some of its faces, where only these are wanted; as `detect` found them.

        Returns:
            A sample of each face, in the faces' order.
        """
        if faces is None:
            faces = self.detect(image)
        crops = self.align(image, faces)
        embeddings = self.embed(crops)
        return [
            self._sample(face, crop, embedding)
            for face, crop, embedding in zip(faces, crops, embeddings, strict=True)
        ]

    def _sample(self, face: Face, crop: np.ndarray, embedding: FloatArray) -> Sample:
        quality = assess(face, crop, self.calibration.recognizability(embedding))
        return Sample(face, Template(embedding, self.model_id), quality)

    def analyze_main(self, image: Image, limits: QualityLimits = IDENTIFY_LIMITS) -> Sample:
        """Analyze the face that a photo is of.

        Args:
            image: (h, w, 3) uint8 RGB.
            limits: What the face must reach.

        Raises:
            NoFaceFound: There is none.
            SeveralFacesFound: Several are of similar size.
            LowQuality: It is not good enough.
        """
        (sample,) = self.analyze(image, [main_face(self.detect(image))])
        if reason := why_unfit(sample.quality, limits):
            raise LowQuality(reason)
        return sample

    def compare(
        self, first: Template, second: Template, *, fmr: float = VERIFICATION_FMR, prior: float = 0.5
    ) -> Comparison:
        """Decide whether two templates are of one person (1:1).

        Args:
            first: Of this recognizer's model.
            second: The same.
            fmr: Share of pairs of different people that may match.
            prior: How likely one person is before the two are compared.

        Raises:
            InvalidArgument: The rate or the prior is none.
        """
        return compare(first, second, self.calibration, fmr=fmr, prior=prior)

    def verify(
        self, first: Image, second: Image, *, fmr: float = VERIFICATION_FMR, prior: float = 0.5
    ) -> Comparison:
        """Decide whether two photos, each of one main face, are of one person (1:1).

        Args:
            first: (h, w, 3) uint8 RGB.
            second: The same.
            fmr: Share of pairs of different people that may match.
            prior: How likely one person is before the photos are seen.

        Raises:
            AcquisitionError: A photo has no face, several, or one that is not good enough.
            InvalidArgument: The rate or the prior is none.
        """
        templates = []
        for position, image in (("first", first), ("second", second)):
            require_image(image, f"{position} image")
            try:
                templates.append(self.analyze_main(image).template)
            except AcquisitionError as error:
                raise type(error)(f"{position} photo: {error}") from None
        return self.compare(*templates, fmr=fmr, prior=prior)

    def enroll(
        self, name: str, image: Image, gallery: Gallery, *, source: str = "", file_hash: str = ""
    ) -> Enrollment:
        """Add the main face of a photo to a person's references.

        Args:
            name: The person's name; a new person is made if no one has it.
            image: (h, w, 3) uint8 RGB.
            gallery: Of this recognizer's model.
            source: Where the photo is, for people to read and for re-embedding.
            file_hash: SHA-256 of the photo's file, in hexadecimal, where the image is of one.

        Raises:
            AcquisitionError: The photo has no face, several, or one that is not good enough.
            DuplicateReference: The photo is enrolled already.
            GalleryError: The gallery refused.
        """
        sample = self.analyze_main(image, ENROLL_LIMITS)
        reference = NewReference(sample.template, sample.face, source, content_hash(image), file_hash)
        subject = gallery.enroll(name, [reference])
        return Enrollment(subject, why_unfit(sample.quality, GOOD_LIMITS), sample.face.turned)

    def identify(
        self,
        image: Image,
        gallery: Gallery,
        *,
        classifier: ClassifierKind | str = ClassifierKind.NORMALIZED,
        fpir: float = IDENTIFICATION_FPIR,
        limit: int = 5,
    ) -> list[tuple[Face, Decision]]:
        """Say whose the faces of a photo are, and of whom it is unknown (1:N, open set).

        First a face must be similar enough to someone (what that is was measured on strangers, for a
        gallery of this size); only then the classifier says whose it is. Nobody is twice in one photo.

        Args:
            image: (h, w, 3) uint8 RGB.
            gallery: Of this recognizer's model.
            classifier: Who decides: "normalized", "centroid", "nearest" or "svm".
            fpir: Share of strangers who may get a name.
            limit: How many candidates a decision lists at most; what is decided does not depend on it.

        Returns:
            Each face with its decision, the largest face first.

        Raises:
            InvalidArgument: The rate is none, or no candidate is to be listed.
        """
        if limit < 1:
            raise InvalidArgument(f"limit must be 1 or more, got {limit}")
        samples = self.analyze(image)
        reasons = [why_unfit(sample.quality, IDENTIFY_LIMITS) for sample in samples]
        decisions = identify(
            [sample.template for sample in samples],
            gallery,
            self.calibration,
            classifier=classifier,
            fpir=fpir,
            unfit={number: reason for number, reason in enumerate(reasons) if reason},
            limit=limit,
        )
        return [(sample.face, decision) for sample, decision in zip(samples, decisions, strict=True)]
