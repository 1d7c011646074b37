"""Which way a face looks, by its five landmarks."""

import math
from typing import NamedTuple

import numpy as np

from kith.records import FloatArray, require_shape

_MEAN_FACE = np.array(
    [(-31.5, -36, 30), (31.5, -36, 30), (0, 0, 0), (-26, 36.5, 22), (26, 36.5, 22)], np.float64
)
"""Eyes, tip of the nose and corners of the mouth of a mean adult, in millimetres from the tip of the nose:
to the right and down as the image shows it, and away from who looks. Across and down they are ArcFace's
template (`kith.catalogue.preprocessing`) with eyes 63 mm apart."""

_AROUND_MIDDLE = _MEAN_FACE - _MEAN_FACE.mean(axis=0)
_INVERSE = np.linalg.pinv(_AROUND_MIDDLE)


class Pose(NamedTuple):
    """Which way a face looks, in degrees; both are 0 where it looks at the camera, however it is tilted.

    Attributes:
        yaw: To the side: positive where an upright face looks to the right in the image.
        pitch: Up or down: positive where it looks down.
    """

    yaw: float
    pitch: float


def pose_of(landmarks: FloatArray) -> Pose:
    """The pose in which a mean face seen from afar would have these landmarks.

    The affine map that brings the mean face nearest to them, in least squares, is replaced by the nearest
    rotation and scale (DeMenthon and Davis 1995, https://doi.org/10.1007/BF01450852, for weak perspective).

    Args:
        landmarks: (5, 2) of a `Face`.
    """
    require_shape("landmarks", landmarks, (5, 2))
    points = landmarks.astype(np.float64)
    affine = (_INVERSE @ (points - points.mean(axis=0))).T
    left, _, right = np.linalg.svd(affine, full_matrices=False)
    across, down = left @ right  # the image's axes as the face sees them
    forward = -np.array([across[2], down[2], np.cross(across, down)[2]])
    tilt = math.atan2(-across[1], down[1])  # of the face's own way down
    aside = forward[0] * math.cos(tilt) + forward[1] * math.sin(tilt)
    below = forward[1] * math.cos(tilt) - forward[0] * math.sin(tilt)
    return Pose(math.degrees(math.asin(np.clip(aside, -1, 1))), math.degrees(math.atan2(below, -forward[2])))
