"""Faces -> crops: every face the same way up, at the same size, with its features in the same places."""

from collections.abc import Sequence

import cv2
import numpy as np
import PIL.Image

from kith.catalogue.preprocessing import AffineCrop, CropRule, MarginCrop, MarginUnit, SimilarityCrop
from kith.records import Face, FloatArray, Image, require_shape


def align(image: Image, faces: Sequence[Face], rule: CropRule) -> np.ndarray:
    """Cut faces out as an embedder wants them.

    Args:
        image: (h, w, 3) uint8 RGB.
        faces: Faces in that image.
        rule: The embedder's crop rule.

    Returns:
        (n, s, s, 3) uint8 crops; what a template takes in from outside the image is black.
    """
    require_shape("image", image, (None, None, 3))
    crops = np.zeros((len(faces), rule.size, rule.size, 3), np.uint8)
    for crop, face in zip(crops, faces, strict=True):
        if isinstance(rule, MarginCrop):
            crop[:] = _cut_box(image, face, rule)
        else:
            source, transform = _reduce(image, _transform(face, rule), rule.size)
            cv2.warpAffine(source, transform, (rule.size, rule.size), dst=crop, flags=cv2.INTER_LINEAR)
    return crops


def share_inside(image: Image, face: Face, rule: CropRule) -> float:
    """How much of a face's crop is from inside the image, by area, 0 to 1.

    Args:
        image: (h, w, 3) uint8 RGB.
        face: A face in that image.
        rule: The embedder's crop rule.
    """
    height, width = image.shape[:2]
    if isinstance(rule, MarginCrop):
        corners = _margin_box(face, rule)[[[0, 1], [2, 1], [2, 3], [0, 3]]]
    else:
        edge = rule.size - 0.5
        crop = np.array([[-0.5, edge, edge, -0.5], [-0.5, -0.5, edge, edge], [1, 1, 1, 1]])
        corners = (cv2.invertAffineTransform(_transform(face, rule)) @ crop).T + 0.5
    wanted = corners.astype(np.float32)
    whole = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    area = cv2.contourArea(wanted)
    return float(cv2.intersectConvexConvex(wanted, whole)[0] / area) if area > 0 else 0.0


def _transform(face: Face, rule: SimilarityCrop | AffineCrop) -> np.ndarray:
    """(2, 3) float64: from the image to the crop."""
    template = np.array(rule.template, np.float32)
    if isinstance(rule, AffineCrop):
        points = face.landmarks[: len(template)].astype(np.float32)
        across, down = points[1:] - points[0]
        if abs(float(across[0] * down[1] - across[1] * down[0])) > 1:  # else they lie in a line
            return np.asarray(cv2.getAffineTransform(points, template), np.float64)
        return similarity_transform(points, template)
    return similarity_transform(face.landmarks, template)


def _cut_box(image: Image, face: Face, rule: MarginCrop) -> Image:
    """(s, s, 3): the face's box with its margin, upright to the nearest quarter turn.

    Sources: Sandberg's facenet, src/align/align_dataset_mtcnn.py; facenet-pytorch,
    models/utils/detect_face.py, whose margin grows with the box. Both round towards zero and
    resample by Pillow's filter.
    """
    height, width = image.shape[:2]
    box = _margin_box(face, rule).astype(int)
    left, top = np.clip(box[:2], 0, [width - 1, height - 1])
    right, bottom = np.clip(box[2:], [left + 1, top + 1], [width, height])
    upright = np.rot90(image[top:bottom, left:right], face.turned // 90)
    part = PIL.Image.fromarray(np.ascontiguousarray(upright))
    return np.asarray(part.resize((rule.size, rule.size), PIL.Image.Resampling.BILINEAR))


def _margin_box(face: Face, rule: MarginCrop) -> np.ndarray:
    """(4,) float64: where MTCNN would see the face, with a margin."""
    box = np.tile(face.box[:2], 2) + np.array(rule.frame) * np.tile(face.box[2:] - face.box[:2], 2)
    half = np.full(2, rule.margin / 2)
    if rule.unit is MarginUnit.CROP:
        half *= (box[2:] - box[:2]) / (rule.size - rule.margin)
    return np.concatenate([box[:2] - half, box[2:] + half])


def similarity_transform(points: FloatArray, template: FloatArray) -> np.ndarray:
    """The rotation, scale and shift that bring points closest to a template, in least squares.

    Source: Umeyama 1991, "Least-Squares Estimation of Transformation Parameters Between Two Point
    Patterns", equations 40 to 42. In the plane, with (x, y) as the complex number x + iy, it is the
    regression of one set of numbers on the other; reflections cannot arise.

    Args:
        points: (n, 2)
        template: (n, 2)

    Returns:
        (2, 3) float64: maps (x, y, 1) of the points to the template.
    """
    require_shape("points", points, (None, 2))
    z = points[:, 0].astype(np.float64) + 1j * points[:, 1]
    w = template[:, 0].astype(np.float64) + 1j * template[:, 1]
    centred = z - z.mean()
    spread = np.vdot(centred, centred).real
    turn = np.vdot(centred, w - w.mean()) / spread if spread > 0 else 1.0
    shift = w.mean() - turn * z.mean()
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def _reduce(image: Image, transform: np.ndarray, size: int) -> tuple[Image, np.ndarray]:
    """For a face much larger than its crop: the part of the image around it, shrunk, and its transform.

    Bilinear sampling skips pixels when it shrinks by more than two, which shows as noise.
    """
    scale = float(np.sqrt(abs(np.linalg.det(transform[:, :2]))))
    if scale >= 0.5:
        return image, transform
    edges = np.array([[0, size, 0, size], [0, 0, size, size], [1, 1, 1, 1]])
    corners = cv2.invertAffineTransform(transform) @ edges
    height, width = image.shape[:2]
    left, top = np.clip(np.floor(corners.min(axis=1)).astype(int) - 2, 0, [width - 1, height - 1])
    right, bottom = np.clip(
        np.ceil(corners.max(axis=1)).astype(int) + 2, [left + 1, top + 1], [width, height]
    )
    part = image[top:bottom, left:right]
    shrunk_size = np.maximum(np.array([right - left, bottom - top]) * min(2 * scale, 1), 1).astype(int)
    shrunk = cv2.resize(part, shrunk_size.tolist(), interpolation=cv2.INTER_AREA)
    # a pixel's centre x of the image lies at (x - left + 0.5) * factor - 0.5 of the shrunk part
    factor = shrunk_size / np.array([right - left, bottom - top])
    shift = (0.5 - np.array([left, top])) * factor - 0.5
    to_image = np.array(
        [[1 / factor[0], 0, -shift[0] / factor[0]], [0, 1 / factor[1], -shift[1] / factor[1]], [0, 0, 1]]
    )
    return np.asarray(shrunk, np.uint8), transform @ to_image
