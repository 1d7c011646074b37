"""The records that flow between the stages; all of them are immutable."""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
Image = NDArray[np.uint8]
"""(h, w, 3) uint8, RGB."""


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A face in an image, in that image's pixels.

    Attributes:
        box: (4,) float32: x1, y1, x2, y2; may reach past the image's edge.
        landmarks: (5, 2) float32: eye, eye, nose, mouth corner, mouth corner; of each two first the one
            that is left where the face is seen upright. They lie turned where the face does.
        detection_score: The detector's confidence, 0 to 1.
        uprightness: How sure it is that the face is upright where its eyes are above its mouth, and does not
            lie in another quarter turn, 0 to 1; 1 where that was not asked.
    """

    box: FloatArray
    landmarks: FloatArray
    detection_score: float
    uprightness: float = 1.0

    def __post_init__(self) -> None:
        require_shape("box", self.box, (4,))
        require_shape("landmarks", self.landmarks, (5, 2))

    @property
    def width(self) -> float:
        """Width of the box in pixels."""
        return float(self.box[2] - self.box[0])

    @property
    def height(self) -> float:
        """Height of the box in pixels."""
        return float(self.box[3] - self.box[1])

    @property
    def roll(self) -> float:
        """How far the face lies turned clockwise in its image, in degrees, above -180 to 180."""
        x, y = self.landmarks[3:].mean(axis=0) - self.landmarks[:2].mean(axis=0)
        return math.degrees(math.atan2(-x, y)) if x or y else 0.0

    @property
    def turned(self) -> int:
        """The same to the nearest quarter turn: 0, 90, 180 or 270 degrees clockwise."""
        return round(self.roll / 90) % 4 * 90


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """What is stored and compared of a face: its embedding, and the model it belongs to.

    Attributes:
        embedding: (d,) float32 of unit length.
        model_id: The model that made it; templates of different models do not compare.
    """

    embedding: FloatArray
    model_id: str

    def __post_init__(self) -> None:
        if self.embedding.ndim != 1:
            raise ValueError(f"embedding must have one dimension, got shape {self.embedding.shape}")


@dataclass(frozen=True, slots=True)
class Quality:
    """What can be measured of a face.

    Attributes:
        eye_distance: Between the eyes, in pixels of the image.
        yaw: How far it looks to the side, in degrees, see `kith.pose`; negative to the left in the image.
        inside: The share of the crop that is from inside the image, 0 to 1.
        sharpness: Of the middle of the crop at 40 pixels, the standard deviation of its Laplacian over that
            of its gray values.
        brightness: Mean gray value of the crop, 0 to 1.
        detection_score: The detector's confidence, 0 to 1.
        uprightness: How sure it is that the face does not lie in another quarter turn, 0 to 1.
        recognizability: How far the embedding lies from those of faces too coarse to recognize: 0 is
            there, 1 as far as a usual face (Deng et al. 2023, https://arxiv.org/abs/2106.04112).
    """

    eye_distance: float
    yaw: float
    inside: float
    sharpness: float
    brightness: float
    detection_score: float
    uprightness: float
    recognizability: float


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A face with all that is known of it without a gallery."""

    face: Face
    template: Template
    quality: Quality


@dataclass(frozen=True, slots=True)
class Subject:
    """An enrolled person: `id` never changes, `name` is what people see."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Enrollment:
    """A reference that was added.

    Attributes:
        subject: Whose it is.
        weakness: Why it is not a good one, in a few words; empty if it is.
        turned: How far its photo lies turned clockwise, in degrees: 0, 90, 180 or 270.
    """

    subject: Subject
    weakness: str = ""
    turned: int = 0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A subject the face may belong to.

    Attributes:
        subject: The enrolled person.
        score: The cosine to the person's references, -1 to 1.
        fpir: What the score means in this gallery: the share of strangers of whom someone enrolled would
            seem as alike. The rule of identification is `fpir <= policy.rate`.
        probability: The SVM's calibrated share among the enrolled, or None for other classifiers.
            It says which of the enrolled is likeliest, never whether the face is enrolled at all.
    """

    subject: Subject
    score: float
    fpir: float
    probability: float | None = None


class Outcome(StrEnum):
    """What is decided of a comparison or of a face."""

    MATCH = "match"
    NON_MATCH = "non_match"
    UNKNOWN = "unknown"
    AMBIGUOUS = "ambiguous"
    LOW_QUALITY = "low_quality"


class Measure(StrEnum):
    """The error rate that a policy promises."""

    FMR = "fmr"
    FPIR = "fpir"


@dataclass(frozen=True, slots=True)
class Policy:
    """What decides: a threshold together with the error rate it stands for.

    Attributes:
        measure: FMR, the false match rate of comparing two faces (1:1), or FPIR, the share of strangers
            who get a name in a search (1:N).
        rate: That rate.
        threshold: What reaches it matches: of two faces their score, in a search what
            `kith.decisions.scoring` makes of the scores.
        measured_on: The data the rate was measured on.
        people: How many people are searched; 1 where two faces are compared.
        lowest: The lowest rate that the data could show here.
        extrapolated: Whether the rate is lower, or the gallery larger, than the data could show.
        group: The group of people for whom the rate is worst, and holds.
        rates: Each group, and its rate at this threshold.
    """

    measure: Measure
    rate: float
    threshold: float
    measured_on: str
    people: int = 1
    lowest: float = 0.0
    extrapolated: bool = False
    group: str = ""
    rates: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.rate <= 1:
            raise ValueError(f"a policy's rate must lie between 0 and 1, got {self.rate}")


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two faces compared (1:1).

    Attributes:
        score: Cosine similarity, -1 to 1.
        outcome: MATCH or NON_MATCH.
        policy: The policy that decided.
        fmr: What the score means: the share of pairs of different people that score as high.
        probability: That the two are one person, if that was as likely as not before they were compared.
    """

    score: float
    outcome: Outcome
    policy: Policy
    fmr: float
    probability: float

    @property
    def is_match(self) -> bool:
        """Whether the two faces are taken for the same person's."""
        return self.outcome is Outcome.MATCH


@dataclass(frozen=True, slots=True)
class Decision:
    """What is said of one face searched in a gallery (1:N).

    Attributes:
        outcome: MATCH, UNKNOWN, AMBIGUOUS or LOW_QUALITY.
        candidates: The likeliest subjects, best first; empty if the gallery is.
        policy: The policy that decided.
        reason: A few words where the outcome is not MATCH.
    """

    outcome: Outcome
    candidates: tuple[Candidate, ...]
    policy: Policy
    reason: str = ""

    @property
    def subject(self) -> Subject | None:
        """The person the face is taken for, or None."""
        return self.candidates[0].subject if self.outcome is Outcome.MATCH else None

    @property
    def score(self) -> float | None:
        """The best candidate's score, or None if there is none."""
        return self.candidates[0].score if self.candidates else None


def require_shape(name: str, array: np.ndarray, shape: tuple[int | None, ...]) -> None:
    """Raise ValueError unless the array has this shape; None stands for any length."""
    fits = array.ndim == len(shape) and all(
        want is None or have == want for have, want in zip(array.shape, shape, strict=True)
    )
    if not fits:
        wanted = ", ".join("n" if want is None else str(want) for want in shape)
        raise ValueError(f"{name} must have shape ({wanted}), got {array.shape}")
