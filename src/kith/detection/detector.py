"""What every face detector offers."""

from typing import Protocol

from kith.records import Face, Image


class Detector(Protocol):
    """Finds faces in an image; safe to use from many threads."""

    @property
    def recipe(self) -> str:
        """What decides which faces are found, and where: other where others may be found."""
        ...

    def detect(self, image: Image) -> list[Face]:
        """Find the faces, the largest first.

        Args:
            image: (h, w, 3) uint8 RGB.
        """
        ...
