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
from kith.quality import ENROLL_LIMITS, assess
from kith.records import Face, FloatArray, Image
from kith.weights.preprocessing import DLIB_CROP

NAMES = ("Nadia", "Oscar", "Wei", "Pedro", "Kwame", "Omar", "Ada", "Grace", "", "")  # strangers have none
PHOTOS = 6
CONTRIBUTORS = 5
FEWEST_PHOTOS, MOST_PHOTOS = PHOTOS + 1, 40  # at most so many that all can be checked against
PASSERS_BY = 900  # people of few photos, only to measure the threshold on
LOOKS = 5  # principal components that count as looks: roughly sex, ancestry, age, shape
SHAPES = {1.0: 48, 0.5: 32, 0.25: 32}  # tried for each person: anywhere, then ever nearer to the best
MOST_TURN = 0.22
MOST_COVERED = 24.0
TIGHT = 0.6  # share of the possible groups that are considered
TOO_ALIKE = 0.945  # cosine of two people's averages
FMR = 1e-4
SPARE = 3  # groups more than people
SAFETY = 0.003  # below the threshold: cutting and compressing changes a score a little
GAP = 0.02  # how far scores must stay from the threshold
SIDE = 288
EYES = (62.0, 116.0)  # distance between the eyes, and their height, in a blend
GROUP_SIZE = (1200, 800)
SHAPE_LIMITS = np.array([5.0, 5.0, 6.0, 6.0, 5.0, 9.0, 9.0])  # see Blend.reshaped; pixels


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A photo of LFW.

    Attributes:
        path: The file.
        face: Its central face.
        embedding: (d,)
        turn: As in `kith.quality`, negative to the left.
        covered: See `covering`.
    """

    path: Path
    face: Face
    embedding: FloatArray
    turn: float
    covered: float


def survey(recognizer: kith.Recognizer, lfw: Path, rng: np.random.Generator) -> dict[str, list[Source]]:
    """Detect and embed the people with many photos, and one photo each of some others."""
    photos = {
        folder.name: sorted(folder.glob("*.jpg")) for folder in sorted(lfw.iterdir()) if folder.is_dir()
    }
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
    turn = side * assess(face, crops[0]).turn
    return Source(path, face, recognizer.embed(crops)[0], turn, covering(crops[0]))


def covering(crop: np.ndarray) -> float:
    """How much the color of the forehead differs from the cheeks', in a crop (150, 150, 3): caps show."""
    lab = cv2.cvtColor(crop.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    forehead, cheeks = lab[8:26, 50:100].reshape(-1, 3), lab[60:85, 40:110].reshape(-1, 3)
    return float(np.linalg.norm((np.median(forehead, axis=0) - np.median(cheeks, axis=0)) * (1, 2, 2)))


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
        if abs(source.turn) < MOST_TURN
        and source.face.detection_score > 0.99
        and source.covered < MOST_COVERED
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
    centred = means - means.mean(axis=0)
    looks = centred @ np.linalg.svd(centred, full_matrices=False)[2][:LOOKS].T
    apart = np.linalg.norm(looks[:, np.newaxis] - looks, axis=2)
    alike = means @ means.T / np.outer(*[np.linalg.norm(means, axis=1)] * 2)
    groups = np.stack([choose_group(np.argsort(row, kind="stable"), alike) for row in apart])
    centres = looks[groups].mean(axis=1)
    spread = np.linalg.norm(looks[groups] - centres[:, np.newaxis], axis=2).mean(axis=1)
    ratio = spread / np.linalg.norm(centres, axis=1)
    tight = ratio <= np.quantile(ratio, TIGHT)  # the others are of all sorts, and blend badly
    chosen = [int(np.argmax(np.linalg.norm(centres, axis=1) * tight))]
    while len(chosen) < count:
        free = tight & ~np.isin(groups, groups[chosen]).any(axis=1)
        nearest = np.linalg.norm(centres[:, np.newaxis] - centres[chosen], axis=2).min(axis=1)
        chosen.append(int(np.argmax(np.where(free, nearest, -1))))
    return [[names[member] for member in groups[index]] for index in chosen]


def choose_group(order: np.ndarray, alike: np.ndarray) -> list[int]:
    """The first people of an order (n,) no two of whom are too much alike, by cosines (n, n)."""
    group: list[int] = []
    for index in order:
        if len(group) < CONTRIBUTORS and all(alike[index, member] < TOO_ALIKE for member in group):
            group.append(int(index))
    return group


@dataclass(frozen=True, slots=True, eq=False)
class Blend:
    """Several faces as one: pixels (s, s, 3) float32, points (17, 2): five landmarks, 12 of the outline."""

    pixels: FloatArray
    points: np.ndarray

    def reshaped(self, shape: np.ndarray) -> "Blend":
        """Move the eyes out and down, the nose down, the mouth down and out, the sides out, the chin down.

        Args:
            shape: (7,) how far, in pixels.
        """
        eyes_out, eyes_down, nose_down, mouth_down, mouth_out, wider, chin_down = shape
        moved = self.points.copy()
        moved[:5] += [
            (-eyes_out, eyes_down),
            (eyes_out, eyes_down),
            (0, nose_down),
            (-mouth_out, mouth_down),
            (mouth_out, mouth_down),
        ]
        centre, axes = oval(self.points)
        across, down = ((self.points[5:] - centre) / axes).T
        moved[5:] += np.stack([wider * across, chin_down * np.maximum(down, 0)], axis=1)
        lookup = cv2.GaussianBlur(triangle_lookup(with_frame(moved), with_frame(self.points)), (0, 0), 5)
        return Blend(sample(self.pixels, lookup), moved)


def blend(sources: Sequence[Source]) -> Blend:
    """Average faces with equal weights, in shape as in looks.

    On the rim it is the median: a cap or a strand of hair of one of them leaves no ghost.
    """
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
    rim = ramp(radius(average), 0.75, 0.95)
    return Blend(np.clip(lay(stack.mean(axis=0), np.median(stack, axis=0), rim), 0, 255), average)


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
    outline = (
        centre + np.cos(angles) * across * face.width * 0.55 + np.sin(angles) * down * face.height * 0.53
    )
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
    places, lookup = grid(), grid()
    for corners in plane.getTriangleList().reshape(-1, 3, 2):
        distances = np.linalg.norm(corners[:, np.newaxis] - target, axis=2)
        if distances.min(axis=1).max() > 0.5:
            continue  # it reaches to Subdiv2D's own outer points
        ids = distances.argmin(axis=1)
        affine = cv2.getAffineTransform(target[ids].astype(np.float32), origin[ids].astype(np.float32))
        inside = np.zeros((SIDE, SIDE), np.uint8)
        cv2.fillConvexPoly(inside, np.rint(target[ids]).astype(np.int32), 1)
        lookup[inside > 0] = places[inside > 0] @ affine[:, :2].T + affine[:, 2]
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
        steps = np.stack(
            [cv2.GaussianBlur(flow.calc(target, relief(face), None), (0, 0), 6) for face in moved]
        )
        steps -= steps.mean(axis=0)
        offsets = np.stack(
            [step + sample(old, grid() + step) for step, old in zip(steps, offsets, strict=True)]
        )
        moved = np.stack([sample(face, grid() + offset) for face, offset in zip(stack, offsets, strict=True)])
    return moved


def relief(pixels: np.ndarray) -> np.ndarray:
    """A face without its lighting: gray values (s, s) uint8 of even local contrast."""
    gray = cv2.cvtColor(np.clip(pixels, 0, 255).astype(np.float32), cv2.COLOR_RGB2GRAY)
    detail = gray - cv2.GaussianBlur(gray, (0, 0), 20)
    contrast = np.sqrt(cv2.GaussianBlur(detail**2, (0, 0), 20)) + 4
    return np.clip(128 + 45 * detail / contrast, 0, 255).astype(np.uint8)


def paste(canvas: np.ndarray, face: Blend, transform: np.ndarray, cloth: np.ndarray) -> np.ndarray:
    """Lay a face over a drawn neck and shoulders.

    Args:
        canvas: (h, w, 3) float
        face: What to lay.
        transform: (2, 3): the blend's pixels to the canvas's.
        cloth: (3,) color of the shoulders.
    """
    size = canvas.shape[1::-1]
    centre, axes = oval(face.points)
    skin = np.median(face.pixels[radius(face.points) < 0.5], axis=0)
    for outline, color in ((SHOULDERS, cloth), (NECK, skin * 0.8)):  # under the chin it is darker
        corners = (centre + outline * axes) @ transform[:, :2].T + transform[:, 2]
        mask = np.zeros(size[::-1], np.float32)
        cv2.fillPoly(mask, [np.rint(corners).astype(np.int32)], 1)
        mask = cv2.GaussianBlur(mask, (0, 0), 2.5)
        rounding = 0.75 + 0.25 * cv2.GaussianBlur(mask, (0, 0), 18)
        canvas = lay(canvas, color * rounding[..., np.newaxis], mask)
    pixels, mask = cut_out(face)
    pixels = cv2.warpAffine(pixels, transform, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return lay(canvas, pixels, cv2.warpAffine(mask, transform, size))


def lay(below: np.ndarray, above: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """One picture over another where a mask (h, w) is 1."""
    return below + (above - below) * mask[..., np.newaxis]


def half_outline(right: Sequence[tuple[float, float]]) -> np.ndarray:
    """A closed outline from its right half, about a face's centre in half axes of the face: (2n, 2)."""
    points = np.array(right)
    return np.concatenate([points, points[::-1] * (-1, 1)])


NECK = half_outline([(0.62, 0.3), (0.56, 1.0), (0.72, 1.32), (0.4, 1.52), (0.1, 1.6)])
SHOULDERS = half_outline(
    [(0.45 + 1.45 * np.sin(a), 1.22 + 1 - np.cos(a)) for a in np.linspace(0, np.pi / 2, 20)] + [(2.0, 20.0)]
)


def cut_out(face: Blend) -> tuple[np.ndarray, np.ndarray]:
    """The face's pixels (s, s, 3) and its soft oval mask (s, s).

    Towards the rim it grows soft and takes on one tint: there hair and backgrounds differ from face to face.
    """
    soft = cv2.GaussianBlur(face.pixels, (0, 0), 6)
    gray = cv2.cvtColor(soft, cv2.COLOR_RGB2GRAY)[..., np.newaxis]
    distance = radius(face.points)
    skin = np.median(face.pixels[distance < 0.5], axis=0)
    gray = gray * (skin / skin.mean())
    return lay(face.pixels, soft * 0.25 + gray * 0.75, ramp(distance, 0.75, 0.95)), 1 - ramp(
        distance, 1.0, 1.14
    )


def oval(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centre (2,) and half axes (2,) of the outline among a blend's points (17, 2)."""
    return points[5:].mean(axis=0), np.ptp(points[5:], axis=0) / 2


def radius(points: np.ndarray) -> np.ndarray:
    """How far out each pixel of a blend lies, (s, s); at 1 is the rim of the head, a bit above the face."""
    centre, axes = oval(points)
    return np.linalg.norm((grid() - centre + axes * (0, 0.09)) / (axes * (0.95, 1.07)), axis=2)


def ramp(values: np.ndarray, start: float, end: float) -> np.ndarray:
    """0 up to the start, 1 from the end, smooth between."""
    share = np.clip((values - start) / (end - start), 0, 1)
    return (share * share * (3 - 2 * share)).astype(np.float32)


def backdrop(size: tuple[int, int], color: np.ndarray) -> np.ndarray:
    """A wall with a little light on it: (h, w, 3) float."""
    x, y = np.meshgrid(np.linspace(-0.5, 0.5, size[0]), np.linspace(-0.4, 0.6, size[1]))
    return color * (1.05 - 0.18 * np.hypot(x, y))[..., np.newaxis]


def lit(picture: np.ndarray, rng: np.random.Generator) -> Image:
    """The picture under some other light: stronger or weaker, warmer or cooler, from a side."""
    light = rng.uniform(0.9, 1.08) * (1 + rng.uniform(-0.12, 0.12) * np.linspace(-1, 1, picture.shape[1]))
    warmth = 1 + rng.uniform(-0.03, 0.03) * np.array([1, 0, -1])
    return np.clip(np.rint(picture * light[:, np.newaxis] * warmth), 0, 255).astype(np.uint8)


def wall(rng: np.random.Generator) -> np.ndarray:
    """A light color for a background: (3,)."""
    return rng.uniform(172, 206) + rng.uniform(-9, 9, 3)


def dye(rng: np.random.Generator) -> np.ndarray:
    """A dark, muted color for clothes: (3,)."""
    return rng.uniform(62, 112) + rng.uniform(-20, 20, 3)


def placement(face: Blend, place: Sequence[float], scale: float, degrees: float) -> np.ndarray:
    """(2, 3): turns and scales a blend about the face's centre, which comes to lie at a place."""
    transform = cv2.getRotationMatrix2D(tuple(map(float, oval(face.points)[0])), degrees, scale)
    transform[:, 2] += np.array(place) - oval(face.points)[0]
    return transform


def portrait(face: Blend, rng: np.random.Generator) -> Image:
    """A photo of one person."""
    place = np.array([SIDE / 2, SIDE * 0.45]) + rng.uniform(-12, 12, 2)
    transform = placement(face, place, rng.uniform(0.85, 1.08), rng.uniform(-7, 7))
    return lit(paste(backdrop((SIDE, SIDE), wall(rng)), face, transform, dye(rng)), rng)


def group_photo(faces: Sequence[Blend], rng: np.random.Generator) -> tuple[Image, np.ndarray]:
    """A photo of all (n) in two rows, the front one before the other's shoulders; and their places (n, 2)."""
    canvas = backdrop(GROUP_SIZE, np.array([188.0, 190.0, 188.0]))
    across = len(faces) // 2
    places = np.zeros((len(faces), 2))
    for position, index in enumerate(rng.permutation(len(faces))):
        row, column = divmod(position, across)
        x = (column + 0.5 + (0.12 if row else -0.12)) * GROUP_SIZE[0] / across
        places[index] = np.array([x, (0.25, 0.64)[row] * GROUP_SIZE[1]]) + rng.uniform(-16, 16, 2)
        scale = rng.uniform(0.86, 1.0) + 0.06 * row
        transform = placement(faces[index], places[index], scale, rng.uniform(-5, 5))
        canvas = paste(canvas, faces[index], transform, dye(rng))
    return np.clip(np.rint(canvas), 0, 255).astype(np.uint8), places


def own_shape(
    recognizer: kith.Recognizer,
    blends: Sequence[Blend],
    contributors: FloatArray,
    others: FloatArray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Of many random shapes (7,), that in which these blends are least like anyone.

    Args:
        recognizer: Tells how like they are.
        blends: Of one person.
        contributors: (n, d) embeddings of all photos of the people in the blends.
        others: (m, d) embeddings of the sample people made before; they must be farther.
        rng: Where the shapes come from.
    """
    best, least = np.zeros(len(SHAPE_LIMITS)), 1.0
    for reach, tries in SHAPES.items():
        middle = best
        for offset in rng.uniform(-reach, reach, (tries, len(SHAPE_LIMITS))):
            shape = np.clip(middle + offset * SHAPE_LIMITS, -SHAPE_LIMITS, SHAPE_LIMITS)
            templates = embed_blends(recognizer, [face.reshaped(shape) for face in blends])
            likeness = float(score_all(templates, contributors).max())
            likeness = max(likeness, float(score_all(templates, others).max(initial=-1)) + GAP)
            if likeness < least:
                best, least = shape, likeness
    return best


def embed_blends(recognizer: kith.Recognizer, blends: Sequence[Blend]) -> FloatArray:
    """The embedding of each blend as it is: (n, d)."""
    images = [np.clip(face.pixels, 0, 255).astype(np.uint8) for face in blends]
    return np.stack([recognizer.extract(image)[0][1].embedding for image in images])


@dataclass(frozen=True, slots=True, eq=False)
class SamplePerson:
    """Someone who does not exist.

    Attributes:
        name: What to call him; empty for a stranger.
        blends: His looks, one a photo, and last the one for the group photo.
        contributors: (n, d) embeddings of all photos of the people he is made of.
    """

    name: str
    blends: list[Blend]
    contributors: FloatArray


def make_people(
    recognizer: kith.Recognizer, people: dict[str, list[Source]], threshold: float
) -> list[SamplePerson]:
    """The sample people, and then the strangers; whoever turns out too like a contributor is passed over."""
    pool = {name: best for name, sources in people.items() if len(best := frontal(sources)) == FEWEST_PHOTOS}
    made: list[SamplePerson] = []
    others = np.zeros((0, recognizer.spec.embedding_size), np.float32)
    for group in choose_groups(pool, len(NAMES) + SPARE):
        name = NAMES[len(made)]
        blends = [blend(sources) for sources in zip(*[pool[member] for member in group], strict=True)]
        contributors = np.stack([source.embedding for member in group for source in people[member]])
        embeddings = embed_blends(recognizer, blends)
        typical = int(score_all(embeddings, embeddings).sum(axis=1).argmax())
        blends.append(blends.pop(typical))
        shape = own_shape(recognizer, blends[::2], contributors, others, np.random.default_rng(len(made)))
        blends = [face.reshaped(shape) for face in blends]
        embeddings = embed_blends(recognizer, blends)
        closest = score_all(embeddings, contributors).max()
        print(f"made {name or 'a stranger'}, {closest:.4f} to the closest contributor", flush=True)
        if closest >= threshold - SAFETY:
            continue
        others = np.concatenate([others, embeddings])
        made.append(SamplePerson(name, blends, contributors))
        if len(made) == len(NAMES):
            break
    return sorted(made, key=lambda person: not person.name)


def write(people: list[SamplePerson], output: Path, rng: np.random.Generator) -> np.ndarray:
    """Write all photos; returns where everyone is in the group photo: (n, 2)."""
    for person in filter(lambda person: person.name, people):
        folder = output / "people" / person.name
        folder.mkdir(parents=True, exist_ok=True)
        for number, face in enumerate(person.blends[:PHOTOS], 1):
            save(portrait(face, rng), folder / f"{number}.jpg")
    photo, places = group_photo([person.blends[-1] for person in people], rng)
    save(photo, output / "group.jpg")
    return places


def save(image: Image, path: Path) -> None:
    """Write a JPEG file."""
    PillowImage.fromarray(image).save(path, quality=94, subsampling=0, optimize=True)


def check(
    recognizer: kith.Recognizer,
    people: list[SamplePerson],
    output: Path,
    places: np.ndarray,
    threshold: float,
) -> list[str]:
    """Measure what was written, print it, and say what is not as it must be.

    All scores are cosines, the largest of their kind: of any photo with photos of the people it is
    made of, and with photos of other sample people (below the threshold); of the face in the group
    photo with the own six photos (above it by a gap) and with all others (below it by a gap).
    """
    references = np.stack(
        [
            [
                recognizer.extract_main(kith.load_image(path), ENROLL_LIMITS)[1].embedding
                for path in sorted((output / "people" / name).glob("*.jpg"))
            ]
            for name in filter(None, NAMES)
        ]
    )
    found = recognizer.extract(kith.load_image(output / "group.jpg"))
    if len(found) != len(people):
        return [f"{len(found)} faces in the group photo instead of {len(people)}"]
    centres = np.stack([(face.box[:2] + face.box[2:]) / 2 for face, _ in found])
    nearest = np.linalg.norm(centres - places[:, np.newaxis], axis=2).argmin(axis=1)
    probes = np.stack([found[index][1].embedding for index in nearest])
    wrong = (
        [] if len(set(nearest)) == len(people) else ["the faces in the group photo are not in their places"]
    )
    print(f"{'':10} {'contributors':>12} {'apart':>8} {'own':>8} {'others':>8}")
    for index, (person, probe) in enumerate(zip(people, probes[:, np.newaxis], strict=True)):
        name = person.name or "stranger"
        mine = references[index] if person.name else probe[:0]
        theirs = np.delete(references, index, axis=0) if person.name else references
        theirs = theirs.reshape(-1, probe.shape[1])
        contributors = score_all(np.concatenate([mine, probe]), person.contributors).max()
        apart, own = score_all(mine, theirs).max(initial=-1), score_all(probe, mine).max(initial=-1)
        others = score_all(probe, theirs).max()
        print(f"{name:10} {contributors:12.4f} {apart:8.4f} {own:8.4f} {others:8.4f}")
        if max(contributors, apart) >= threshold:
            wrong.append(f"{name}: too like someone")
        if others > threshold - GAP or (person.name and own < threshold + GAP):
            wrong.append(f"{name}: too near the threshold in the group photo")
    return wrong


def main() -> int:
    """Make, write and check."""
    parser = argparse.ArgumentParser(description="Make the sample people.")
    parser.add_argument("lfw", type=Path, help="Labeled Faces in the Wild: one folder a person")
    parser.add_argument("output", type=Path, help="where people/ and group.jpg go")
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    recognizer = kith.Recognizer.from_pretrained(precision="float32")  # int8 needs sample people
    surveyed = survey(recognizer, arguments.lfw, rng)
    threshold = measure_threshold(surveyed)
    people = make_people(recognizer, surveyed, threshold)
    places = write(people, arguments.output, rng)
    wrong = check(recognizer, people, arguments.output, places, threshold)
    size = sum(path.stat().st_size for path in arguments.output.rglob("*.jpg"))
    print(f"{size / 1e6:.2f} MB", *wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
