"""READ THIS FIRST: detect, align, embed, compare, and what is made of them.

    image -> detect -> faces -> align -> crops -> embed -> embeddings -> compare -> decision

This is the one file that joins the stages; the stages do not know one another.
"""

import hashlib
from typing import Self
from weakref import WeakKeyDictionary

import numpy as np

from kith.alignment import align
from kith.classification import CLASSIFIERS, Classifier, ClassifierKind, LinearSVM, NearestReference
from kith.comparison import compare, decide_photo
from kith.detection import MTCNN, Detector, main_face
from kith.detection.mtcnn import DetectionSettings
from kith.embedding import Embedder, views_of
from kith.errors import AcquisitionError, LowQuality
from kith.gallery import Gallery, NewReference, References
from kith.images import content_hash, load_image
from kith.quality import ENROLL_LIMITS, IDENTIFY_LIMITS, QualityLimits, assess, why_unfit
from kith.records import Candidate, Comparison, Decision, Face, FloatArray, Image, Subject, Template
from kith.runtime.prepare import Notify, Precision, prepare, prepare_int8
from kith.sample_people import photos as sample_photos
from kith.weights.catalogue import (
    DEFAULT_DETECTOR,
    DEFAULT_EMBEDDER,
    EmbedderSpec,
)
from kith.weights.installed import find_embedder


class Recognizer:
    """A detector and an embedder, and what they are used for; safe to use from many threads.

    Make one with `Recognizer.from_pretrained`.

    Args:
        detector: Finds faces.
        embedder: Embeds crops.
        spec: The embedder's preprocessing and policies.
    """

    def __init__(self, detector: Detector, embedder: Embedder, spec: EmbedderSpec) -> None:
        self.spec = spec
        self._detector = detector
        self._embedder = embedder

    @classmethod
    def from_pretrained(
        cls,
        model_id: str = DEFAULT_EMBEDDER,
        *,
        detector_id: str = DEFAULT_DETECTOR,
        detection: DetectionSettings | None = None,
        precision: Precision | str = Precision.AUTO,
        threads: int = 0,
        notify: Notify | None = None,
    ) -> Self:
        """Load a detector and an embedder; the first time they are compiled, which takes seconds.

        Args:
            model_id: The embedder, of `kith models list`.
            detector_id: The detector.
            detection: What the detector looks for.
            precision: "float32", "int8", or "auto": int8 where that keeps the embeddings.
            threads: How many threads one run may use; 0 means one per core.
            notify: Told what is being done while models are compiled.

        Raises:
            WeightsError: A model cannot be had or read.
        """
        return cls.from_spec(
            find_embedder(model_id),
            detector_id=detector_id,
            detection=detection,
            precision=precision,
            threads=threads,
            notify=notify,
        )

    @classmethod
    def from_spec(
        cls,
        spec: EmbedderSpec,
        *,
        detector_id: str = DEFAULT_DETECTOR,
        detection: DetectionSettings | None = None,
        precision: Precision | str = Precision.AUTO,
        threads: int = 0,
        notify: Notify | None = None,
    ) -> Self:
        """The same, of an embedder that need not be installed."""
        wanted = Precision(precision)
        detector = MTCNN.from_pretrained(detector_id, detection, threads=threads, notify=notify)
        if wanted is Precision.INT8 or (wanted is Precision.AUTO and spec.int8):
            network = prepare_int8(
                spec.weights,
                lambda: _calibration(detector, spec),
                inputs_key=_calibration_key(spec),
                threads=threads,
                notify=notify,
            )
        else:
            network = prepare(spec.weights, threads=threads, notify=notify)
        embedder = Embedder(
            network,
            crop_size=spec.crop.size,
            input_size=spec.input_size,
            embedding_size=spec.embedding_size,
            pixels=spec.pixels,
            looks=spec.looks,
        )
        return cls(detector, embedder, spec)

    @property
    def model_id(self) -> str:
        """The embedder's name, stored with every template and every gallery."""
        return self.spec.id

    def detect(self, image: Image) -> list[Face]:
        """Find the faces of an image (h, w, 3) uint8 RGB, the largest first."""
        return self._detector.detect(image)

    def align(self, image: Image, faces: list[Face]) -> np.ndarray:
        """Cut faces out of their image: (n, s, s, 3) uint8 crops."""
        return align(image, faces, self.spec.crop)

    def embed(self, crops: np.ndarray) -> FloatArray:
        """Embed crops (n, s, s, 3) uint8: (n, d) float32 of unit length."""
        return self._embedder.embed(crops)

    def template(self, embedding: FloatArray) -> Template:
        """An embedding (d,) of this recognizer, with its model's name."""
        return Template(embedding, self.model_id)

    def extract(self, image: Image) -> list[tuple[Face, Template]]:
        """Every face of an image with its template, the largest first."""
        faces = self.detect(image)
        embeddings = self.embed(self.align(image, faces))
        return [(face, self.template(embedding)) for face, embedding in zip(faces, embeddings, strict=True)]

    def extract_main(self, image: Image, limits: QualityLimits = IDENTIFY_LIMITS) -> tuple[Face, Template]:
        """The face a photo is of, with its template.

        Raises:
            NoFaceFound: There is none.
            SeveralFacesFound: Several are of similar size.
            LowQuality: It falls short of the limits.
        """
        face = main_face(self.detect(image))
        crops = self.align(image, [face])
        reason = why_unfit(assess(face, crops[0]), limits)
        if reason:
            raise LowQuality(reason)
        return face, self.template(self.embed(crops)[0])

    def compare(self, first: Template, second: Template) -> Comparison:
        """Decide whether two templates are of one person (1:1)."""
        return compare(first, second, self.spec.policy)

    def verify(self, first: Image, second: Image) -> Comparison:
        """Decide whether two photos, each of one main face, are of one person (1:1).

        Raises:
            AcquisitionError: A photo has no face, several, or one that is not good enough.
        """
        templates = []
        for position, image in (("first", first), ("second", second)):
            try:
                templates.append(self.extract_main(image)[1])
            except AcquisitionError as error:
                raise type(error)(f"{position} photo: {error}") from None
        return self.compare(*templates)

    def enroll(self, name: str, image: Image, gallery: Gallery, *, source: str = "") -> Subject:
        """Add the main face of a photo to a person's references.

        Args:
            name: The person's name; a new person is made if no one has it.
            image: (h, w, 3) uint8 RGB.
            gallery: Of this recognizer's model.
            source: Where the photo is, for people to read and for re-embedding.

        Raises:
            AcquisitionError: The photo has no face, several, or one that is not good enough.
            DuplicateReference: The photo is enrolled already.
            GalleryError: The gallery refused.
        """
        face, template = self.extract_main(image, ENROLL_LIMITS)
        return gallery.enroll(name, [NewReference(template, face, source, content_hash(image))])

    def identify(
        self,
        image: Image,
        gallery: Gallery,
        *,
        classifier: ClassifierKind | str = ClassifierKind.NEAREST,
        limit: int = 5,
    ) -> list[tuple[Face, Decision]]:
        """Say whose the faces of a photo are, and of whom it is unknown (1:N, open set).

        First a face must be similar enough to some reference (the policy's threshold was set from
        strangers); only then the classifier says whose it is. Nobody is twice in one photo.

        Args:
            image: (h, w, 3) uint8 RGB.
            gallery: Of this recognizer's model.
            classifier: Who decides among the similar ones: "nearest", "centroid" or "svm".
            limit: How many candidates a decision lists at most.

        Returns:
            Each face with its decision, the largest face first.
        """
        faces = self.detect(image)
        crops = self.align(image, faces)
        unfit = {
            index: reason
            for index, (face, crop) in enumerate(zip(faces, crops, strict=True))
            if (reason := why_unfit(assess(face, crop), IDENTIFY_LIMITS))
        }
        policy = self.spec.identification_policy
        candidates = rank(
            self.embed(crops),
            gallery,
            threshold=policy.threshold,
            kind=ClassifierKind(classifier),
            limit=limit,
        )
        decisions = decide_photo(candidates, policy, unfit)
        return list(zip(faces, decisions, strict=True))


def rank(
    embeddings: FloatArray,
    gallery: Gallery,
    *,
    threshold: float,
    kind: ClassifierKind = ClassifierKind.NEAREST,
    limit: int = 5,
) -> list[list[Candidate]]:
    """The likeliest subjects of each embedding, each with its best comparison score.

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
    nearest = _nearest(references)
    scores = nearest.decision_function(embeddings)
    classifier = nearest if kind is ClassifierKind.NEAREST else _fitted(kind, gallery, references)
    likelihoods = classifier.decision_function(embeddings)
    shares = classifier.predict_proba(embeddings) if isinstance(classifier, LinearSVM) else None
    ranked = []
    for row in range(len(embeddings)):
        order = np.lexsort((-likelihoods[row], scores[row] < threshold))  # last key first
        ranked.append(
            [
                Candidate(
                    references.subjects[int(nearest.classes_[column])],
                    float(scores[row, column]),
                    None if shares is None else float(shares[row, column]),
                )
                for column in order[:limit]
            ]
        )
    return ranked


_nearest_of: "WeakKeyDictionary[References, NearestReference]" = WeakKeyDictionary()


def _nearest(references: References) -> NearestReference:
    """The nearest-reference classifier of these references, made once."""
    if references not in _nearest_of:
        _nearest_of[references] = NearestReference().fit(references.embeddings, references.subject_ids)
    return _nearest_of[references]


def _fitted(kind: ClassifierKind, gallery: Gallery, references: References) -> Classifier:
    """A classifier fitted on the gallery as it is now; kept in the gallery until that changes."""
    if kind is ClassifierKind.SVM and len(np.unique(references.subject_ids)) < 2:
        return _nearest(references)  # one person: nothing for an SVM to separate
    arrays = gallery.load_classifier(kind, references.revision)
    if arrays is not None:
        return CLASSIFIERS[kind].from_arrays(arrays)
    classifier = CLASSIFIERS[kind]().fit(references.embeddings, references.subject_ids)
    gallery.save_classifier(kind, references.revision, classifier.to_arrays())
    return classifier


def _calibration(detector: Detector, spec: EmbedderSpec) -> FloatArray:
    """Real inputs of an embedder: every look at the sample people's faces."""
    crops: list[np.ndarray] = []
    for photo in sample_photos():
        image = load_image(photo)
        crops.extend(align(image, detector.detect(image)[:1], spec.crop))
    views = views_of(np.stack(crops), spec.looks, spec.input_size, spec.pixels)
    return np.stack(list(views), axis=1).reshape(-1, spec.input_size, spec.input_size, 3)


def _calibration_key(spec: EmbedderSpec) -> str:
    """Other when other photos, or other looks at them, calibrate."""
    digest = hashlib.sha256(repr((spec.crop, spec.pixels, spec.input_size, spec.looks)).encode())
    for photo in sample_photos():
        digest.update(photo.read_bytes())
    return digest.hexdigest()
