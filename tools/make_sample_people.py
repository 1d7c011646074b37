"""Make the sample people: composites of several faces each, so that each of them is nobody.

    python tools/make_sample_people.py LFW_FOLDER SEXES_CSV OUTPUT_FOLDER

Eight people with six photos each, and a group photo of all of them (on photos held back) with two
strangers. The face in every photo of a person blends photos of the same five people of Labeled Faces
in the Wild, all of one sex, with equal weights: landmark-driven triangle warps onto their average
shape, then dense optical flow onto the average face, so that the blend is sharp. Hair, ears, necks,
clothes and backgrounds are drawn (`portrait_drawing`). A blend alone may still resemble the people in
it, so each sample person is given a shape of his own as well, in small random steps until he is not like
any of them, nor anyone else in Labeled Faces in the Wild, nor the other sample people.

The tool measures what it promises on the files it wrote, prints it, and fails if it is not so:
nobody matches a person he is made of, nobody is more like anyone than strangers are, and everybody in
the group photo is told rightly.
"""

import argparse
import csv
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as PillowImage
from portrait_drawing import (
    HEIGHT,
    ORIGIN,
    UNIT,
    WIDTH,
    Look,
    developed,
    draw_bokeh,
    draw_garland,
    draw_person,
    lay,
    ramp,
    stand,
)

import kith
from kith.alignment import similarity_transform
from kith.catalogue.preprocessing import DLIB_CROP
from kith.decisions.cosine import score_all
from kith.decisions.decide import threshold_at_fmr
from kith.detection import DetectionSettings, central_face
from kith.errors import NoFaceFound
from kith.records import Face, FloatArray, Image

PHOTOS = 6
CONTRIBUTORS = 5
FEWEST_PHOTOS, MOST_PHOTOS = 5, 60  # of a contributor
FEWEST_FRONTAL = 4
LOOKS = 5  # principal components that count as looks: roughly ancestry, age, shape
GROUPS = {"female": 7, "male": 14}  # how many are made, the most different of each sex first
TIGHT = {"female": 0.8, "male": 0.7}  # share of the possible groups that are considered
STEPS, STEP = 90, 0.35  # tried for each person at most, and how far each goes
MOST_TURN = 0.28
MOST_COVERED = 24.0
TOO_ALIKE = 0.945  # cosine of two people's averages
FMR = 1e-4
STRANGERS_LIKENESS = 0.95  # quantile of how like people are to the stranger who is most like them
GAP = 0.02  # how far own scores must stay above the threshold, and blends of different people below it
OTHERS_GAP = 0.01  # how far scores of different people in the group photo must stay below it
SIDE = 288
EYES = (UNIT, 116.0)  # distance between the eyes, and their height, in a blend
SHAPE_LIMITS = np.array([5.0, 5.0, 5.0, 6.0, 5.0, 8.0, 9.0])  # see Blend.reshaped; pixels


@dataclass(frozen=True, slots=True)
class Role:
    """Someone to be made.

    Attributes:
        name: What to call him; empty for a stranger.
        group: Which group of contributors of the look's sex he is made of; chosen by eye, so that the
            name fits.
        look: Hair, and sex.
        clothes: What he wears: kinds of `portrait_drawing.draw_clothes`.
        margin: How much less like anyone the blend must be than it may, because drawing the rest
            brings it nearer.
    """

    name: str
    group: int
    look: Look
    clothes: tuple[str, ...]
    margin: float = 0.0


CAST = (
    Role("Ada", 2, Look("female", "long", (196, 150, 92)), ("scoop", "crew", "vee", "jacket")),
    Role("Grace", 0, Look("female", "tied", (38, 30, 28)), ("vee", "scoop", "jacket")),
    Role("Nadia", 5, Look("female", "wavy", (62, 40, 30)), ("crew", "scoop", "vee")),
    Role("Wei", 10, Look("male", "side", (34, 31, 32)), ("jacket", "shirt", "vee"), 0.006),
    Role("Omar", 8, Look("male", "short", (52, 47, 44)), ("shirt", "jacket")),
    Role("Pedro", 11, Look("male", "side", (50, 36, 28)), ("crew", "vee", "shirt")),
    Role("Kwame", 4, Look("male", "cropped", (34, 29, 27)), ("shirt", "crew", "jacket")),
    Role("Oscar", 7, Look("male", "short", (150, 112, 70)), ("vee", "crew", "shirt"), 0.005),
    Role("", 6, Look("female", "bob", (170, 160, 152)), ("jacket",)),
    Role("", 2, Look("male", "receding", (176, 172, 168)), ("jacket",), 0.012),
)
DYES = (
    (58, 84, 130),
    (128, 56, 66),
    (44, 112, 108),
    (66, 86, 66),
    (148, 118, 164),
    (150, 172, 196),
    (196, 150, 84),
    (86, 78, 92),
    (190, 108, 92),
    (92, 116, 72),
)
SUITS = ((48, 54, 72), (78, 74, 72), (98, 58, 80), (60, 66, 62))
SHIRTS = ((226, 226, 226), (206, 216, 232), (232, 222, 206))
TIES = ((120, 42, 50), (44, 60, 104), (72, 92, 70))


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


def survey(recognizer: kith.Recognizer, lfw: Path) -> dict[str, list[Source]]:
    """Detect and embed everybody."""
    folders = [folder for folder in sorted(lfw.iterdir()) if folder.is_dir()]
    found = {
        folder.name: [look(recognizer, path) for path in sorted(folder.glob("*.jpg"))] for folder in folders
    }
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
    across = right - left
    turn = float(np.dot(nose - (left + right) / 2, across) / np.dot(across, across))
    return Source(path, face, recognizer.embed(crops)[0], turn, covering(crops[0]))


def covering(crop: np.ndarray) -> float:
    """How much the color of the forehead differs from the cheeks', in a crop (150, 150, 3): caps show."""
    lab = cv2.cvtColor(crop.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    forehead, cheeks = lab[8:26, 50:100].reshape(-1, 3), lab[60:85, 40:110].reshape(-1, 3)
    return float(np.linalg.norm((np.median(forehead, axis=0) - np.median(cheeks, axis=0)) * (1, 2, 2)))


@dataclass(frozen=True, slots=True)
class Limits:
    """How like two faces may be.

    Attributes:
        match: The score that one in 10,000 pairs of different people reach.
        stranger: The score that few people reach with the stranger who is most like them.
        album: The same of as many photos as a sample person has with all photos of all strangers.
    """

    match: float
    stranger: float
    album: float


def measure_limits(people: dict[str, list[Source]]) -> Limits:
    """Measure them on one photo of each person, and on albums."""
    first = np.stack([sources[0].embedding for sources in people.values()])
    scores = score_all(first, first)
    match = threshold_at_fmr(scores[np.triu_indices(len(first), 1)], FMR)
    np.fill_diagonal(scores, -1)
    limits = Limits(
        match,
        float(np.quantile(scores.max(axis=1), STRANGERS_LIKENESS)),
        float(np.quantile(album_likenesses(people), STRANGERS_LIKENESS)),
    )
    print(
        f"threshold {limits.match:.4f} (FMR {FMR:g}); {STRANGERS_LIKENESS:.0%} of people are at most"
        f" {limits.stranger:.4f} like any stranger, photo by photo, and {limits.album:.4f} in"
        f" {PHOTOS + 1} photos of theirs"
    )
    return limits


def album_likenesses(people: dict[str, list[Source]]) -> FloatArray:
    """How like the likeliest stranger is whoever has photos enough, in any photo of both: (n,)."""
    everybody = np.stack([source.embedding for sources in people.values() for source in sources])
    owners = np.repeat(np.arange(len(people)), [len(sources) for sources in people.values()])
    return np.array(
        [
            score_all(
                np.stack([source.embedding for source in sources[: PHOTOS + 1]]), everybody[owners != owner]
            ).max()
            for owner, sources in enumerate(people.values())
            if len(sources) > PHOTOS
        ]
    )


def frontal(sources: Sequence[Source]) -> list[Source]:
    """Seven frontal photos that are most like the person's average, from left- to right-turned.

    The most typical ones have no hands or microphones before the face; and where the k-th photo of
    each is turned alike, the blend is sharp and six photos still show six poses. Where there are fewer
    than seven some come twice, each time in other company.
    """
    fit = [
        source
        for source in sources
        if abs(source.turn) < MOST_TURN
        and source.face.detection_score > 0.99
        and source.covered < MOST_COVERED
    ]
    if len(fit) < FEWEST_FRONTAL:
        return []
    mean = np.mean([source.embedding for source in fit], axis=0)
    typical = sorted(fit, key=lambda source: -float(np.sum(source.embedding * mean)))[: PHOTOS + 1]
    typical.sort(key=lambda source: source.turn)
    return [typical[number * len(typical) // (PHOTOS + 1)] for number in range(PHOTOS + 1)]


def choose_groups(people: dict[str, list[Source]], count: int, tight_share: float) -> list[list[str]]:
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
    tight = ratio <= np.quantile(ratio, tight_share)  # the others are of all sorts, and blend badly
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


def oval(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centre (2,) and half axes (2,) of the outline among a blend's points (17, 2)."""
    return points[5:].mean(axis=0), np.ptp(points[5:], axis=0) / 2


def radius(points: np.ndarray) -> np.ndarray:
    """How far out each pixel of a blend lies, (s, s); at 1 is the rim of the head, a bit above the face."""
    centre, axes = oval(points)
    return np.linalg.norm((grid() - centre + axes * (0, 0.09)) / (axes * (0.95, 1.07)), axis=2)


def own_shape(
    recognizer: kith.Recognizer,
    blends: Sequence[Blend],
    likeness: Callable[[FloatArray], float],
    enough: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """A shape (7,) in which blends are like no one, found by small random steps from their own.

    Args:
        recognizer: Embeds them.
        blends: Of one person.
        likeness: How like those are whom they must not be like, of embeddings (n, d).
        enough: The likeness below which they are like no one.
        rng: Where the steps come from.
    """
    best = np.zeros(len(SHAPE_LIMITS))
    least = likeness(embed_blends(recognizer, blends))
    for _ in range(STEPS):
        if least < enough:
            break
        shape = best + rng.uniform(-STEP, STEP, len(SHAPE_LIMITS)) * SHAPE_LIMITS
        shape = np.clip(shape, -SHAPE_LIMITS, SHAPE_LIMITS)
        like = likeness(embed_blends(recognizer, [face.reshaped(shape) for face in blends]))
        if like < least:
            best, least = shape, like
    return best


def embed_blends(recognizer: kith.Recognizer, blends: Sequence[Blend]) -> FloatArray:
    """The embedding of each blend as it is: (n, d)."""
    crops = [
        recognizer.align(
            np.clip(face.pixels, 0, 255).astype(np.uint8),
            [Face(np.array([0, 0, SIDE, SIDE], np.float32), face.points[:5].astype(np.float32), 1.0)],
        )[0]
        for face in blends
    ]
    return recognizer.embed(np.stack(crops))


@dataclass(frozen=True, slots=True, eq=False)
class SamplePerson:
    """Someone who does not exist.

    Attributes:
        role: Who he plays.
        blends: His looks, one a photo, and last the one for the group photo.
        contributors: (n, d) embeddings of all photos of the people he is made of.
    """

    role: Role
    blends: list[Blend]
    contributors: FloatArray


def make_people(
    recognizer: kith.Recognizer, people: dict[str, list[Source]], sexes: dict[str, str], limits: Limits
) -> list[SamplePerson]:
    """The sample people, and then the strangers."""
    pools: dict[str, dict[str, list[Source]]] = {sex: {} for sex in GROUPS}
    for name, sources in people.items():
        if FEWEST_PHOTOS <= len(sources) <= MOST_PHOTOS and (best := frontal(sources)):
            pools[sexes[name]][name] = best
    groups = {
        sex: choose_groups({name: people[name] for name in pool}, GROUPS[sex], TIGHT[sex])
        for sex, pool in pools.items()
    }
    everybody = np.stack([source.embedding for sources in people.values() for source in sources])
    made: list[SamplePerson] = []
    others = np.zeros((0, recognizer.spec.embedding_size), np.float32)
    for role in CAST:
        group, pool = groups[role.look.sex][role.group], pools[role.look.sex]
        blends = [blend(sources) for sources in zip(*[pool[member] for member in group], strict=True)]
        contributors = np.stack([source.embedding for member in group for source in people[member]])
        embeddings = embed_blends(recognizer, blends)
        typical = int(score_all(embeddings, embeddings).sum(axis=1).argmax())
        blends.append(blends.pop(typical))

        def likeness(
            embeddings: FloatArray, contributors: FloatArray = contributors, others: FloatArray = others
        ) -> float:
            """The largest score, each kind as far from its own limit as contributors' are from theirs."""
            return max(
                float(score_all(embeddings, contributors).max()),
                float(score_all(embeddings, everybody).max()) - (limits.stranger - limits.match),
                float(score_all(embeddings, others).max(initial=-1)) + GAP,
            )

        rng = np.random.default_rng(len(made))
        shape = own_shape(recognizer, blends, likeness, limits.match - role.margin, rng)
        blends = [face.reshaped(shape) for face in blends]
        embeddings = embed_blends(recognizer, blends)
        print(
            f"made {role.name or 'a stranger'}: {likeness(embeddings):.4f},"
            f" the shape moved by up to {np.abs(shape).max():.1f} pixels",
            flush=True,
        )
        others = np.concatenate([others, embeddings])
        made.append(SamplePerson(role, blends, contributors))
    return made


def draw(person: SamplePerson, number: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A person as in his photo of a number, from the head down: (h, w, 3) pixels and (h, w) mask."""
    face, look = person.blends[number], person.role.look
    eyes = face.points[:2].mean(axis=0)
    shift = np.concatenate([np.eye(2), (ORIGIN - eyes)[:, np.newaxis]], axis=1)
    pixels = cv2.warpAffine(face.pixels, shift, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
    centre, axes = oval(face.points)
    chin = (centre[1] + axes[1] * 0.94 - eyes[1]) / UNIT
    kind = person.role.clothes[number % len(person.role.clothes)]
    palettes = (SUITS, SHIRTS, TIES) if kind == "jacket" else (DYES,)
    colors = [np.array(palette[rng.integers(len(palette))], float) for palette in palettes]
    return draw_person(pixels, chin, axes[0] / UNIT, look, (kind, colors), rng)


def placement(place: Sequence[float], scale: float, degrees: float) -> np.ndarray:
    """(2, 3): turns and scales a drawn person about the eyes, which come to lie at a place."""
    transform = cv2.getRotationMatrix2D(tuple(map(float, ORIGIN)), degrees, scale)
    transform[:, 2] += np.array(place) - ORIGIN
    return transform


def portrait(person: SamplePerson, number: int, rng: np.random.Generator) -> Image:
    """A photo of one person, somewhere."""
    top = np.array(SCENES[rng.integers(len(SCENES))], float)
    lights = int(rng.integers(0, 2) * rng.integers(6, 16))
    scene = draw_bokeh((SIDE, SIDE), [top, top * 0.85, top * 0.7], lights, rng)
    place = np.array([SIDE / 2, SIDE * 0.4]) + rng.uniform(-14, 14, 2)
    transform = placement(place, rng.uniform(0.68, 0.92), rng.uniform(-8, 8))
    return developed(lit(stand(scene, draw(person, number, rng), transform), rng), rng)


SCENES = ((168, 182, 196), (196, 184, 168), (120, 138, 112), (92, 100, 120), (186, 168, 172), (150, 158, 150))


def lit(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The picture under some other light: stronger or weaker, warmer or cooler, from a side."""
    light = rng.uniform(0.86, 1.08) * (1 + rng.uniform(-0.14, 0.14) * np.linspace(-1, 1, picture.shape[1]))
    warmth = 1 + rng.uniform(-0.04, 0.04) * np.array([1, 0, -1])
    return picture * light[:, np.newaxis] * warmth


GROUP_SIZE = (1200, 800)
ROWS = ((7, 2, 9, 0, 6), (1, 4, 8, 5, 3))  # of CAST: who stands where, the back row first
EVENING = ((52, 66, 84), (70, 86, 70), (96, 84, 66))


def group_photo(people: Sequence[SamplePerson], rng: np.random.Generator) -> tuple[Image, np.ndarray]:
    """A photo of all (n) at a garden party, the front row before the other; and their places (n, 2)."""
    picture = draw_bokeh(GROUP_SIZE, [np.array(tint, float) for tint in EVENING], 70, rng)
    picture = draw_garland(picture, rng)
    places = np.zeros((len(people), 2))
    for row, members in enumerate(ROWS):
        for column, index in enumerate(members):
            x = (column + 0.5 + (-0.14, 0.14)[row]) * GROUP_SIZE[0] / len(members)
            y = (250, 520)[row] + (10 if people[index].role.look.sex == "female" else -8)
            places[index] = np.array([x, y]) + rng.uniform(-12, 12, 2)
            scale = (0.71, 0.74)[row] * rng.uniform(0.97, 1.03)
            transform = placement(places[index], scale, rng.uniform(-5, 5))
            picture = stand(picture, draw(people[index], PHOTOS, rng), transform)
    return developed(picture * 1.06, rng), places


def write(people: list[SamplePerson], output: Path, rng: np.random.Generator) -> np.ndarray:
    """Write all photos; returns where everyone's eyes are in the group photo: (n, 2)."""
    for person in filter(lambda person: person.role.name, people):
        folder = output / "people" / person.role.name
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(PHOTOS):
            save(portrait(person, number, rng), folder / f"{number + 1}.jpg")
    photo, places = group_photo(people, rng)
    save(photo, output / "group.jpg")
    return places


def save(image: Image, path: Path) -> None:
    """Write a JPEG file."""
    PillowImage.fromarray(image).save(path, quality=92, subsampling=0, optimize=True)


def check(
    recognizer: kith.Recognizer,
    people: list[SamplePerson],
    output: Path,
    places: np.ndarray,
    everybody: FloatArray,
    limits: Limits,
) -> list[str]:
    """Measure what was written, print it, and say what is not as it must be.

    All scores are cosines, the largest of their kind: of any photo with photos of the people it is
    made of, and with photos of other sample people (below the threshold); with anyone (below what
    strangers reach); of the face in the group photo with the own six photos (above the threshold by a
    gap) and with all others (below it by a gap).
    """
    named = [person.role.name for person in people if person.role.name]
    references = np.stack(
        [
            [
                recognizer.analyze_main(kith.load_image(path)).template.embedding
                for path in sorted((output / "people" / name).glob("*.jpg"))
            ]
            for name in named
        ]
    )
    found = recognizer.analyze(kith.load_image(output / "group.jpg"))
    if len(found) != len(people):
        return [f"{len(found)} faces in the group photo instead of {len(people)}"]
    eyes = np.stack([sample.face.landmarks[:2].mean(axis=0) for sample in found])
    nearest = np.linalg.norm(eyes - places[:, np.newaxis], axis=2).argmin(axis=1)
    probes = np.stack([found[index].template.embedding for index in nearest])
    wrong = (
        [] if len(set(nearest)) == len(people) else ["the faces in the group photo are not in their places"]
    )
    print(f"{'':10} {'contributors':>12} {'anyone':>8} {'apart':>8} {'own':>8} {'others':>8}")
    for index, (person, probe) in enumerate(zip(people, probes[:, np.newaxis], strict=True)):
        name = person.role.name or "stranger"
        mine = references[index] if person.role.name else probe[:0]
        theirs = np.delete(references, index, axis=0) if person.role.name else references
        theirs = theirs.reshape(-1, probe.shape[1])
        all_mine = np.concatenate([mine, probe])
        contributors = score_all(all_mine, person.contributors).max()
        anyone = score_all(all_mine, everybody).max()
        apart, own = score_all(mine, theirs).max(initial=-1), score_all(probe, mine).max(initial=-1)
        others = score_all(probe, theirs).max()
        print(f"{name:10} {contributors:12.4f} {anyone:8.4f} {apart:8.4f} {own:8.4f} {others:8.4f}")
        if max(contributors, apart) >= limits.match or anyone >= limits.album:
            wrong.append(f"{name}: too like someone")
        if others > limits.match - OTHERS_GAP or (person.role.name and own < limits.match + GAP):
            wrong.append(f"{name}: too near the threshold in the group photo")
    return wrong


def main() -> int:
    """Make, write and check."""
    parser = argparse.ArgumentParser(description="Make the sample people.")
    parser.add_argument("lfw", type=Path, help="Labeled Faces in the Wild: one folder a person")
    parser.add_argument("sexes", type=Path, help="a CSV file with the sex ('group') of each 'person' there")
    parser.add_argument("output", type=Path, help="where people/ and group.jpg go")
    arguments = parser.parse_args()
    with arguments.sexes.open(encoding="utf-8", newline="") as file:
        sexes = {row["person"]: row["group"] for row in csv.DictReader(file)}
    recognizer = kith.Recognizer.from_pretrained(
        precision="float32", detection=DetectionSettings(min_face_size=48)
    )  # int8 needs sample people
    return make_all(recognizer, survey(recognizer, arguments.lfw), sexes, arguments.output)


def make_all(
    recognizer: kith.Recognizer, people: dict[str, list[Source]], sexes: dict[str, str], output: Path
) -> int:
    """Make, write and check them of people who were surveyed; returns the exit code."""
    limits = measure_limits(people)
    made = make_people(recognizer, people, sexes, limits)
    places = write(made, output, np.random.default_rng(0))
    everybody = np.stack([source.embedding for sources in people.values() for source in sources])
    wrong = check(recognizer, made, output, places, everybody, limits)
    size = sum(path.stat().st_size for path in output.rglob("*.jpg"))
    print(f"{size / 1e6:.2f} MB", *wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
