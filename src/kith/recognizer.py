"""READ THIS FIRST: detect, align, embed, compare, and what is made of them.

    image -> detect -> faces -> align -> crops -> embed -> embeddings -> compare -> decision

This is the one file that joins the stages; the stages do not know one another.
"""

import hashlib
from collections.abc import Sequence
from functools import partial
from typing import Any, Self

import numpy as np

from kith.alignment import align
from kith.catalogue.builtin import DEFAULT_DETECTOR, DEFAULT_EMBEDDER
from kith.catalogue.calibrations import find_calibration
from kith.catalogue.installed import find_embedder
from kith.catalogue.spec import EmbedderSpec
from kith.decisions.calibration import IDENTIFICATION_FPIR, VERIFICATION_FMR, Calibration
from kith.decisions.decide import compare
from kith.decisions.scoring import ClassifierKind
from kith.detection import MTCNN, Detector, main_face
from kith.detection.mtcnn import DetectionSettings
from kith.embedding import Embedder, views_of
from kith.errors import AcquisitionError, InvalidArgument, LowQuality
from kith.gallery import Gallery, NewReference
from kith.images.arrays import require_crops, require_image
from kith.images.reading import content_hash, load_image
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
from kith.runtime.prepare import Precision, prepare, prepare_int8
from kith.runtime.workshop import workshop
from kith.sample_people import photos as sample_photos
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
        self._settings: dict[str, Any] | None = None  # of `from_spec`, to make it again in another process

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
        return cls.from_spec(
            find_embedder(model_id),
            detector_id=detector_id,
            detection=detection,
            precision=precision,
            threads=threads,
            progress=progress,
        )

    @classmethod
    @workshop()  # one for all that must be made
    def from_spec(
        cls,
        spec: EmbedderSpec,
        *,
        detector_id: str = DEFAULT_DETECTOR,
        detection: DetectionSettings | None = None,
        precision: Precision | str = Precision.AUTO,
        threads: int = 0,
        progress: Progress = SILENT,
    ) -> Self:
        """The same, of an embedder that need not be installed."""
        precision = Precision(precision)
        if precision is Precision.AUTO:
            precision = Precision.INT8 if spec.int8 else Precision.FLOAT32
        detector = MTCNN.from_pretrained(detector_id, detection, threads=threads, progress=progress)
        if precision is Precision.INT8:
            network = prepare_int8(
                spec.weights,
                lambda: _calibration(detector, spec),
                inputs_key=_calibration_key(spec),
                threads=threads,
                progress=progress,
            )
        else:
            network = prepare(spec.weights, threads=threads, progress=progress)
        embedder = Embedder(
            network,
            crop_size=spec.crop.size,
            input_size=spec.input_size,
            embedding_size=spec.embedding_size,
            pixels=spec.pixels,
            mirrored=spec.mirrored,
        )
        recognizer = cls(detector, embedder, spec, find_calibration(spec.id), precision)
        recognizer._settings = {
            "detector_id": detector_id,
            "detection": detection,
            "precision": precision,
            "threads": threads,
        }
        return recognizer

    @property
    def model_id(self) -> str:
        """The embedder's name, stored with every template and every gallery."""
        return self.spec.id

    @property
    def fingerprint(self) -> str:
        """What makes this recognizer's embeddings: other for other numbers."""
        made_by = hashlib.sha256(_preprocessing(self.spec) + self._detector.recipe.encode()).hexdigest()
        return f"{self.model_id} {self.spec.weights.sha256[:16]} {made_by[:8]} {self.precision}"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and copy it as what it was made of: models are loaded again, from the cache.

        Raises:
            TypeError: It has a detector or an embedder of the program's own.
        """
        if self._settings is None:
            raise TypeError(
                "a Recognizer with a detector or an embedder of your own cannot be pickled or copied; "
                "make one in each process"
            )
        return (
            partial(type(self).from_spec, self.spec, **self._settings),
            (),
            {"calibration": self.calibration},
        )

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


def _calibration(detector: Detector, spec: EmbedderSpec) -> FloatArray:
    """Real inputs of an embedder: the sample people's faces, again with twice their contrast, mirrored too
    where it sees mirror images."""
    crops: list[np.ndarray] = []
    for photo in sample_photos():
        image = load_image(photo)
        crops.extend(align(image, detector.detect(image)[:1], spec.crop))
    # blended faces have less contrast than photos: their ranges alone would cut off what photos reach
    crops += [_with_twice_the_contrast(crop) for crop in crops]
    views = views_of(np.stack(crops), spec.input_size, spec.pixels, mirrored=spec.mirrored)
    return np.stack(list(views), axis=1).reshape(-1, spec.input_size, spec.input_size, 3)


def _with_twice_the_contrast(crop: np.ndarray) -> np.ndarray:
    values = crop.astype(np.float32)
    return np.asarray(np.clip(2 * values - values.mean(), 0, 255), np.uint8)


def _calibration_key(spec: EmbedderSpec) -> str:
    """Other when other photos, or other views of them, calibrate."""
    digest = hashlib.sha256(_preprocessing(spec))
    for photo in sample_photos():
        digest.update(photo.read_bytes())
    return digest.hexdigest()


def _preprocessing(spec: EmbedderSpec) -> bytes:
    """All that is done to a face before the network."""
    return repr((spec.crop, spec.pixels, spec.input_size, spec.mirrored)).encode()
