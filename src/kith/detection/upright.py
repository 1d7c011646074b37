"""Photos that lie on their side or head: where it is doubtful how a photo lies, other ways are looked at.

Detectors know upright faces. Of one on its head they often find an upright face all the same, with
landmarks that are wrong, and embeddings of such faces resemble one another. So every face that is found
is judged in the four quarter turns. Where no face is surely upright, the image is looked at in the other
three; where only some are not, in those that the doubtful ones prefer. A photo lies the way in which its
surest face does.

Alignment turns faces upright by their landmarks, so that no turned image is needed afterwards: what
was found in one is told in the pixels of the image as it lies, eyes above the mouth as the face sees it.

A quarter turn is that of `np.rot90`: the image is turned counterclockwise.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from kith.boxes import overlaps
from kith.records import Face, FloatArray, Image

Look = Callable[[Image], list[Face]]
"""Finds upright faces in an image."""

Judge = Callable[[Image, Sequence[Face]], FloatArray]
"""How much n faces of an image look like faces in it after 0, 1, 2 and 3 quarter turns: (n, 4) log-odds."""

_TURNS = (1, 2, 3)
_SAME_PLACE = 0.5
# Chosen on 600 photos of LFW and the sample people in all four turns, see benchmarks/upright.py. Of upright
# faces all but one in 140 are surer than the first; of faces that were found in a wrong turn, one in 300.
_SURE = 0.997
_LIKELY = 0.87
_USUAL = 2.0  # log-odds; most photos lie as they should, so that another turn must show a face so much surer
_NO_FACE = 2.0  # log-odds; what looks less like a face than this in other turns does not make a face surer


def turn_upright(image: Image, faces: Sequence[Face], look: Look, judge: Judge) -> list[Face]:
    """Judge the faces that were found in an image as it lies, and look at it in other turns where need be.

    Args:
        image: (h, w, 3) uint8 RGB.
        faces: Found in it.
        look: Finds faces in a turned image.
        judge: Says which way up a face looks most like one.

    Returns:
        The same faces, in the same order, with their uprightness; or, of the turn in which the surest
        face was found, its faces, in this image's pixels. A doubtful face gives way to a surer one
        that another turn shows in its place.
    """
    odds = judge(image, faces)
    ways = [_judged(faces, odds)]
    for turns in _turns_to_look_at(ways[0], odds):
        turned = np.ascontiguousarray(np.rot90(image, turns))
        found = look(turned)
        found = _judged(found, judge(turned, found), -_USUAL)
        ways.append([turn_back(face, turns, image.shape) for face in found])
    return _choose(ways)


def turn_back(face: Face, turns: int, shape: tuple[int, ...]) -> Face:
    """A face of a turned image, in the pixels of the image before it was turned.

    Args:
        face: Of the image after `np.rot90(image, turns)`.
        turns: 0 to 3.
        shape: The image's (h, w, ...) before.
    """
    height, width = shape[:2]
    corners = _turn_points_back(face.box.reshape(2, 2), turns, width, height)
    box = np.concatenate([corners.min(axis=0), corners.max(axis=0)])
    # boxes are told by the edges of pixels, landmarks by their centres
    return replace(face, box=box, landmarks=_turn_points_back(face.landmarks, turns, width - 1, height - 1))


def _turn_points_back(points: FloatArray, turns: int, width: int, height: int) -> FloatArray:
    x, y = points[:, 0], points[:, 1]
    return np.stack([(x, y), (width - y, x), (width - x, height - y), (y, height - x)][turns], axis=1)


def _judged(faces: Sequence[Face], odds: FloatArray, prior: float = 0.0) -> list[Face]:
    """Faces with their uprightness: the odds that each is a face, and the lead of its turn before others."""
    leads = odds[:, 0] - odds[:, 1:].max(axis=1, initial=_NO_FACE)
    sure = [min(face.detection_score, face.uprightness) for face in faces]
    return [
        replace(face, uprightness=float(probability))
        for face, probability in zip(faces, _probabilities(log_odds(sure) + leads + prior), strict=True)
    ]


def log_odds(probabilities: Sequence[float] | np.ndarray) -> np.ndarray:
    """The logarithms of p / (1 - p), finite also where p was rounded to 0 or 1."""
    p = np.clip(np.asarray(probabilities, np.float64), 1e-7, 1 - 1e-7)
    return np.asarray(np.log(p / (1 - p)))


def _probabilities(odds: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-odds)))


def _turns_to_look_at(faces: Sequence[Face], odds: FloatArray) -> list[int]:
    """Those that doubtful faces prefer; all, where there is no other face."""
    doubtful = np.array([face.uprightness < _SURE for face in faces], bool)
    if doubtful.all():
        return list(_TURNS)
    return sorted({int(turns) for turns in odds[doubtful].argmax(axis=1)} - {0})


def _choose(ways: Sequence[list[Face]]) -> list[Face]:
    """Of the faces that each turn shows, the photo's; the first are those of the image as it lies."""
    first, *turned = ways
    ways = [first, *(faces for faces in turned if _surest(faces) >= _LIKELY)]
    best = max(ways, key=_surest)
    others = [face for faces in ways if faces is not best for face in faces if face.uprightness >= _LIKELY]
    chosen = (face if face.uprightness >= _SURE else _surest_in_place(face, others) for face in best)
    return list({id(face): face for face in chosen}.values())


def _surest(faces: Sequence[Face]) -> float:
    return max((face.uprightness for face in faces), default=0.0)


def _surest_in_place(face: Face, others: Sequence[Face]) -> Face:
    here = [
        other
        for other in others
        if overlaps(face.box[np.newaxis], other.box[np.newaxis], of_smaller=True) > _SAME_PLACE
    ]
    return max([face, *here], key=lambda one: one.uprightness)
