"""What a detector looks for: the same settings for every kind."""

from dataclasses import dataclass

from kith.errors import InvalidArgument

SMALLEST = 12
"""Pixels of a face, below which no detector sees one."""


@dataclass(frozen=True, slots=True)
class DetectionSettings:
    """What to look for.

    Attributes:
        min_face_size: Faces smaller than this are not looked for, in the image's own pixels; MTCNN looks, in
            an image that `longest_side` scales down, for none that are then smaller than 20 pixels and than
            this.
        thresholds: Scores that must be exceeded, in the detector's own terms: three for MTCNN, of a window in
            P-, R- and O-Net; one for others, of a face. None for the detector's own.
        min_score: Detection score that a face must exceed; it replaces the last threshold. None for that.
        longest_side: A larger image is scaled down to this before detection; None for never, but that YuNet
            and SCRFD, which see an image in one run, scale it down to 3072 pixels.
        thorough: Whether faces are looked for that the detector misses at its first look: cut by the image's
            edge, filling the image, or in an image in which nothing was found. Off, the detector finds what
            the original finds.
        turned: Whether an image whose faces may lie on their side or head is looked at in other turns
            too; only where thorough.
    """

    min_face_size: int = 20
    thresholds: tuple[float, ...] | None = None
    min_score: float | None = None
    longest_side: int | None = 1280
    thorough: bool = True
    turned: bool = True

    def __post_init__(self) -> None:
        if not self.min_face_size >= SMALLEST:
            raise InvalidArgument(f"min_face_size must be at least {SMALLEST}, got {self.min_face_size}")
        if self.thresholds is not None and not all(0 <= threshold < 1 for threshold in self.thresholds):
            raise InvalidArgument(f"thresholds must be numbers in [0, 1), got {self.thresholds}")
        if self.min_score is not None and not 0 <= self.min_score < 1:
            raise InvalidArgument(f"min_score must be in [0, 1), got {self.min_score}")
        if self.longest_side is not None and not self.longest_side >= SMALLEST:
            raise InvalidArgument(f"longest_side must be at least {SMALLEST}, got {self.longest_side}")

    def thresholds_or(self, usual: tuple[float, ...]) -> tuple[float, ...]:
        """The thresholds that hold for a detector with these usual ones.

        Raises:
            InvalidArgument: It has another number of thresholds.
        """
        chosen = usual if self.thresholds is None else self.thresholds
        if len(chosen) != len(usual):
            raise InvalidArgument(f"this detector has {len(usual)} thresholds, got {self.thresholds}")
        return chosen if self.min_score is None else (*chosen[:-1], self.min_score)
