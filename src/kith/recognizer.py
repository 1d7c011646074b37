"""READ THIS FIRST: analyze an image, and what is made of its samples: compare, verify, enroll, identify.

    image -> detect -> faces -> align -> crops -> embed -> embeddings -> assess -> samples

This is the one file that joins these stages; they do not know one another. `kith.assembly` makes its parts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from kith.alignment import align, share_inside
from kith.assembly import RecognizerSettings, assemble, recipe_of_embeddings
from kith.catalogue.builtin import DEFAULT_EMBEDDER
from kith.catalogue.spec import EmbedderSpec
from kith.decisions.calibration import IDENTIFICATION_FPIR, VERIFICATION_FMR, Calibration
from kith.decisions.decide import compare
from kith.decisions.scoring import ClassifierKind
from kith.detection import DetectionSettings, Detector, foremost_faces, main_face
from kith.embedding import Embedder
from kith.errors import AcquisitionError, LowQuality
from kith.gallery import Gallery, NewReference
from kith.images.arrays import require_crops, require_image
from kith.images.reading import content_hash
from kith.progress import SILENT, Progress
from kith.quality import Limits, QualityLimits, assess, limits_of, why_unfit
from kith.records import Comparison, Decision, Enrollment, Face, FloatArray, Image, Sample, Template
from kith.runtime.device import Device
from kith.runtime.prepare import Precision
from kith.search.identify import identify


@dataclass(eq=False)
class Recognizer:
    """A detector and an embedder, and what they are used for; safe to use from many threads.

    Make one with `Recognizer.from_pretrained`: it can be used in forked children, and be pickled. Its parts
    are a detector, an embedder with its `spec`, the `precision` of its network, and the `calibration`: what
    its scores mean. The `settings` make the same again; there are none where a part is the program's own.
    Templates and galleries that it is given are of its model.
    """

    detector: Detector
    embedder: Embedder
    spec: EmbedderSpec
    calibration: Calibration
    precision: Precision
    settings: RecognizerSettings | None = None

    @classmethod
    def from_pretrained(
        cls,
        model_id: str = DEFAULT_EMBEDDER,
        *,
        detector_id: str = "",
        detection: DetectionSettings | None = None,
        precision: Precision | str = Precision.AUTO,
        threads: int = 0,
        device: Device | str = Device.AUTO,
        progress: Progress = SILENT,
    ) -> Self:
        """Load a detector and an embedder, see `RecognizerSettings`; at first they are compiled, for seconds.

        Raises:
            WeightsError: A model cannot be had or read.
            MissingExtra: What runs networks on the device is not installed.
            DeviceError: It is, but does not work here.
        """
        settings = RecognizerSettings(model_id, detector_id, detection, precision, threads, device)
        return cls.from_settings(settings, progress=progress)

    @classmethod
    def from_settings(cls, settings: RecognizerSettings, *, progress: Progress = SILENT) -> Self:
        """The same, of settings."""
        return cls(*assemble(settings, progress))

    @property
    def model_id(self) -> str:
        """The name of embedder and detector, see `kith.catalogue.pair`; with every template and gallery."""
        return self.spec.id

    @property
    def recipe(self) -> str:
        """What makes this recognizer's embeddings: other for other numbers, see `kith.assembly`."""
        return recipe_of_embeddings(self.detector, self.spec, self.precision)

    @property
    def limits(self) -> Limits:
        """What a face must reach: other for other pairs of detector and embedder."""
        return limits_of(self.model_id, self.spec.detector)

    @property
    def threads(self) -> int:
        """How many threads it may use; 0 means one per core."""
        return self.settings.threads if self.settings else 0

    @property
    def device(self) -> Device:
        """Where its networks run; of the program's own it is taken for the processor."""
        return Device(self.settings.device) if self.settings else Device.CPU

    def __reduce__(self) -> tuple[Any, ...]:  # its settings: models are loaded again, from the cache
        if self.settings is None:
            raise TypeError("with parts of your own it cannot be pickled or copied; make one in each process")
        return type(self).from_settings, (self.settings,), {"calibration": self.calibration}

    def side_by_side(self) -> Self:
        """The same recognizer, to be used by a thread a core: a run of its networks takes one thread.

        Its samples are the same to the bit. One with parts of the program's own, or whose networks run on
        another device than the processor, is itself.
        """
        if self.settings is None or self.threads == 1 or self.device is not Device.CPU:
            return self
        twin = self.from_settings(replace(self.settings, threads=1))
        twin.calibration = self.calibration
        return twin

    def detect(self, image: Image) -> list[Face]:
        """Find the faces of an image (h, w, 3) uint8 RGB, the largest first."""
        require_image(image)
        return self.detector.detect(image)

    def align(self, image: Image, faces: Sequence[Face]) -> np.ndarray:
        """Cut faces out of their image: (n, s, s, 3) uint8 crops."""
        require_image(image)
        return align(image, faces, self.spec.crop)

    def embed(self, crops: np.ndarray) -> FloatArray:
        """Embed crops (n, s, s, 3) uint8: (n, d) float32 of unit length."""
        require_crops(crops)
        return self.embedder.embed(crops)

    def analyze(self, image: Image, faces: Sequence[Face] | None = None) -> list[Sample]:
        """Detect, align, embed and assess the faces of an image (h, w, 3) uint8 RGB, the largest first.

        Of some faces only, as `detect` found them, where `faces` names these; in their order.
        """
        faces = self.detect(image) if faces is None else faces
        crops = self.align(image, faces)
        return self.to_samples(image, faces, crops, self.embed(crops))

    def to_samples(
        self, image: Image, faces: Sequence[Face], crops: np.ndarray, embeddings: FloatArray
    ) -> list[Sample]:
        """Assess n faces of an image, of which crops (n, s, s, 3) and embeddings (n, d) were made."""
        samples = []
        for face, crop, embedding in zip(faces, crops, embeddings, strict=True):
            inside = share_inside(image, face, self.spec.crop)
            recognizability = self.calibration.recognizability(embedding)
            quality = assess(face, crop, inside=inside, recognizability=recognizability)
            samples.append(Sample(face, Template(embedding, self.model_id), quality))
        return samples

    def analyze_main(self, image: Image, limits: QualityLimits | None = None) -> Sample:
        """Analyze the one face that a photo (h, w, 3) uint8 RGB is of; others count if they reach the limits.

        Args:
            limits: What it must reach; None for what identifying it asks.

        Raises:
            AcquisitionError: It has no face, several, or none that reaches the limits.
        """
        return self.main_sample(self.analyze(image, foremost_faces(self.detect(image))), limits)

    def main_sample(self, samples: Sequence[Sample], limits: QualityLimits | None = None) -> Sample:
        """The same, of the samples of a photo's foremost faces."""
        limits = limits or self.limits.identify
        reasons = [why_unfit(sample.quality, limits) for sample in samples]
        main = main_face([sample.face for sample in samples], [not reason for reason in reasons])
        (place,) = (place for place, sample in enumerate(samples) if sample.face is main)
        if reasons[place]:
            raise LowQuality(reasons[place])
        return samples[place]

    def compare(
        self, first: Template, second: Template, *, fmr: float = VERIFICATION_FMR, prior: float = 0.5
    ) -> Comparison:
        """Decide whether two templates are of one person (1:1); InvalidArgument where a rate is none.

        Args:
            fmr: Share of pairs of different people that may match.
            prior: How likely one person is before they are compared.
        """
        return compare(first, second, self.calibration, fmr=fmr, prior=prior)

    def verify(
        self, first: Image, second: Image, *, fmr: float = VERIFICATION_FMR, prior: float = 0.5
    ) -> Comparison:
        """The same of two photos (h, w, 3) uint8 RGB, each of one main face.

        Raises:
            AcquisitionError: A photo has no face, several, or one that is not good enough.
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
        """Add the main face of a photo (h, w, 3) uint8 RGB to a person's references.

        Args:
            name: The person's name; a new person is made if no one has it.
            source: Where the photo is, for people to read and for re-embedding.
            file_hash: SHA-256 of the photo's file, in hexadecimal, where the image is of one.

        Raises:
            AcquisitionError: As `analyze_main`, at stricter limits.
            GalleryError: The gallery refused; as where the photo is enrolled already.
        """
        samples = self.analyze(image, foremost_faces(self.detect(image)))
        pixels_hash = content_hash(image)
        return self.enroll_samples(name, samples, gallery, pixels_hash, source=source, file_hash=file_hash)

    def enroll_samples(
        self,
        name: str,
        samples: Sequence[Sample],
        gallery: Gallery,
        pixels_hash: str,
        *,
        source: str = "",
        file_hash: str = "",
    ) -> Enrollment:
        """The same, of the samples of the photo's foremost faces, and the `content_hash` of its pixels."""
        sample = self.main_sample(samples, self.limits.enroll)
        new = NewReference(sample.template, sample.face, source, pixels_hash, file_hash)
        subject = gallery.enroll(name, [new])
        return Enrollment(subject, why_unfit(sample.quality, self.limits.good), sample.face.turned)

    def identify(
        self,
        image: Image,
        gallery: Gallery,
        *,
        classifier: ClassifierKind | str = ClassifierKind.NORMALIZED,
        fpir: float = IDENTIFICATION_FPIR,
        limit: int = 5,
    ) -> list[tuple[Face, Decision]]:
        """Say whose the faces of a photo (h, w, 3) uint8 RGB are, largest first, or unknown (1:N, open set).

        First a face must be alike enough to someone; only then the classifier says whose it is.

        Args:
            classifier: Who decides: "normalized", "centroid", "nearest" or "svm".
            fpir: Share of strangers who may get a name.
            limit: How many candidates a decision lists at most; what is decided does not depend on it.
        """
        samples = self.analyze(image)
        decisions = self.identify_samples(samples, gallery, classifier=classifier, fpir=fpir, limit=limit)
        return [(sample.face, decision) for sample, decision in zip(samples, decisions, strict=True)]

    def identify_samples(
        self,
        samples: Sequence[Sample],
        gallery: Gallery,
        *,
        classifier: ClassifierKind | str = ClassifierKind.NORMALIZED,
        fpir: float = IDENTIFICATION_FPIR,
        limit: int = 5,
    ) -> list[Decision]:
        """The same, of the samples of one photo: a decision each."""
        templates = [sample.template for sample in samples]
        reasons = [why_unfit(sample.quality, self.limits.identify) for sample in samples]
        unfit = {number: reason for number, reason in enumerate(reasons) if reason}
        return identify(
            templates, gallery, self.calibration, classifier=classifier, fpir=fpir, unfit=unfit, limit=limit
        )
