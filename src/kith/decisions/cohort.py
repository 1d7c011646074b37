"""Typical faces, and how near a face is to them.

Some faces resemble many people, and some people many faces: they are the ones that strangers are taken for,
and there are more of them among those of whom a network has seen fewer. How near a face is to typical faces
tells which they are, so that a score can be judged by it: the adaptive symmetric normalization of speaker
recognition (Matejka et al. 2017, https://doi.org/10.21437/Interspeech.2017-1430) without its division by the
deviation. The cohort are means of several people's embeddings, and so nobody's.
"""

from dataclasses import dataclass, field

import numpy as np

from kith.decisions.cosine import normalize
from kith.records import FloatArray, require_shape

NEAREST = 3
"""So many of the typical faces count, those nearest to a face."""


@dataclass(frozen=True, eq=False)
class Cohort:
    """Typical faces.

    Attributes:
        centers: (k, d) float32 of unit length; none where a model's are not known.
        usual: How near a usual face is to them.
    """

    centers: FloatArray = field(default_factory=lambda: np.empty((0, 0), np.float32))
    usual: float = 0.0

    def __post_init__(self) -> None:
        require_shape("centers", self.centers, (None, None))
        if 0 < len(self.centers) < NEAREST:
            raise ValueError(f"a cohort has {NEAREST} faces or more, got {len(self.centers)}")
        if not np.isfinite(self.centers).all() or not np.isfinite(self.usual):
            raise ValueError("a cohort's numbers must be finite")

    def __len__(self) -> int:
        return len(self.centers)

    def nearness(self, embeddings: FloatArray) -> FloatArray:
        """How much nearer than usual each of n embeddings (n, d) is to the typical faces nearest to it: (n,).

        It is a mean of cosines, above 0 for a face that resembles many; 0 where no cohort is known.
        """
        if not len(self) or not len(embeddings):
            return np.zeros(len(embeddings), np.float32)
        cosines = embeddings @ self.centers.T
        nearest = np.partition(cosines, len(self) - NEAREST, axis=1)[:, -NEAREST:]
        return np.asarray(nearest.mean(axis=1) - self.usual, np.float32)


def cohort_of(centers: FloatArray, faces: FloatArray) -> Cohort:
    """The cohort of these centers (k, d), where these faces (n, d) are usual."""
    typical = Cohort(normalize(centers).astype(np.float16).astype(np.float32))
    return Cohort(typical.centers, round(float(np.median(typical.nearness(faces))), 6))
