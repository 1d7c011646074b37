"""Typical faces: what is near them resembles many people.

Some faces resemble many people, and some people many faces: they are the ones that strangers are taken for,
and there are more of them among those of whom a network has seen fewer. How near a face is to the others that
are most like it tells which they are (see `kith.decisions.scoring`). In a large gallery these are other
enrolled people; so that a small one has some too, a model brings typical faces with it. They are means of
several people's embeddings, and so nobody's.
"""

from dataclasses import dataclass, field

import numpy as np

from kith.decisions.cosine import normalize
from kith.records import FloatArray, require_shape

NEAREST = 3
"""So many of the faces most like one count."""


@dataclass(frozen=True, eq=False)
class Cohort:
    """Typical faces.

    Attributes:
        centers: (k, d) float32 of unit length; none where a model's are not known.
        usual: How near a usual face is to those nearest to it, a mean cosine.
    """

    centers: FloatArray = field(default_factory=lambda: np.empty((0, 0), np.float32))
    usual: float = 0.0

    def __post_init__(self) -> None:
        require_shape("centers", self.centers, (None, None))
        if 0 < len(self.centers) < NEAREST:
            raise ValueError(f"a cohort has {NEAREST} faces or more, got {len(self.centers)}")
        if not np.isfinite(self.centers).all() or not np.isfinite(self.usual):
            raise ValueError("a cohort's numbers must be finite")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Cohort):
            return NotImplemented
        return self.usual == other.usual and np.array_equal(self.centers, other.centers)

    def __hash__(self) -> int:
        return hash((self.usual, self.centers.shape, self.centers[:1].tobytes()))

    def __len__(self) -> int:
        return len(self.centers)

    def nearest(self, embeddings: FloatArray) -> FloatArray:
        """The cosines of n embeddings (n, d) to the typical faces nearest to each: (n, `NEAREST`)."""
        cosines = embeddings @ self.centers.T
        return np.asarray(np.partition(cosines, len(self) - NEAREST, axis=1)[:, -NEAREST:], np.float32)


def cohort_of(centers: FloatArray, faces: FloatArray) -> Cohort:
    """The cohort of these centers (k, d), where these faces (n, d) are usual."""
    typical = Cohort(normalize(centers).astype(np.float16).astype(np.float32))
    return Cohort(typical.centers, round(float(typical.nearest(faces).mean()), 6))
