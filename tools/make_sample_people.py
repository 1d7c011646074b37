"""Make the sample people: composites of several faces each, so that each of them is nobody.

    python tools/make_sample_people.py LFW_FOLDER OUTPUT_FOLDER

Eight people with six photos each, and a group photo of all of them (on photos held back) with two
strangers. Every photo of a person blends photos of the same five people of Labeled Faces in the
Wild with equal weights: landmark-driven triangle warps onto their average shape, then dense optical
flow onto the average face, so that the blend is sharp. A blend alone still resembles the people in
it, so each sample person is given a shape of his own as well: out of many random ones, that in
which he is least like any of them and least like the other sample people.

The tool measures what it promises on the files it wrote, prints it, and fails if it is not so:
nobody matches a person he is made of, and everybody in the group photo is told rightly.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as PillowImage

import kith
from kith.alignment import similarity_transform
from kith.comparison import score_all, threshold_at_fmr
from kith.detection import central_face
from kith.errors import NoFaceFound
from kith.quality import assess
from kith.records import Face, FloatArray, Image
from kith.weights.preprocessing import DLIB_CROP

NAMES = ("P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8")
STRANGERS = 2
PHOTOS = 6
CONTRIBUTORS = 5
FEWEST_PHOTOS, MOST_PHOTOS = PHOTOS + 1, 40  # at most so many that all can be checked against
PASSERS_BY = 900  # people of few photos, only to measure the threshold on
LOOKS = 4  # principal components that count as looks: roughly sex, ancestry, age, shape
SHAPES = 40  # random shapes tried for each person
MOST_TURN = 0.22
FMR = 1e-4
GAP = 0.02  # how far scores must stay from the threshold
SIDE = 288
EYES = (62.0, 116.0)  # distance between the eyes, and their height, in a blend
GROUP_SIZE = (1200, 800)
SHAPE_LIMITS = np.array([4.0, 4.0, 5.0, 5.0, 4.0, 9.0, 9.0])  # see Blend.reshaped; pixels


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A photo of LFW: embedding (d,), and its turn, signed: the nose's way off the middle of the eyes."""

    path: Path
    face: Face
    embedding: FloatArray
    turn: float


def survey(recognizer: kith.Recognizer, lfw: Path, rng: np.random.Generator) -> dict[str, list[Source]]:
    """Detect and embed the people with many photos, and one photo each of some others."""
    photos = {folder.name: sorted(folder.glob("*.jpg")) for folder in sorted(lfw.iterdir()) if folder.is_dir()}
    many = {name: paths for name, paths in photos.items() if FEWEST_PHOTOS <= len(paths) <= MOST_PHOTOS}
    few = [name for name, paths in photos.items() if 0 < len(paths) < FEWEST_PHOTOS]
    chosen = sorted(rng.choice(few, min(PASSERS_BY, len(few)), replace=False))
    wanted = many | {name: photos[name][:1] for name in chosen}
    found = {name: [look(recognizer, path) for path in paths] for name, paths in wanted.items()}
    return {name: kept for name, all_ in found.items() if (kept := [source for source in all_ if source])}


def look(recognizer: kith.Recognizer, path: Path) -> Source | None:
    """Detect and embed the central face of a photo, if there is any."""
    image = kith.load_image(path)
    try:
        face = central_face(recognizer.detect(image), image.shape)
    except NoFaceFound:
        return None
    crops = recognizer.align(image, [face])
    left, right, nose = face.landmarks[:3]
    side = 1 if np.dot(nose - (left + right) / 2, right - left) >= 0 else -1
    return Source(path, face, recognizer.embed(crops)[0], side * assess(face, crops[0]).turn)


def measure_threshold(people: dict[str, list[Source]]) -> float:
    """The score that one in 10,000 pairs of different people reach."""
    first = np.stack([sources[0].embedding for sources in people.values()])
    scores = score_all(first, first)[np.triu_indices(len(first), 1)]
    threshold = threshold_at_fmr(scores, FMR)
    print(f"threshold {threshold:.4f}: FMR {FMR:g} on {len(scores):,} non-mated pairs")
    return threshold


def frontal(sources: Sequence[Source]) -> list[Source]:
    """The seven frontal photos that are most like the person's average, from left- to right-turned.

    The most typical ones have no hands or microphones before the face; and where the k-th photo of
    each is turned alike, the blend is sharp and six photos still show six poses.
    """
    fit = [
        source
        for source in sources
        if abs(source.turn) < MOST_TURN and source.face.detection_score > 0.99
    ]
    mean = np.mean([source.embedding for source in fit], axis=0) if fit else 0
    typical = sorted(fit, key=lambda source: -float(np.sum(source.embedding * mean)))[:FEWEST_PHOTOS]
    return sorted(typical, key=lambda source: source.turn)


def choose_groups(people: dict[str, list[Source]], count: int) -> list[list[str]]:
    """Groups of people of similar looks, no one in two, the groups as different as can be.

    Similar in the first principal components only: people who are close in all of them are so much
    alike that their blend looks like each of them.
    """
    names = sorted(people)
    means = np.stack([np.mean([source.embedding for source in people[name]], axis=0) for name in names])
    means = means - means.mean(axis=0)
    looks = means @ np.linalg.svd(means, full_matrices=False)[2][:LOOKS].T
    apart = np.linalg.norm(looks[:, np.newaxis] - looks, axis=2)
    groups = np.argsort(apart, axis=1, kind="stable")[:, :CONTRIBUTORS]
    centres = looks[groups].mean(axis=1)
    chosen = [int(np.argmax(np.linalg.norm(centres, axis=1)))]
    while len(chosen) < count:
        free = ~np.isin(groups, groups[chosen]).any(axis=1)
        nearest = np.linalg.norm(centres[:, np.newaxis] - centres[chosen], axis=2).min(axis=1)
        chosen.append(int(np.argmax(np.where(free, nearest, -1))))
    return [[names[member] for member in groups[index]] for index in chosen]


@dataclass(frozen=True, slots=True, eq=False)
class Blend:
    """Several faces as one: pixels (s, s, 3) float32, points (17, 2): five landmarks, 12 of the outline."""

    pixels: FloatArray
    points: np.ndarray

    @property
    def oval(self) -> tuple[np.ndarray, np.ndarray]:
        """Centre (2,) and half axes (2,) of the face."""
        outline = self.points[5:]
        return outline.mean(axis=0), np.ptp(outline, axis=0) / 2

    def reshaped(self, shape: np.ndarray) -> "Blend":
        """Move eyes out, eyes down, nose down, mouth down, mouth wider, face wider, chin down: (7,) pixels."""
        eyes_out, eyes_down, nose_down, mouth_down, mouth_out, wider, chin_down = shape
        moved = self.points.copy()
        moved[:5] += [
            (-eyes_out, eyes_down),
            (eyes_out, eyes_down),
            (0, nose_down),
            (-mouth_out, mouth_down),
            (mouth_out, mouth_down),
        ]
        centre, axes = self.oval
        across, down = ((self.points[5:] - centre) / axes).T
        moved[5:] += np.stack([wider * across, chin_down * np.maximum(down, 0)], axis=1)
        lookup = cv2.GaussianBlur(triangle_lookup(with_frame(moved), with_frame(self.points)), (0, 0), 5)
        return Blend(sample(self.pixels, lookup), moved)


def blend(sources: Sequence[Source]) -> Blend:
    """Average faces with equal weights, in shape as in looks."""
    transforms = [similarity_transform(source.face.landmarks, upright()) for source in sources]
    points = [
        face_points(source.face) @ transform[:, :2].T + transform[:, 2]
        for source, transform in zip(sources, transforms, strict=True)
    ]
    average = np.mean(points, axis=0)
    warped = []
    for source, transform, own in zip(sources, transforms, points, strict=True):
        back = cv2.invertAffineTransform(transform)
        own_pixels = with_frame(own) @ back[:, :2].T + back[:, 2]
        image = kith.load_image(source.path).astype(np.float32)
        warped.append(sample(image, triangle_lookup(with_frame(average), own_pixels)))
    stack = refine(match_tones(np.stack(warped), average))
    return Blend(np.clip(stack.mean(axis=0), 0, 255), average)


def upright() -> np.ndarray:
    """Where the five landmarks of an upright face lie in a blend: (5, 2) pixels."""
    template = np.array(DLIB_CROP.template)
    scale = EYES[0] / (template[1, 0] - template[0, 0])
    return (template - template[:2].mean(axis=0)) * scale + (SIDE / 2, EYES[1])


def face_points(face: Face) -> np.ndarray:
    """The five landmarks, and twelve points round the box from ear to chin to forehead: (17, 2)."""
    across = (face.landmarks[1] - face.landmarks[0]) / np.linalg.norm(face.landmarks[1] - face.landmarks[0])
    down = np.array([-across[1], across[0]])
    angles = np.arange(12)[:, np.newaxis] * np.pi / 6
    centre = (face.box[:2] + face.box[2:]) / 2
    outline = centre + np.cos(angles) * across * face.width * 0.55 + np.sin(angles) * down * face.height * 0.53
    return np.concatenate([face.landmarks, outline])


def with_frame(points: np.ndarray) -> np.ndarray:
    """Points (n, 2) and twelve more along the blend's edge: (n + 12, 2)."""
    steps = np.linspace(0, SIDE - 1, 4)
    frame = [(x, y) for x in steps for y in steps if {x, y} & {steps[0], steps[-1]}]
    return np.concatenate([points, frame])


def triangle_lookup(target: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """For each pixel of a blend, where it comes from, by Delaunay triangles of the target's points.

    Args:
        target: (n, 2) points in the blend.
        origin: (n, 2) where they lie in what is warped.

    Returns:
        (s, s, 2) float32
    """
    plane = cv2.Subdiv2D((-1, -1, SIDE + 2, SIDE + 2))
    plane.insert([tuple(map(float, point)) for point in target])
    lookup = grid()
    for corners in plane.getTriangleList().reshape(-1, 3, 2):
        distances = np.linalg.norm(corners[:, np.newaxis] - target, axis=2)
        if distances.min(axis=1).max() > 0.5:
            continue  # it reaches to Subdiv2D's own outer points
        ids = distances.argmin(axis=1)
        affine = cv2.getAffineTransform(target[ids].astype(np.float32), origin[ids].astype(np.float32))
        inside = np.zeros((SIDE, SIDE), np.uint8)
        cv2.fillConvexPoly(inside, np.rint(target[ids]).astype(np.int32), 1)
        lookup[inside > 0] = grid()[inside > 0] @ affine[:, :2].T + affine[:, 2]
    return lookup


def grid() -> np.ndarray:
    """Each pixel's own place: (s, s, 2) float32."""
    return np.stack(np.meshgrid(*[np.arange(SIDE, dtype=np.float32)] * 2), axis=2)


def sample(pixels: np.ndarray, lookup: np.ndarray) -> np.ndarray:
    """The pixels at the places of a lookup (s, s, 2)."""
    return cv2.remap(pixels, lookup, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def match_tones(stack: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Give all faces (n, s, s, 3) the brightness, contrast and tint of their average."""
    inside = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillConvexPoly(inside, np.rint(points[5:]).astype(np.int32), 1)
    skin = stack[:, inside > 0]
    means, spreads = skin.mean(axis=1)[:, None, None], skin.std(axis=1)[:, None, None]
    return ((stack - means) / spreads * spreads.mean(axis=0) + means.mean(axis=0)).astype(np.float32)


def refine(stack: np.ndarray, rounds: int = 3) -> np.ndarray:
    """Bring eyelids, brows and jaws together: optical flow of each face (n, s, s, 3) to their average.

    The flows' own average is taken off, so that the average shape stays what the landmarks made it.
    """
    moved, offsets = stack, np.zeros((*stack.shape[:3], 2), np.float32)
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    for _ in range(rounds):
        target = relief(moved.mean(axis=0))
        steps = np.stack([cv2.GaussianBlur(flow.calc(target, relief(face), None), (0, 0), 6) for face in moved])
        steps -= steps.mean(axis=0)
        offsets = np.stack([step + sample(old, grid() + step) for step, old in zip(steps, offsets, strict=True)])
        moved = np.stack([sample(face, grid() + offset) for face, offset in zip(stack, offsets, strict=True)])
    return moved


def relief(pixels: np.ndarray) -> np.ndarray:
    """A face without its lighting: gray values (s, s) uint8 of even local contrast."""
    gray = cv2.cvtColor(np.clip(pixels, 0, 255).astype(np.float32), cv2.COLOR_RGB2GRAY)
    detail = gray - cv2.GaussianBlur(gray, (0, 0), 20)
    contrast = np.sqrt(cv2.GaussianBlur(detail**2, (0, 0), 20)) + 4
    return np.clip(128 + 45 * detail / contrast, 0, 255).astype(np.uint8)
