"""What a cosine to a centroid gains by the number of photos behind it.

The mean of many photos of a person is what they have in common, and has less of what is of one photo only:
it is more like the person's other photos, and a little more like everyone else. A stranger's cosine to it is
higher by an amount that hardly depends on how many are enrolled or on who they are. That is measured, and
taken off what speaks for a person, so that a person of thirty photos is no likelier to be mistaken for than
one of a single photo.
"""

from dataclasses import dataclass

import numpy as np

from kith.records import FloatArray


@dataclass(frozen=True)
class Inflation:
    """How much higher strangers' cosines to a centroid are than to a single photo.

    Attributes:
        references: Ascending, from 1: numbers of photos.
        gains: Of each; 0 for a single photo.
    """

    references: tuple[int, ...] = (1,)
    gains: tuple[float, ...] = (0.0,)

    def __post_init__(self) -> None:
        rising = all(low < high for low, high in zip(self.references, self.references[1:], strict=False))
        if not self.references or self.references[0] != 1 or not rising or self.gains[:1] != (0.0,):
            raise ValueError("needs numbers of photos that begin with 1 and rise, and gains from 0")
        if len(self.references) != len(self.gains) or not np.isfinite(self.gains).all():
            raise ValueError("needs a finite gain for each number of photos")

    @property
    def most(self) -> int:
        """The largest number of photos that was measured; more are taken for so many."""
        return self.references[-1]

    def of(self, references: np.ndarray) -> FloatArray:
        """The gain of people with so many photos (k,): on lines over the number's logarithm, (k,) float32."""
        numbers = np.log(np.maximum(references, 1))
        return np.asarray(np.interp(numbers, np.log(self.references), self.gains), np.float32)
